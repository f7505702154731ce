"""Derivatives of what was evaluated: reverse and forward mode against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from shaketable.maps import FourierMap
from shaketable.sparse import SparseMethod, TotalVariation, WaveletL1, iterations
from tests.sparse import peers
from tests.sparse.scenes import lines, scene

METHODS = [
    TotalVariation(strength=0.05),
    TotalVariation(strength=0.05, values="ri"),
    TotalVariation(strength=0.05, values="real"),
    TotalVariation(strength=0.05, isotropic=False),
    WaveletL1(strength=0.05, levels=2),
    WaveletL1(strength=0.05, levels=2, values="ri"),
    WaveletL1(strength=0.05, levels=2, values="real"),
]
A = lines()
IMAGE = scene()

every_method = pytest.mark.parametrize("method", METHODS)


def direction_like(tensor: Tensor, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(tensor.shape, dtype=tensor.dtype, generator=generator)


def central_difference(function: Callable[[Tensor], Tensor], at: Tensor, along: Tensor) -> Tensor:
    # Small enough that no group crosses its threshold: the active set stays as it is.
    step = 1e-7 / float(along.norm())
    return (function(at + step * along) - function(at - step * along)) / (2 * step)


def real_inner(a: Tensor, b: Tensor) -> float:
    return float((a.conj() * b).real.sum())


def chain(method: SparseMethod, domain: str) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    image = IMAGE.real.clone() if method.values == "real" else IMAGE
    if domain == "data":
        return (lambda y: method(y, A)), A(image)
    return (lambda r: method(A(image + r), A)), torch.zeros_like(image)


@every_method
@pytest.mark.parametrize("domain", ["data", "image"])
def test_reverse_mode_agrees_with_finite_differences(method: SparseMethod, domain: str) -> None:
    function, at = chain(method, domain)
    at = at.requires_grad_()
    output = function(at)
    weights = direction_like(output, 1)
    (gradient,) = torch.autograd.grad(output, at, weights)
    with torch.no_grad():
        along = direction_like(at, 2)
        expected = real_inner(weights, central_difference(function, at, along))
    assert real_inner(gradient, along) == pytest.approx(expected, rel=1e-5)


@every_method
def test_forward_mode_agrees_with_finite_differences(method: SparseMethod) -> None:
    function, at = chain(method, "image")
    along = direction_like(at, 3)
    value, tangent = torch.func.jvp(function, (at,), (along,))
    assert torch.equal(value, function(at))
    expected = central_difference(function, at, along)
    assert float((tangent - expected).norm()) <= 1e-5 * float(expected.norm())


def test_torch_func_reverse_mode_agrees_with_autograd() -> None:
    function, at = chain(METHODS[0], "image")
    weights = direction_like(at, 4)
    (expected,) = torch.autograd.grad(function(at.requires_grad_()), at, weights)
    _, pull_back = torch.func.vjp(function, at.detach())
    torch.testing.assert_close(pull_back(weights)[0], expected)


@pytest.mark.parametrize("method", [METHODS[0], METHODS[4]])
def test_iterates_that_were_dropped_are_computed_again(
    method: SparseMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    gradients = []
    for n_kept in (iterations.N_KEPT, 3):
        monkeypatch.setattr(iterations, "N_KEPT", n_kept)
        data = A(IMAGE).requires_grad_()
        image = method(data, A)
        gradients.append(torch.autograd.grad(image, data, direction_like(image, 5))[0])
    assert torch.equal(*gradients)


def test_images_of_a_batch_have_gradients_of_their_own() -> None:
    method = TotalVariation(strength=0.02)
    images = torch.cat([scene(batch=2), scene(batch=1, noise=1.0)])
    data = A(images).requires_grad_()
    solution = method.solve(data, A)
    assert len(set(solution.n_iterations.tolist())) > 1
    weights = direction_like(images, 6)
    (together,) = torch.autograd.grad(solution.image, data, weights)
    for index in range(3):
        one = data.detach()[index : index + 1].requires_grad_()
        (alone,) = torch.autograd.grad(method(one, A), one, weights[index : index + 1])
        assert torch.equal(alone[0], together[index])


@every_method
def test_asking_for_a_gradient_changes_no_bit(method: SparseMethod) -> None:
    data = A(IMAGE).to(torch.complex64)
    plain = method(data, A)
    watched = method(data.clone().requires_grad_(), A)
    assert watched.requires_grad
    assert torch.equal(plain, watched.detach())


@pytest.mark.parametrize("method", [METHODS[0], METHODS[4]])
def test_the_gradient_approaches_that_of_the_exact_minimiser(method: SparseMethod) -> None:
    data = A(IMAGE)
    # Not along the data: there the image only scales, whatever the derivative of the iterations.
    along = direction_like(data, 3) * A.mask
    # No gap is this small: both sides of the difference take exactly as many iterations.
    fine = replace(method, gap=1e-300, max_iterations=2000)
    step = 1e-7 * float(data.norm() / along.norm())
    sides = [fine.solve(data + sign * step * along, A) for sign in (1, -1)]
    assert all(float(side.gap.max()) < 1.5e-6 for side in sides)
    expected = (sides[0].image - sides[1].image) / (2 * step)

    def distance(gap: float) -> float:
        near = replace(method, gap=gap, max_iterations=5000)
        _, tangent = torch.func.jvp(lambda y: near(y, A), (data,), (along,))
        return float((tangent - expected).norm() / expected.norm())

    coarse, close = distance(1e-3), distance(1e-5)
    assert close < 0.05
    assert close < coarse / 3


def test_both_modes_approach_the_derivative_of_soft_thresholding() -> None:
    """Which the minimiser is, with all frequencies sampled and orthogonal wavelets."""
    everything = FourierMap(torch.ones(32, 32))
    data = everything(scene(batch=1))
    along, weights = direction_like(data, 3), direction_like(data, 4)
    expected = torch.from_numpy(soft_thresholding_tangent(data, along, 0.05, 2))

    def distances(gap: float) -> tuple[float, float]:
        method = WaveletL1(strength=0.05, levels=2, values="ri", gap=gap, max_iterations=5000)
        _, pull_back = torch.func.vjp(lambda y: method(y, everything), data)
        _, tangent = torch.func.jvp(lambda y: method(y, everything), (data,), (along,))
        forward = float((tangent - expected).norm() / expected.norm())
        pulled = real_inner(pull_back(weights)[0], along)
        return forward, abs(pulled / real_inner(weights, expected) - 1)

    # At the coarse gap the wavelets that survive are not all known yet; at the fine one they are.
    assert min(distances(1e-3)) > 1e-3
    assert max(distances(1e-11)) < 1e-9


def soft_thresholding_tangent(
    data: Tensor, along: Tensor, strength: float, levels: int
) -> peers.Array:
    """Of real and imaginary parts, at the strength times the root mean square of the image."""
    image, towards = (np.fft.ifft2(t[0].numpy(), norm="ortho") for t in (data, along))
    size = np.sqrt(np.mean(np.abs(image) ** 2))
    threshold = strength * size
    moved = strength * np.mean((image.conj() * towards).real) / size
    c, d = (peers.wavelet_coefficients(t, "db4", levels) for t in (image, towards))
    real, imag = (
        np.where(np.abs(part) > threshold, change - moved * np.sign(part), 0)
        for part, change in ((c.real, d.real), (c.imag, d.imag))
    )
    return peers.wavelet_synthesis(real + 1j * imag, "db4", levels)[None]


@pytest.mark.parametrize("method", [METHODS[0], METHODS[4]])
def test_the_image_has_a_derivative_in_the_strength(method: SparseMethod) -> None:
    data = A(IMAGE)

    def image(strength: Tensor) -> Tensor:
        return method.solve(data, A, strength=strength, n_iterations=60).image

    strength = torch.tensor(0.04, dtype=torch.float64, requires_grad=True)
    output = image(strength)
    weights = direction_like(output, 1)
    (gradient,) = torch.autograd.grad(output, strength, weights)
    with torch.no_grad():
        expected = central_difference(image, strength, torch.ones_like(strength))
    assert float(gradient) == pytest.approx(real_inner(weights, expected), rel=1e-5)


def test_a_second_derivative_is_refused() -> None:
    data = A(IMAGE).requires_grad_()
    loss = METHODS[0](data, A).abs().square().sum()
    (gradient,) = torch.autograd.grad(loss, data, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.abs().square().sum().backward()


def test_zero_data_have_a_finite_gradient() -> None:
    data = torch.zeros(1, 32, 32, dtype=torch.complex128, requires_grad=True)
    (gradient,) = torch.autograd.grad(METHODS[0](data, A).real.sum(), data)
    assert bool(torch.isfinite(gradient).all())
