"""The objective at the end against solvers that share no code with ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from shaketable.maps import FourierMap
from shaketable.sparse import Solution, SparseMethod, TotalVariation, WaveletL1
from shaketable.sparse.penalties import Values
from tests.sparse import peers
from tests.sparse.scenes import lines, scene

A = lines()
DATA = A(scene(batch=1))
Y = DATA[0].numpy()
MASK = A.mask.numpy()


def solved(method: SparseMethod) -> tuple[Solution, float]:
    solution = method.solve(DATA, A)
    assert bool(solution.converged.all())
    return solution, float(solution.strength)


def test_total_variation_reaches_the_objective_of_the_primal_dual_method() -> None:
    solution, strength = solved(TotalVariation(strength=0.05, gap=1e-5, max_iterations=5000))
    other = peers.chambolle_pock(Y, MASK, strength, 3000)
    other_value = peers.data_objective(other, Y, MASK) + strength * peers.variation(other)
    assert float(solution.objective) == pytest.approx(other_value, rel=1e-4)
    ours = solution.image[0].numpy()
    value = peers.data_objective(ours, Y, MASK) + strength * peers.variation(ours)
    assert float(solution.objective) == pytest.approx(value, rel=1e-10)


def test_wavelet_l1_reaches_the_objective_of_accelerated_proximal_gradients() -> None:
    method = WaveletL1(strength=0.05, levels=2, gap=1e-5, max_iterations=5000)
    solution, strength = solved(method)
    other = peers.fista(Y, MASK, strength, "db4", 2, 800)

    def value(image: peers.Array) -> float:
        size = np.abs(peers.wavelet_coefficients(image, "db4", 2)).sum()
        return peers.data_objective(image, Y, MASK) + strength * float(size)

    assert float(solution.objective) == pytest.approx(value(other), rel=2e-5)
    assert float(solution.objective) == pytest.approx(value(solution.image[0].numpy()), rel=1e-10)


@pytest.mark.filterwarnings("ignore")
def test_anisotropic_total_variation_reaches_the_objective_of_sigpy() -> None:
    method = TotalVariation(strength=0.05, gap=1e-5, isotropic=False, max_iterations=5000)
    solution, strength = solved(method)
    other = peers.sigpy_anisotropic(Y, MASK, strength, 1000)
    penalty = strength * peers.variation(other, isotropic=False)
    other_value = peers.data_objective(other, Y, MASK) + penalty
    assert float(solution.objective) == pytest.approx(other_value, rel=1e-3)


def test_total_variation_reaches_the_objective_of_bart(tmp_path: Path) -> None:
    # BART takes backward differences: on the mirrored image they are our forward ones.
    mirrored = torch.roll(DATA.flip(1, 2), (1, 1), (1, 2))
    mirrored_map = FourierMap(torch.roll(A.mask.flip(0, 1), (1, 1), (0, 1)))
    solution = TotalVariation(strength=0.05, gap=1e-5, max_iterations=5000).solve(
        mirrored, mirrored_map
    )
    strength = float(solution.strength)
    other = peers.bart_total_variation(Y, MASK, strength, tmp_path, 1000)
    other = np.roll(other[::-1, ::-1], (1, 1), (0, 1))
    y, mask = mirrored[0].numpy(), mirrored_map.mask.numpy()
    value = peers.data_objective(other, y, mask) + strength * peers.variation(other)
    assert float(solution.objective) == pytest.approx(value, rel=1e-3)
    difference = np.linalg.norm(other - solution.image[0].numpy())
    assert difference <= 1e-2 * np.linalg.norm(other)


@pytest.mark.parametrize("values", ["ri", "real"])
def test_total_variation_of_other_values_reaches_the_objective_of_the_primal_dual_method(
    values: Values,
) -> None:
    method = TotalVariation(strength=0.05, gap=1e-5, values=values, max_iterations=8000)
    solution, strength = solved(method)
    ours = solution.image[0].numpy().astype(complex)
    other = peers.chambolle_pock(Y, MASK, strength, 6000, values)

    def value(image: peers.Array) -> float:
        penalty = strength * peers.variation(image, values="ri")
        return peers.data_objective(image, Y, MASK) + penalty

    assert float(solution.objective) == pytest.approx(value(ours), rel=1e-10)
    assert value(ours) == pytest.approx(value(other), rel=1e-4)
    assert np.linalg.norm(ours - other) <= 1e-2 * np.linalg.norm(other)


@pytest.mark.parametrize("values", ["ri", "real"])
def test_wavelet_l1_of_other_values_reaches_the_objective_of_accelerated_proximal_gradients(
    values: Values,
) -> None:
    method = WaveletL1(strength=0.05, levels=2, gap=1e-5, values=values, max_iterations=5000)
    solution, strength = solved(method)
    ours = solution.image[0].numpy().astype(complex)
    other = peers.fista(Y, MASK, strength, "db4", 2, 800, values)

    def value(image: peers.Array) -> float:
        c = peers.wavelet_coefficients(image, "db4", 2)
        size = float(np.abs(c.real).sum() + np.abs(c.imag).sum())
        return peers.data_objective(image, Y, MASK) + strength * size

    assert float(solution.objective) == pytest.approx(value(ours), rel=1e-10)
    assert value(ours) == pytest.approx(value(other), rel=2e-5)
    assert np.linalg.norm(ours - other) <= 1e-2 * np.linalg.norm(other)
