"""Transforms against their definitions, proximal operators against brute force."""

from __future__ import annotations

import numpy as np
import pytest
import pywt
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from torch import Tensor

from shaketable.errors import InputError
from shaketable.sparse.penalties import (
    Penalty,
    dual_norm,
    magnitude,
    penalty_value,
    project_to_ball,
    shrink,
    shrink_derivative,
    to_complex,
)
from shaketable.sparse.total_variation import PeriodicDifferences, group_axes
from shaketable.sparse.wavelet_l1 import WaveletPenalty
from shaketable.sparse.wavelets import level_matrix, wavelet_transform

CPU = torch.device("cpu")
GROUPS = [(1, 2), (1,), (2,), ()]


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def penalties() -> list[Penalty]:
    shape = (24, 16)
    return [
        PeriodicDifferences.create(shape, (1, 2), torch.float64, CPU),
        WaveletPenalty(
            group=(2,),
            eigenvalues=torch.ones(shape, dtype=torch.float64),
            transform=wavelet_transform(shape, "db4", 3, torch.float64, CPU),
        ),
    ]


@pytest.mark.parametrize("index", [0, 1])
def test_adjoint_and_eigenvalues(index: int) -> None:
    penalty = penalties()[index]
    image = random(2, 2, 24, 16)
    coefficients = penalty.analyse(image)
    other = random(*coefficients.shape, seed=1)
    back = penalty.adjoint(other)
    assert back.shape == image.shape
    torch.testing.assert_close((coefficients * other).sum(), (image * back).sum())
    normal = to_complex(penalty.adjoint(coefficients))
    spectrum = torch.fft.fft2(to_complex(image)) * penalty.eigenvalues
    torch.testing.assert_close(normal, torch.fft.ifft2(spectrum))


@pytest.mark.parametrize("group", GROUPS)
def test_shrink_minimises_its_objective(group: tuple[int, ...]) -> None:
    point = random(1, 2, 2, 1, 1)
    threshold = 0.7

    def objective(flat: np.ndarray) -> float:
        candidate = torch.from_numpy(flat).reshape(point.shape)
        distance = 0.5 * float((candidate - point).square().sum())
        return distance + threshold * float(penalty_value(candidate, group))

    value = objective(shrink(point, threshold, group).numpy().ravel())
    for seed in range(4):
        start = random(4, seed=seed).numpy()
        found = minimize(objective, start, method="Powell", options={"xtol": 1e-9, "ftol": 1e-14})
        assert value <= found.fun + 1e-12
        assert value == pytest.approx(found.fun, rel=1e-5)


@pytest.mark.parametrize("group", GROUPS)
@given(seed=st.integers(0, 1000), threshold=st.floats(1e-3, 3))
@settings(max_examples=20, deadline=None)
def test_moreau_and_dual_ball(group: tuple[int, ...], seed: int, threshold: float) -> None:
    v = random(2, 2, 2, 3, 3, seed=seed)
    inside = project_to_ball(v, threshold, group)
    torch.testing.assert_close(shrink(v, threshold, group) + inside, v)
    assert bool((dual_norm(inside, group) <= threshold * (1 + 1e-12)).all())
    pairing = (v * inside).flatten(1).sum(1)
    assert bool((pairing <= threshold * penalty_value(v, group) * (1 + 1e-12)).all())


@pytest.mark.parametrize("group", GROUPS)
def test_shrink_derivative_is_the_derivative_and_symmetric(group: tuple[int, ...]) -> None:
    v, direction, other = (random(1, 2, 2, 4, 4, seed=seed) for seed in range(3))
    step = 1e-6
    difference = shrink(v + step * direction, 0.9, group) - shrink(v - step * direction, 0.9, group)
    exact = shrink_derivative(v, direction, 0.9, group)
    torch.testing.assert_close(difference / (2 * step), exact, rtol=1e-6, atol=1e-8)
    swapped = shrink_derivative(v, other, 0.9, group)
    torch.testing.assert_close((exact * other).sum(), (swapped * direction).sum())


def test_magnitude_joins_the_axes_it_is_told_to() -> None:
    v = torch.tensor([3.0, 4.0, 0.0, 12.0]).reshape(1, 2, 2, 1, 1)
    assert magnitude(v, (1, 2)).flatten().tolist() == [13.0]
    assert magnitude(v, (2,)).flatten().tolist() == [5.0, 12.0]
    assert magnitude(v, (1,)).flatten().tolist() == pytest.approx([3.0, np.sqrt(160)])
    assert magnitude(v, ()).flatten().tolist() == [3.0, 4.0, 0.0, 12.0]
    assert group_axes("complex", True) == (1, 2)
    assert group_axes("real", True) == group_axes("ri", True) == (1,)


@pytest.mark.filterwarnings("ignore:Level value of")
@pytest.mark.parametrize("wavelet", ["db1", "db2", "db4", "sym5", "coif2"])
@pytest.mark.parametrize("shape", [(128, 96), (48, 256), (80, 80), (16, 32)])
def test_transform_agrees_with_pywavelets(wavelet: str, shape: tuple[int, int]) -> None:
    levels = 3
    transform = wavelet_transform(shape, wavelet, levels, torch.float64, CPU)
    image = random(2, 2, *shape)
    coefficients = transform.analyse(image)
    expected = pywt.wavedec2(image.numpy(), wavelet, "periodization", levels, axes=(-2, -1))
    stacked = pywt.coeffs_to_array(expected, axes=(-2, -1))[0]
    np.testing.assert_allclose(coefficients.numpy(), stacked, atol=1e-11)
    torch.testing.assert_close(transform.synthesise(coefficients), image, atol=1e-11, rtol=0)


@pytest.mark.parametrize("length", [2, 6, 8, 30])
def test_levels_are_orthogonal_even_where_the_filter_wraps(length: int) -> None:
    matrix = level_matrix(length, "db4")
    identity = torch.eye(length, dtype=torch.float64)
    torch.testing.assert_close(matrix @ matrix.T, identity, atol=1e-11, rtol=0)


@pytest.mark.parametrize(
    ("shape", "levels", "advice"),
    [((230, 180), 4, "224 x 176, use levels=1"), ((65, 64), 3, "64 x 64, or"), ((8, 8), 4, "16")],
)
def test_impossible_shapes_are_refused_with_advice(
    shape: tuple[int, int], levels: int, advice: str
) -> None:
    with pytest.raises(InputError, match=advice):
        wavelet_transform(shape, "db4", levels, torch.float64, CPU)
