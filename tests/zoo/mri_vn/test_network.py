"""The variational network against a plain NumPy one, against BART, and its contracts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.signal import convolve2d, correlate2d

from shaketable.errors import InputError
from shaketable.maps import FourierMap, MultiCoilFourierMap, birdcage_coils, from_centred
from shaketable.zoo.mri_vn.network import MRIVN
from shaketable.zoo.mri_vn.reconet import read_reconet
from tests.helpers.bart import read_cfl, run_bart, write_cfl, write_several_cfl
from tests.helpers.data import shared_data
from tests.helpers.oracles import directional_derivative, inner, relative_difference

Array = npt.NDArray[np.complex128]


def small_network(seed: int = 0) -> MRIVN:
    """Two stages in double precision, loud enough that every layer matters."""
    torch.manual_seed(seed)
    network = MRIVN(n_stages=2, n_filters=3, kernel_size=5, n_centres=9).double()
    for stage in network.regularisers:
        stage.weights.data = 0.5 * torch.randn_like(stage.weights)
    network.data_weights.data = torch.tensor([0.7, 0.3], dtype=torch.float64)
    return network.requires_grad_(False)


def problem(
    shape: tuple[int, int] = (10, 12), n_images: int = 2, n_coils: int = 3
) -> tuple[MultiCoilFourierMap, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    mask = torch.rand(shape, generator=generator) < 0.5
    mask[0, 0] = True
    coils = birdcage_coils(n_coils, shape, dtype=torch.complex128)
    images = torch.randn(n_images, *shape, dtype=torch.complex128, generator=generator)
    return MultiCoilFourierMap(mask, coils), images


def plain_regulariser(image: Array, kernels: np.ndarray, weights: np.ndarray) -> Array:
    margin = kernels.shape[-1] - 1
    centres = np.linspace(-1, 1, weights.shape[1])
    width = 2 / weights.shape[1]
    padded = np.pad(image, margin, mode="symmetric")
    result = np.zeros(padded.shape, complex)
    for (real, imaginary), heights in zip(kernels, weights, strict=True):
        response = correlate2d(padded.real, real, mode="valid")
        response = response + correlate2d(padded.imag, imaginary, mode="valid")
        bells = np.exp(-((response[..., None] - centres) ** 2) / (2 * width**2))
        activated = bells @ heights
        result += convolve2d(activated, real) + 1j * convolve2d(activated, imaginary)
    return result[margin:-margin, margin:-margin] / len(kernels)


def plain_network(network: MRIVN, data: Array, mask: np.ndarray, coils: Array) -> Array:
    """One image, written from the description: no torch, no table."""
    state = {name: value.numpy() for name, value in network.state_dict().items()}

    def adjoint(y: Array) -> Array:
        return (coils.conj() * np.fft.ifft2(mask * y, norm="ortho")).sum(0)

    scale = np.abs(adjoint(data)).max()
    start = adjoint(data) / scale
    image = start
    for stage, weight in enumerate(state["data_weights"]):
        name = f"regularisers.{stage}"
        residual = adjoint(np.fft.fft2(coils * image, norm="ortho")) - start
        regulariser = plain_regulariser(image, state[f"{name}.kernels"], state[f"{name}.weights"])
        image = image - weight * residual - regulariser
    return scale * image


@pytest.mark.parametrize("shape", [(10, 12), (9, 7), (3, 16)])
def test_equals_a_plain_network(shape: tuple[int, int]) -> None:
    network = small_network()
    forward, images = problem(shape)
    data = forward(images)
    expected = [
        plain_network(network, y.numpy(), forward.mask.numpy(), forward.coils.numpy()) for y in data
    ]
    got = network(data, forward)
    assert relative_difference(got, torch.from_numpy(np.stack(expected))) < 1e-7
    # The regulariser must matter, or the test would compare two gradient descents.
    assert relative_difference(got, forward.adjoint(data)) > 0.05


def random_weights(n_stages: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """λ, filters and activations as reconet keeps them; the filters neither centred nor unit."""
    rng = np.random.default_rng(0)
    kernels = rng.standard_normal((24, 1, 11, 11, 1, n_stages, 2)) @ (1, 1j)
    kernels /= np.sqrt((np.abs(kernels) ** 2).sum(axis=(1, 2, 3, 4), keepdims=True))
    activations = 0.05 * rng.standard_normal((24, 31, n_stages))
    return rng.uniform(0.05, 0.4, n_stages), 1.2 * kernels + 0.01, activations


def first_axes_last(array: npt.NDArray[np.complex64]) -> torch.Tensor:
    """BART's (H, W, C) -> (C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


