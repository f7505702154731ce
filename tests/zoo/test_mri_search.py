"""The search sees through AUTOMAP, DAGAN and MRI-VN, data terms included."""

from __future__ import annotations

import pytest
import torch

from shaketable import Problem, preflight
from shaketable.maps import FourierMap, MultiCoilFourierMap, birdcage_coils
from shaketable.search.jacobian import Jacobian
from shaketable.zoo import AUTOMAP, DAGAN, MRIVN

NAMES = ("automap", "dagan", "mri-vn")


def problem(name: str) -> tuple[Problem, torch.Tensor]:
    """A small untrained network in double precision, with images."""
    torch.manual_seed(0)
    size = 32 if name == "dagan" else 12
    mask = torch.rand(size, size) < 0.6
    mask[0, 0] = True
    images = torch.rand(2, size, size, dtype=torch.float64)
    network: torch.nn.Module
    forward: FourierMap | MultiCoilFourierMap = FourierMap(mask)
    if name == "automap":
        network = AUTOMAP(mask.nonzero(), (size, size), n_hidden=20, n_features=3)
    elif name == "dagan":
        network = DAGAN(width=2, n_levels=5)
    else:
        network = MRIVN(n_stages=2, n_filters=3, kernel_size=3)
        forward = MultiCoilFourierMap(mask, birdcage_coils(3, (size, size), dtype=torch.complex128))
        images = images * torch.exp(2j * torch.rand(size, size, dtype=torch.float64))
    network = network.double().eval().requires_grad_(False)
    return Problem(forward=forward, reconstruct=network, real=name != "mri-vn"), images


@pytest.mark.parametrize("name", NAMES)
def test_preflight_passes(name: str) -> None:
    made, images = problem(name)
    preflight(made, images).raise_if_failed()


@pytest.mark.parametrize("name", NAMES)
def test_jacobian_and_its_transpose_belong_together(name: str) -> None:
    made, images = problem(name)
    jacobian = Jacobian(lambda x: made.reconstruct(made.forward(x), made.forward), images)
    n_numbers = 2 * images[0].numel() if images.is_complex() else images[0].numel()
    right, left = torch.randn(2, 2, n_numbers, dtype=torch.float64)
    pushed, pulled = jacobian.applied(right), jacobian.transposed(left)
    assert pushed.shape == pulled.shape == (2, n_numbers)
    scalar = ((left * pushed).sum(1) - (right * pulled).sum(1)).abs()
    assert float((scalar / (left.norm(dim=1) * pushed.norm(dim=1))).max()) < 1e-10
    assert float(pushed.norm()) > 0.1
