"""The MRI-VN that ships: its file, its card, and that it is better than zero filling."""

from __future__ import annotations

from hashlib import sha256

import pytest
import torch

from shaketable import zoo
from shaketable.errors import WeightsError
from shaketable.metrics import psnr
from shaketable.zoo.registry import shipped_weights


def test_mri_vn_ships_and_works() -> None:
    network = zoo.load("mri-vn")
    image = network.images("test")[4:5]
    data = network.forward(image)
    with torch.no_grad():
        output = network.reconstruct(data, network.forward)
    gain = psnr(output, image) - psnr(network.forward.adjoint(data), image)
    assert float(gain) > 3.0


def test_mri_vn_is_the_published_architecture() -> None:
    network = zoo.load("mri-vn").model
    stages = network.regularisers
    assert len(stages) == 10
    for stage in stages:
        assert stage.kernels.shape == (24, 2, 11, 11)
        assert stage.weights.shape == (24, 31)
        # Half precision rounds each number by at most one part in 2048.
        assert float(stage.kernels.mean(dim=(2, 3)).abs().max()) < 1e-4
        norms = stage.kernels.square().sum(dim=(1, 2, 3))
        assert torch.allclose(norms, torch.ones(24), atol=1e-3)


def test_card_belongs_to_the_file() -> None:
    network = zoo.load("mri-vn")
    contents = shipped_weights("mri-vn").read_bytes()
    assert network.card["weights"]["sha256"] == sha256(contents).hexdigest()
    assert network.card["weights"]["bytes"] == len(contents)
    assert network.card["training"]["curve"]


def test_all_weights_together_stay_small() -> None:
    files = list(shipped_weights("any").parent.glob("*.safetensors"))
    assert sum(file.stat().st_size for file in files) < 64e6


@pytest.mark.parametrize("name", ["automap", "dagan"])
def test_what_does_not_ship_says_so(name: str) -> None:
    with pytest.raises(
        WeightsError, match=f"Expected weights of '{name}' in the package, got none"
    ):
        zoo.load(name)
