"""The constrained form: residual, certificate, derivative."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch.autograd import forward_ad

from shaketable.errors import InputError, ShapeError
from shaketable.maps import FourierMap, MultiCoilFourierMap, RadonMap, birdcage_coils
from shaketable.protocols import ForwardMap
from shaketable.sparse import (
    AtNoiseLevel,
    BasisPursuitDenoising,
    NotConvergedWarning,
    ReweightedShearlets,
    Shearlets,
    SparseMethod,
    TotalGeneralizedVariation,
    TotalVariation,
    WaveletL1,
)
from tests.helpers.oracles import directional_derivative
from tests.sparse.scenes import lines, scene

A = lines()
DATA = A(scene())
SMALL = lines((16, 16), 0.5)
MAPS: dict[str, ForwardMap] = {
    "fourier": SMALL,
    "coils": MultiCoilFourierMap(SMALL.mask, birdcage_coils(4, (16, 16))),
    "radon": RadonMap(torch.arange(7) * math.pi / 7, (16, 16)),
}
METHODS = [
    AtNoiseLevel(method=TotalVariation(), noise=0.05),
    AtNoiseLevel(method=WaveletL1(levels=2, values="ri"), noise=0.05),
]


@pytest.mark.parametrize("method", METHODS)
def test_the_residual_is_the_noise_level_and_no_tighter_bound_is_beaten(
    method: AtNoiseLevel,
) -> None:
    solution = method.solve(DATA, A)
    assert bool(solution.converged.all())
    residual = (A(solution.image) - DATA).flatten(1).norm(dim=1) / DATA.flatten(1).norm(dim=1)
    assert bool((residual <= 0.05 * (1 + 1e-4)).all())
    assert bool((residual >= 0.05 * (1 - 1e-3)).all())
    finer = AtNoiseLevel(method=method.method, noise=0.05, gap=2e-3).solve(DATA, A)
    excess = (solution.objective - finer.objective) / solution.objective
    assert bool((excess <= solution.gap).all())
    assert bool((excess >= -finer.gap).all())


def test_scaling_and_the_batch_do_not_matter() -> None:
    image = METHODS[0](DATA, A)
    torch.testing.assert_close(METHODS[0](100 * DATA, A) / 100, image, rtol=1e-6, atol=1e-8)
    assert torch.equal(METHODS[0](DATA[1:], A), image[1:])


@pytest.mark.parametrize("method", METHODS)
def test_the_derivative_keeps_the_residual_at_the_noise_level(method: AtNoiseLevel) -> None:
    """The relative residual is constant in the data; at a fixed strength it is not."""
    sizes = []
    penalised = replace(method.method, strength=0.1)
    for reconstruct in (method, penalised):
        leaf = DATA[:1].clone().requires_grad_()
        image = reconstruct.solve(leaf, A).image
        residual = (A(image) - leaf).norm() / leaf.norm()
        (gradient,) = torch.autograd.grad(residual, leaf)
        sizes.append(float(gradient.norm()))
    assert sizes[0] < 1e-6 * sizes[1]


@pytest.mark.parametrize(
    ("method", "name"),
    [
        (METHODS[0], "fourier"),
        (METHODS[1], "fourier"),
        (AtNoiseLevel(method=TotalVariation(values="real"), noise=0.05), "radon"),
        (AtNoiseLevel(method=TotalGeneralizedVariation(), noise=0.1), "fourier"),
        (BasisPursuitDenoising(noise=0.1, levels=2), "coils"),
    ],
)
def test_the_derivative_agrees_with_finite_differences(
    method: AtNoiseLevel | BasisPursuitDenoising, name: str
) -> None:
    """The strength follows the data; what is compared is the whole chain, search included."""
    image = scene((16, 16), batch=1)
    forward = MAPS[name]
    data = forward(image.real if name == "radon" else image)
    generator = torch.Generator().manual_seed(1)
    along = torch.randn(data.shape, dtype=data.dtype, generator=generator)
    if forward.sampled is not None:
        along = along * forward.sampled
    expected = directional_derivative(lambda y: method(y, forward), data, along, step=1e-7)
    leaf = data.clone().requires_grad_()
    output = method(leaf, forward)
    weights = torch.randn(output.shape, dtype=output.dtype, generator=generator)
    (gradient,) = torch.autograd.grad(output, leaf, weights)
    pulled = float((gradient.conj() * along).real.sum())
    assert pulled == pytest.approx(float((weights.conj() * expected).real.sum()), rel=1e-4)


def test_basis_pursuit_denoising_is_the_constrained_wavelet_problem() -> None:
    method = BasisPursuitDenoising(noise=0.05, levels=2)
    other = AtNoiseLevel(method=WaveletL1(wavelet="db2", levels=2), noise=0.05)
    assert torch.equal(method(DATA, A), other(DATA, A))
    assert method.describe()["name"] == "basis-pursuit-denoising"


def test_what_cannot_be_reached_is_said() -> None:
    method = BasisPursuitDenoising(noise=0.05, levels=2, max_iterations=2)
    with pytest.warns(NotConvergedWarning, match="noise level"):
        method(DATA, A)


def test_data_of_zeros_give_an_image_of_zeros() -> None:
    solution = METHODS[0].solve(0 * DATA[:1], A)
    assert bool(solution.converged.all())
    assert not bool(solution.image.any())


def test_single_precision_ends_at_the_noise_level_too() -> None:
    data = DATA.to(torch.complex64)
    solution = METHODS[0].solve(data, A)
    assert bool(solution.converged.all())
    residual = (A(solution.image) - data).flatten(1).norm(dim=1) / data.flatten(1).norm(dim=1)
    assert bool(((residual / 0.05 - 1).abs() < 1e-4).all())


def test_wrong_settings_are_refused() -> None:
    for noise in (0.0, 1, float("nan"), "2 %"):
        with pytest.raises(InputError, match="noise to be a finite number above 0 and below 1"):
            BasisPursuitDenoising(noise=noise)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="convex"):
        AtNoiseLevel(method=ReweightedShearlets(), noise=0.1)


FLAT = (1 + 0.2 * scene((16, 16))).to(torch.complex64)


@pytest.mark.parametrize("method", [TotalVariation(), TotalGeneralizedVariation(), Shearlets()])
def test_where_constant_images_fit_well_enough_one_is_returned(method: SparseMethod) -> None:
    data = SMALL(FLAT)
    constrained = AtNoiseLevel(method=method, noise=0.5)
    solution = constrained.solve(data, SMALL)
    assert bool(solution.converged.all())
    mean = solution.image.mean((1, 2), keepdim=True)
    assert float((solution.image - mean).norm() / mean.norm()) < 1e-5
    # Nothing is below it, and the image fits: that is the proof.
    assert bool((solution.objective == 0).all())
    assert bool((solution.gap == 0).all())
    residual = (SMALL(solution.image) - data).norm() / data.norm()
    assert float(residual) <= 0.5
    leaf = data.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(constrained(leaf, SMALL).abs().sum(), leaf)
    assert bool(torch.isfinite(gradient).all())


def test_no_strength_that_is_large_enough_is_no_proof() -> None:
    # With so small a balance slopes are free, and 0.11 x is eleven times flatter than what is found.
    method = TotalGeneralizedVariation(balance=1e-5, max_iterations=200)
    image = scene((16, 16), batch=1)
    forward = FourierMap(torch.ones(16, 16))
    data = forward(image - image.mean())  # no constant fits
    solution = AtNoiseLevel(method=method, noise=0.9).solve(data, forward)
    assert not bool(solution.converged.any())
    assert bool((solution.gap > 0.89).all())


@pytest.mark.parametrize("exponent", [-80, -66, 66, 80])
def test_powers_of_two_scale_the_result_exactly_even_far_out(exponent: int) -> None:
    data, factor = SMALL(FLAT), 2.0**exponent
    near, far = (METHODS[0].solve(f * data, SMALL) for f in (1.0, factor))
    assert torch.equal(far.image, near.image * factor)
    assert torch.equal(far.gap, near.gap)
    assert torch.equal(far.strength, near.strength * factor)


def test_unsampled_positions_are_ignored() -> None:
    littered = torch.where(A.mask, DATA, 7 + 3j)
    clean, other = METHODS[0].solve(DATA, A), METHODS[0].solve(littered, A)
    for name in ("image", "gap", "objective", "strength", "converged"):
        assert torch.equal(getattr(other, name), getattr(clean, name))


@pytest.mark.parametrize("method", METHODS)
def test_forward_mode_follows_the_strength(method: AtNoiseLevel) -> None:
    data, forward = SMALL(scene((16, 16))), SMALL
    generator = torch.Generator().manual_seed(1)
    along = torch.randn(data.shape, dtype=data.dtype, generator=generator) * SMALL.mask
    expected = directional_derivative(lambda y: method(y, forward), data, along, step=1e-6)
    _, tangent = torch.func.jvp(lambda y: method(y, forward), (data,), (along,))
    assert float((tangent - expected).norm() / expected.norm()) < 1e-5
    with torch.no_grad(), forward_ad.dual_level():
        dual = forward_ad.make_dual(data, along)
        pushed = forward_ad.unpack_dual(method(dual, forward)).tangent
    torch.testing.assert_close(pushed, tangent, rtol=1e-7, atol=1e-9)


def test_reverse_mode_of_torch_func_is_that_of_autograd() -> None:
    data, method = SMALL(scene((16, 16))), METHODS[0]
    leaf = data.clone().requires_grad_()
    image = method(leaf, SMALL)
    (expected,) = torch.autograd.grad(image, leaf, image.detach())
    _, pull = torch.func.vjp(lambda y: method(y, SMALL), data)
    torch.testing.assert_close(pull(image.detach())[0], expected, rtol=1e-7, atol=1e-9)


def test_only_convex_sparse_methods_and_batches_are_taken() -> None:
    with pytest.raises(InputError, match="BasisPursuitDenoising"):
        AtNoiseLevel(method=BasisPursuitDenoising(), noise=0.1)  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="got a batch of 0"):
        METHODS[0].solve(DATA[:0], A)
