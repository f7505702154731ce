"""The margin on reconstructors whose damage at every radius is known."""

import math

import pytest
import torch

from shaketable import Budget, FourierMap, Problem, Search, stability_margin
from shaketable.errors import InputError
from shaketable.search import psnr_drop, relative_change

QUICK = Search(budget=Budget(n_gradients=20))
A = FourierMap(torch.ones(8, 8))


def threshold(gains: torch.Tensor) -> Problem:
    """Stable up to a distance from the image of ones, beyond it the excess is amplified 100 times."""

    def reconstruct(y, A):
        x = A.adjoint(y)
        d = x - 1
        norm = d.flatten(1).norm(dim=1).clamp_min(1e-12)[:, None, None]
        excess = (norm - gains.to(norm)[: len(norm), None, None]).clamp_min(0)
        return x + 100 * excess * d / norm

    return Problem(forward=A, reconstruct=reconstruct)


def test_relative_change_is_bracketed_to_the_bisection():
    problem = Problem(forward=A, reconstruct=lambda y, A: 3 * A.adjoint(y))
    margin = stability_margin(
        problem, torch.rand(2, 8, 8) + 1, relative_change, 0.05, radii=(0.01, 0.1), search=QUICK
    )
    assert bool((margin.radius >= 0.05 * (1 - 1e-4)).all())
    assert bool((margin.radius <= 0.05 * 10 ** (1 / 16) * (1 + 1e-4)).all())
    assert bool((margin.below < margin.radius).all())
    shown = relative_change(3 * (1 + margin.perturbation), 3 * torch.ones(2, 8, 8), None)
    assert shown.shape == (2,)


def test_every_image_has_its_own_margin_and_one_without_damage_has_none():
    images = torch.ones(2, 8, 8)
    problem = threshold(torch.tensor([0.2, 50.0]))  # norms are 8: radii 0.025 and beyond reach
    margin = stability_margin(
        problem, images, relative_change, 0.2, radii=(0.01, 0.04, 0.16), search=QUICK,
        n_bisections=6,
    )  # fmt: skip
    # 0.2 of the norm 8 is 1.6 = n + 100 (n - 0.2) with n = 21.6 / 101
    assert float(margin.radius[0]) == pytest.approx(21.6 / 101 / 8, rel=0.03)
    assert float(margin.radius[1]) == torch.inf
    assert float(margin.below[1]) == pytest.approx(0.16)
    assert not bool(margin.perturbation[1].any())
    assert int(margin.n_gradients[0]) > int(margin.n_gradients[1])


def test_psnr_drop_and_own_functions_are_measures():
    problem = Problem(forward=A, reconstruct=lambda y, A: 0.9 * A.adjoint(y))
    image = torch.rand(1, 8, 8) + 1
    drop = stability_margin(problem, image, psnr_drop, 1.0, radii=(0.001, 0.3), search=QUICK)
    assert 0.001 < float(drop.radius) < 0.3
    mine = stability_margin(
        problem, image, lambda output, clean, truth: (output - clean).abs().flatten(1).amax(1),
        0.01, radii=(0.0001, 0.3), search=QUICK,
    )  # fmt: skip
    assert 0.0001 < float(mine.radius) < 0.3


def test_damage_at_the_smallest_radius_is_searched_below_it():
    problem = Problem(forward=A, reconstruct=lambda y, A: 3 * A.adjoint(y))
    margin = stability_margin(
        problem, torch.rand(1, 8, 8) + 1, relative_change, 0.01, radii=(0.1, 0.2), search=QUICK,
        n_bisections=8,
    )  # fmt: skip
    assert float(margin.radius) == pytest.approx(0.01, rel=0.2)


@pytest.mark.parametrize("returned", [torch.ones(()), torch.ones(3), 1.0, torch.ones(1) * 1j])
def test_a_damage_of_another_shape_is_refused(returned):
    problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=lambda y, A: A.adjoint(y))
    search = Search(budget=Budget(n_gradients=1))
    with pytest.raises(InputError, match="one real damage per image"):
        stability_margin(problem, torch.ones(1, 8, 8), lambda *_: returned, 1.0, search=search)


@pytest.mark.parametrize("at_least", [0.0, -1.0, math.nan, math.inf])
def test_a_damage_that_says_nothing_is_refused(at_least):
    problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=lambda y, A: A.adjoint(y))
    with pytest.raises(InputError, match="at_least"):
        stability_margin(problem, torch.ones(1, 8, 8), psnr_drop, at_least)


def test_negative_bisections_are_refused():
    problem = Problem(forward=A, reconstruct=lambda y, A: A.adjoint(y))
    with pytest.raises(InputError, match="n_bisections"):
        stability_margin(problem, torch.ones(1, 8, 8), psnr_drop, 1.0, n_bisections=-1)
