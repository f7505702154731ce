"""Translation-invariant wavelets: the mean over shifts, invariance, any shape."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from shaketable.sparse import WaveletL1
from shaketable.sparse.penalties import Values, penalty_value, to_planes
from shaketable.sparse.undecimated import undecimated_filters
from tests.helpers.oracles import directional_derivative
from tests.sparse.scenes import lines, scene

METHOD = WaveletL1(strength=0.05, levels=2, wavelet="db2", translation_invariant=True)
CPU = torch.device("cpu")


def value(method: WaveletL1, image: torch.Tensor) -> float:
    """``R(x)`` of one image."""
    planes = to_planes(image, method.values)
    penalty = method.penalty((image.shape[-2], image.shape[-1]), planes.dtype, CPU)
    weights = method.channel_weights(planes.new_ones(1))
    return float(penalty_value(penalty.analyse(planes), penalty.group, weights))


@pytest.mark.parametrize("values", ["complex", "ri", "real"])
@pytest.mark.parametrize("wavelet", ["db2", "db4"])
def test_the_penalty_is_the_mean_over_all_shifts(values: Values, wavelet: str) -> None:
    image = scene((16, 24), batch=1)
    method = replace(METHOD, values=values, wavelet=wavelet)
    decimated = replace(method, translation_invariant=False)
    shifted = [
        value(decimated, torch.roll(image, (i, j), (1, 2))) for i in range(4) for j in range(4)
    ]
    assert value(method, image) == pytest.approx(sum(shifted) / 16, rel=1e-12)
    assert max(shifted) > 1.01 * min(shifted)


@pytest.mark.parametrize("shape", [(32, 32), (31, 18)])
def test_the_frame_is_parseval_and_its_filters_are_real(shape: tuple[int, int]) -> None:
    filters = undecimated_filters(shape, "db4", 3)
    squares = filters.abs().square().sum(0)
    torch.testing.assert_close(squares, torch.ones_like(squares), rtol=0, atol=1e-12)
    assert float(torch.fft.ifft2(filters).imag.abs().max()) < 1e-13


def test_shifting_the_image_shifts_the_solution() -> None:
    image, forward = scene(batch=1), lines()
    solution = METHOD.solve(forward(image), forward)
    assert bool(solution.converged.all())
    for shift in ((1, 0), (3, 5)):
        moved = METHOD(forward(torch.roll(image, shift, (1, 2))), forward)
        torch.testing.assert_close(
            moved, torch.roll(solution.image, shift, (1, 2)), rtol=0, atol=1e-9
        )


def test_the_gap_bounds_the_distance_to_a_long_run_on_any_shape() -> None:
    forward = lines((31, 18))
    data = forward(scene((31, 18)))
    solution = METHOD.solve(data, forward)
    best = replace(METHOD, gap=1e-4, max_iterations=5000).solve(data, forward)
    excess = (solution.objective - best.objective) / solution.objective
    assert bool(best.converged.all())
    assert bool((excess <= solution.gap).all())
    assert bool((excess >= -best.gap).all())


def test_the_derivative_agrees_with_finite_differences() -> None:
    forward = lines((16, 16), 0.5)
    data = forward(scene((16, 16), batch=1))
    along = forward(scene((16, 16), batch=1, noise=1.0))
    expected = directional_derivative(lambda y: METHOD(y, forward), data, along, step=1e-8)
    leaf = data.clone().requires_grad_()
    weights = scene((16, 16), batch=1, noise=2.0)
    (gradient,) = torch.autograd.grad(METHOD(leaf, forward), leaf, weights)
    pulled = float((gradient.conj() * along).real.sum())
    assert pulled == pytest.approx(float((weights.conj() * expected).real.sum()), rel=1e-5)


def test_the_record_says_so() -> None:
    record = WaveletL1(translation_invariant=True).describe()
    assert "mean over all shifts" in str(record["penalty"])
