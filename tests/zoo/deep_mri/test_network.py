"""The architecture against a plain NumPy and SciPy cascade, and its contracts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from shaketable import FourierMap
from shaketable.errors import InputError
from shaketable.zoo import DeepMRI
from tests.helpers.oracles import directional_derivative, inner, relative_difference


def small_network(seed: int = 0) -> DeepMRI:
    """Two cascades in double precision, loud enough that every layer matters."""
    torch.manual_seed(seed)
    return DeepMRI(n_cascades=2, n_convolutions=3, n_features=4).double().requires_grad_(False)


def problem(shape: tuple[int, int], n_images: int = 2) -> tuple[FourierMap, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    mask = torch.rand(shape, generator=generator) < 0.4
    mask[0, 0] = True
    images = torch.randn(n_images, *shape, dtype=torch.complex128, generator=generator)
    return FourierMap(mask), images


def plain_cascade(network: DeepMRI, data: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """One image, written from the description: correlations with zero padding, loops, no torch."""
    state = {name: value.numpy() for name, value in network.state_dict().items()}
    image = np.fft.ifft2(np.where(mask, data, 0), norm="ortho")
    for cascade in range(2):
        hidden = [image.real, image.imag]
        for layer in range(3):
            name = f"cascades.{cascade}.convolutions.{layer}"
            weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
            hidden = [
                sum(correlate2d(h, w, mode="same") for h, w in zip(hidden, kernels, strict=True))
                + b
                for kernels, b in zip(weight, bias, strict=True)
            ]
            if layer < 2:
                hidden = [np.maximum(h, 0) for h in hidden]
        image = image + hidden[0] + 1j * hidden[1]
        spectrum = np.where(mask, data, np.fft.fft2(image, norm="ortho"))
        image = np.fft.ifft2(spectrum, norm="ortho")
    return image


@pytest.mark.parametrize("shape", [(12, 12), (9, 14)])
def test_equals_a_plain_cascade(shape: tuple[int, int]) -> None:
    network = small_network()
    forward, images = problem(shape)
    data = forward(images)
    expected = [plain_cascade(network, y.numpy(), forward.mask.numpy()) for y in data]
    got = network(data, forward)
    assert relative_difference(got, torch.from_numpy(np.stack(expected))) < 1e-13
    # The convolutions must matter, or the test would compare two zero-filled images.
    assert relative_difference(got, forward.adjoint(data)) > 0.01


def test_keeps_the_measured_data() -> None:
    network = small_network()
    forward, images = problem((16, 10))
    data = forward(images)
    assert relative_difference(forward(network(data, forward)), data) < 1e-14


def test_full_sampling_gives_the_image_back() -> None:
    forward = FourierMap(torch.ones(8, 8))
    images = torch.randn(1, 8, 8, dtype=torch.complex128)
    assert relative_difference(small_network()(forward(images), forward), images) < 1e-14


def test_a_map_without_a_mask_is_fully_sampled() -> None:
    class Everything(FourierMap):
        @property
        def sampled(self) -> None:  # type: ignore[override]
            return None

    forward = Everything(torch.ones(8, 8))
    images = torch.randn(1, 8, 8, dtype=torch.complex128)
    assert relative_difference(small_network()(forward(images), forward), images) < 1e-14


def test_ignores_data_where_nothing_was_sampled() -> None:
    network = small_network()
    forward, images = problem((8, 8))
    data = forward(images)
    disturbed = data + torch.where(forward.mask, 0.0, 1.0)
    assert torch.equal(network(disturbed, forward), network(data, forward))


def test_gradient_flows_through_data_consistency() -> None:
    network = small_network()
    forward, images = problem((8, 8), n_images=1)
    weight = torch.randn_like(images)
    direction = torch.randn_like(images)

    def response(x: torch.Tensor) -> torch.Tensor:
        return torch.tensor(inner(weight, network(forward(x), forward)).real, dtype=torch.float64)

    x = images.clone().requires_grad_(True)
    (weight.conj() * network(forward(x), forward)).sum().real.backward()
    assert x.grad is not None
    derivative = float(directional_derivative(response, images, direction))
    assert inner(x.grad, direction).real == pytest.approx(derivative, rel=1e-6)


def test_images_of_a_batch_do_not_meet() -> None:
    network = small_network()
    forward, images = problem((8, 8), n_images=3)
    data = forward(images)
    alone = torch.cat([network(y[None], forward) for y in data])
    assert relative_difference(network(data, forward), alone) < 1e-14


def test_precision_follows_the_parameters() -> None:
    forward, images = problem((8, 8))
    data = forward(images)
    assert small_network()(data, forward).dtype == torch.complex128
    assert small_network().float()(data, forward).dtype == torch.complex64


def test_says_what_is_wrong() -> None:
    forward, images = problem((8, 8))
    with pytest.raises(InputError, match=r"shape \(B, H, W\), got \(8, 8\)"):
        small_network()(forward(images)[0], forward)
    with pytest.raises(InputError, match="at least 1 cascade"):
        DeepMRI(n_cascades=0)
