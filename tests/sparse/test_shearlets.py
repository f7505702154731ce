"""The shearlet system: frame bounds, symmetry, directions; the methods that use it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from shaketable.errors import InputError
from shaketable.maps import FourierMap
from shaketable.metrics import psnr
from shaketable.sparse import (
    ReweightedShearlets,
    Shearlets,
    SparseMethod,
    TotalGeneralizedVariation,
    TotalVariation,
)
from shaketable.sparse.shearlets import CT_LEVELS, MRI_LEVELS, shearlet_bank, shearlet_filters
from tests.helpers.oracles import directional_derivative
from tests.sparse.scenes import lines, scene

A = lines()
CPU = torch.device("cpu")
METHODS: list[SparseMethod] = [
    Shearlets(strength=0.05, levels=(0, 1)),
    Shearlets(strength=0.05, levels=(0, 1), values="real"),
    ReweightedShearlets(strength=0.02, levels=(0, 1), n_reweightings=1),
    ReweightedShearlets(strength=0.02, levels=(0, 1), n_reweightings=1, variation="tv"),
    ReweightedShearlets(strength=0.02, levels=(0, 1), n_reweightings=1, values="ri"),
]
every_method = pytest.mark.parametrize("method", METHODS)


@pytest.mark.parametrize("shape", [(32, 32), (31, 40), (64, 48)])
@pytest.mark.parametrize("levels", [MRI_LEVELS, CT_LEVELS, (0,)])
def test_both_frame_bounds_are_one(shape: tuple[int, int], levels: tuple[int, ...]) -> None:
    filters = shearlet_filters(shape, levels)
    assert len(filters) == 1 + sum(4 * 2**level for level in levels)
    squares = filters.square().sum(0)
    torch.testing.assert_close(squares, torch.ones_like(squares), rtol=0, atol=1e-12)


def test_filters_are_real_in_image_space_and_only_constants_are_free() -> None:
    filters = shearlet_filters((32, 30), MRI_LEVELS)
    assert float(torch.fft.ifft2(filters).imag.abs().max()) < 1e-12
    free = filters[1:].square().sum(0) < 1e-6
    assert int(free.sum()) == 1
    assert bool(free[0, 0])


def test_a_wave_is_seen_by_the_wedge_of_its_direction() -> None:
    filters = shearlet_filters((64, 64), (2,))
    for row, column, wedge in ((0, 24, 0), (12, 24, 2), (24, 24, 4), (24, 0, 8), (-24, 24, 12)):
        assert int(filters[1:, row, column].argmax()) == wedge
        assert float(filters[1 + wedge, row, column]) > 0.99


@pytest.mark.parametrize("n_planes", [1, 2])
def test_the_adjoint_is_one(n_planes: int) -> None:
    bank = shearlet_bank((32, 30), MRI_LEVELS, torch.float64, CPU, join_parts=True)
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(2, n_planes, 32, 30, dtype=torch.float64, generator=generator)
    coefficients = bank.analyse(image)
    other = torch.randn(coefficients.shape, dtype=torch.float64, generator=generator)
    torch.testing.assert_close((coefficients * other).sum(), (image * bank.adjoint(other)).sum())


@every_method
def test_certificates_and_scaling(method: SparseMethod) -> None:
    data = A(scene())
    solution = method.solve(data, A)
    assert bool(solution.converged.all())
    scaled = method.solve(1e4 * data, A)
    torch.testing.assert_close(scaled.image / 1e4, solution.image, rtol=1e-7, atol=1e-9)
    alone = method.solve(data[1:], A)
    torch.testing.assert_close(alone.image, solution.image[1:], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("method", METHODS[:2])
def test_the_gap_bounds_the_distance_to_a_long_run(method: SparseMethod) -> None:
    data = A(scene())
    solution = method.solve(data, A)
    best = replace(method, gap=1e-4, max_iterations=3000).solve(data, A)
    excess = (solution.objective - best.objective) / solution.objective
    assert bool((excess <= solution.gap).all())
    assert bool((excess >= -best.gap).all())


@every_method
def test_derivatives_pass_through_the_weights(method: SparseMethod) -> None:
    data = A(scene(batch=1))
    generator = torch.Generator().manual_seed(1)
    along = torch.randn(data.shape, dtype=data.dtype, generator=generator) * A.mask
    expected = directional_derivative(lambda y: method(y, A), data, along, step=1e-8)
    leaf = data.clone().requires_grad_()
    image = method(leaf, A)
    weights = torch.randn(image.shape, dtype=image.dtype, generator=generator)
    (gradient,) = torch.autograd.grad(image, leaf, weights)
    pulled = float((gradient.conj() * along).real.sum())
    assert pulled == pytest.approx(float((weights.conj() * expected).real.sum()), rel=1e-3)


def test_reweighting_improves_on_the_unweighted_problem_and_bears_noise() -> None:
    image = scene(batch=1, noise=0.0)
    forward = A
    data = forward(image)
    method = ReweightedShearlets(strength=2e-3, levels=(0, 1))
    plain = replace(method, n_reweightings=0, share=1.0)
    assert float(psnr(method(data, forward), image)) > float(psnr(plain(data, forward), image))
    generator = torch.Generator().manual_seed(2)
    noise = torch.randn(data.shape, dtype=data.dtype, generator=generator) * forward.mask
    noise = noise * 0.02 * data.norm() / noise.norm()
    moved = method(data + noise, forward) - method(data, forward)
    assert float(moved.norm()) < 3 * float(noise.norm())


def test_a_number_of_iterations_is_that_of_every_reweighted_problem() -> None:
    data = A(scene(batch=1))
    method = ReweightedShearlets(strength=0.02, levels=(0, 1), n_reweightings=1, gap=1e-9)
    few, many = (method.solve(data, A, n_iterations=count) for count in (7, 400))
    assert few.n_iterations.tolist() == [7]
    # Which no problem reaches its gap with, so that the limit cuts both short alike.
    stopped = replace(method, max_iterations=7).solve(data, A)
    assert torch.equal(few.image, stopped.image)
    assert float((few.image - many.image).norm() / many.image.norm()) > 1e-3


def test_a_list_of_levels_will_do() -> None:
    assert Shearlets(levels=[0, 1]) == Shearlets(levels=(0, 1))  # type: ignore[arg-type]


def test_wrong_settings_are_refused() -> None:
    for levels in ((), (-1,), (9,), (0.5,), 2, "01", None):
        with pytest.raises(InputError, match="shear levels"):
            Shearlets(levels=levels)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="share to be a finite number of at least 1e-06"):
        ReweightedShearlets(share=0.0)
    with pytest.raises(InputError, match="n_reweightings"):
        ReweightedShearlets(n_reweightings=-1)
    with pytest.raises(InputError, match="variation to be 'tgv' or 'tv', got 2"):
        ReweightedShearlets(variation=2)  # type: ignore[arg-type]
    with pytest.raises(
        InputError, match=r"balance to be a finite number of at least 1e-06 .* got None"
    ):
        TotalGeneralizedVariation(balance=None)  # type: ignore[arg-type]


def test_full_sampling_returns_the_image() -> None:
    image = scene(batch=1)
    forward = FourierMap(torch.ones(32, 32))
    for method in (Shearlets(strength=1e-7), TotalVariation(strength=1e-7)):
        torch.testing.assert_close(method(forward(image), forward), image, rtol=0, atol=1e-5)