@pytest.mark.data
def test_equals_bart_on_raw_data(tmp_path: Path) -> None:
    """Raw 8-coil brain data, undersampled, maps by ESPIRiT, all ten stages, random weights."""
    kspace = np.load(shared_data("kspace-brain/cartesian_ksp.npy")).transpose(1, 2, 0)[:, :, None]
    written = write_cfl(tmp_path / "kspace", kspace)
    run_bart("ecalib", "-m1", "-r20", written, tmp_path / "maps")
    weights = write_several_cfl(tmp_path / "weights", *random_weights())
    options = ("--network", "varnet", "--apply", "--normalize", "-I10")
    run_bart("reconet", *options, written, tmp_path / "maps", weights, tmp_path / "image")
    expected = torch.from_numpy(read_cfl(tmp_path / "image"))

    centred = first_axes_last(kspace[:, :, 0])
    mask = torch.fft.ifftshift((centred != 0).any(0))
    forward = MultiCoilFourierMap(mask, first_axes_last(read_cfl(tmp_path / "maps")))
    network = MRIVN()
    network.load_state_dict(read_reconet(weights.with_suffix(".cfl")))
    data = from_centred(centred)[None]
    with torch.no_grad():
        got = network(data, forward)[0]
    assert relative_difference(got, expected) < 2e-6
    assert relative_difference(got, forward.adjoint(data)[0]) > 0.05


def test_keeps_an_image_where_all_is_sampled_and_nothing_is_learned() -> None:
    network = small_network()
    for stage in network.regularisers:
        stage.weights.zero_()
    coils = birdcage_coils(4, (8, 9), dtype=torch.complex128)
    forward = MultiCoilFourierMap(torch.ones(8, 9), coils)
    images = torch.randn(2, 8, 9, dtype=torch.complex128)
    assert relative_difference(network(forward(images), forward), images) < 1e-13


def test_serves_any_number_of_coils_and_a_single_one() -> None:
    network = small_network()
    forward, images = problem(n_coils=7)
    assert network(forward(images), forward).shape == images.shape
    single = FourierMap(forward.mask)
    seen_by_one = MultiCoilFourierMap(forward.mask, torch.ones(1, *single.image_shape))
    got, expected = (network(A(images), A) for A in (single, seen_by_one))
    assert relative_difference(got, expected) < 1e-14


@pytest.mark.parametrize("factor", [1e-6, 255.0])
def test_units_do_not_matter(factor: float) -> None:
    forward, images = problem()
    data = forward(images)
    network = small_network()
    expected = factor * network(data, forward)
    assert relative_difference(network(factor * data, forward), expected) < 1e-10


def test_nothing_comes_from_nothing() -> None:
    forward, images = problem()
    network = small_network()
    assert float(network(0 * forward(images), forward).abs().max()) == 0.0


def test_gradient_flows_through_every_data_term() -> None:
    network = small_network()
    forward, images = problem(n_images=1)
    weight, direction = torch.randn_like(images), torch.randn_like(images)

    def response(x: torch.Tensor) -> torch.Tensor:
        return torch.tensor(inner(weight, network(forward(x), forward)).real, dtype=torch.float64)

    x = images.clone().requires_grad_(True)
    (weight.conj() * network(forward(x), forward)).sum().real.backward()
    assert x.grad is not None
    derivative = float(directional_derivative(response, images, direction))
    assert inner(x.grad, direction).real == pytest.approx(derivative, rel=1e-6)


def test_gradients_reach_every_weight() -> None:
    network = small_network().requires_grad_(True)
    forward, images = problem()
    network(forward(images), forward).abs().square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().max()) > 0, name


def test_images_of_a_batch_do_not_meet() -> None:
    network = small_network()
    forward, images = problem(n_images=3)
    # One image far brighter than the others: each is scaled by its own maximum.
    data = forward(images * torch.tensor([1.0, 100.0, 0.01])[:, None, None])
    alone = torch.cat([network(y[None], forward) for y in data])
    assert relative_difference(network(data, forward), alone) < 1e-14


def test_precision_follows_the_parameters() -> None:
    forward, images = problem()
    data = forward(images)
    assert small_network()(data, forward).dtype == torch.complex128
    assert small_network().float()(data, forward).dtype == torch.complex64


def test_projection_centres_and_scales_the_filters() -> None:
    network = MRIVN(n_stages=2, n_filters=4, kernel_size=3)
    torch.nn.init.normal_(network.regularisers[1].kernels, mean=1.0)
    network.project_()
    for stage in network.regularisers:
        kernels = stage.kernels.detach()
        assert float(kernels.mean(dim=(2, 3)).abs().max()) < 1e-7
        assert torch.allclose(kernels.square().sum(dim=(1, 2, 3)), torch.ones(4))


def test_the_published_network_can_be_made() -> None:
    n_weights = sum(parameter.numel() for parameter in MRIVN().parameters())
    assert n_weights == 10 * (1 + 24 * 2 * 11 * 11 + 24 * 31)


def test_says_what_is_wrong() -> None:
    forward, images = problem()
    with pytest.raises(InputError, match=r"shape \(B, 3, 10, 12\).*got \(3, 10, 12\)"):
        small_network()(forward(images)[0], forward)
    with pytest.raises(InputError, match="odd kernel size"):
        MRIVN(kernel_size=4)
