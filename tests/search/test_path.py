"""Paths over radii: what they find, what they spend, what an interrupt leaves."""

import math

import pytest
import torch

from shaketable import Budget, FourierMap, Problem, Search, worst_case, worst_case_path
from shaketable.search import Status
from shaketable.search.local import COST

A = FourierMap(torch.ones(8, 8))
QUICK = Search(budget=Budget(n_gradients=20))
LONG = Search(budget=Budget(n_gradients=100))


def test_one_radius_is_a_worst_case():
    problem = Problem(forward=A, reconstruct=lambda y, A: A.adjoint(y) ** 2)
    image = torch.rand(2, 8, 8)
    (path,) = worst_case_path(problem, image, radii=(0.05,), search=LONG, seed=3)
    alone = worst_case(problem, image, radius=0.05, search=LONG, seed=3)
    assert torch.equal(path.perturbation, alone.perturbation)
    assert torch.equal(path.n_gradients, alone.n_gradients)


@pytest.mark.parametrize("search", [QUICK, LONG])
def test_the_way_back_improves_a_path_that_went_wrong_on_the_way_up(search):
    """At small radii a weak direction is best, at large ones a strong one with a dead zone."""

    def reconstruct(y, A):
        x = A.adjoint(y).real - 1
        strong = x[:, 0, 0]
        beyond = torch.sign(strong) * (strong.abs() - 0.05).clamp_min(0) * 40
        output = 3 * x
        return torch.cat(
            [(output[:, :1, :1] + beyond[:, None, None]), output[:, :1, 1:]], 2
        ).expand_as(x)

    problem = Problem(forward=A, reconstruct=reconstruct, real=True)
    radii = (0.02, 0.05, 0.2)
    path = worst_case_path(problem, torch.ones(1, 8, 8), radii=radii, search=search)
    errors = [float(finding.error) for finding in path]
    assert errors == sorted(errors)
    spent = [int(finding.n_gradients) for finding in path]
    assert sum(spent) <= len(radii) * search.budget.n_gradients
    if search is QUICK:  # no auxiliary stages that a radius could be charged with
        assert max(spent) <= 20


def test_path_grows_and_every_finding_is_on_its_radius():
    problem = Problem(forward=FourierMap(torch.eye(12)), reconstruct=lambda y, A: A.adjoint(y) ** 2)
    image = torch.rand(1, 12, 12)
    path = worst_case_path(problem, image, radii=(0.01, 0.02, 0.05))
    errors = [float(finding.error) for finding in path]
    assert errors == sorted(errors)
    norm = float(image.norm())
    for finding, radius in zip(path, (0.01, 0.02, 0.05), strict=True):
        assert math.isclose(float(finding.perturbation_norm), radius * norm, rel_tol=1e-4)


def test_nothing_beyond_the_largest_radius_counts():
    """Outside the ball the network breaks; a path may go there and must not say so."""

    def reconstruct(y, A):
        x = A.adjoint(y).real
        far = (x - 1).flatten(1).norm(dim=1) > 0.1 * 8 * 1.01
        return torch.where(far[:, None, None], torch.nan, x * 2)

    problem = Problem(forward=A, reconstruct=reconstruct, real=True)
    path = worst_case_path(problem, torch.ones(1, 8, 8), radii=(0.05, 0.1), search=LONG)
    assert [finding.status for finding in path] == [(Status.FOUND,), (Status.FOUND,)]
    for finding, radius in zip(path, (0.05, 0.1), strict=True):
        assert math.isclose(float(finding.error), 2 * radius * 8, rel_tol=1e-3)


def test_every_gradient_is_counted_auxiliary_radii_included():
    asked = 0

    def reconstruct(y, A):
        nonlocal asked
        asked += torch.is_grad_enabled()
        return A.adjoint(y).abs() ** 2

    problem = Problem(forward=A, reconstruct=reconstruct)
    search = Search(budget=Budget(n_gradients=100, plateau=0), local_start=False)
    path = worst_case_path(problem, torch.rand(1, 8, 8), radii=(0.1, 0.2, 0.4), search=search)
    assert sum(int(finding.n_gradients) for finding in path) == asked
    assert asked <= 300


@pytest.mark.parametrize("search", [QUICK, LONG])
def test_an_interrupt_at_any_step_is_said_and_keeps_what_was_found(search):
    problem = Problem(forward=A, reconstruct=lambda y, A: 3 * A.adjoint(y))
    radii, image = (0.01, 0.02), torch.ones(1, 8, 8)
    no_plateau = Search(budget=Budget(n_gradients=search.budget.n_gradients, plateau=0))
    steps = 0

    def count(step):
        nonlocal steps
        steps += 1

    worst_case_path(problem, image, radii=radii, search=no_plateau, on_step=count)
    for last in range(1, steps + 1):
        left = last

        def stop(step):
            nonlocal left
            left -= 1
            if left == 0:
                raise KeyboardInterrupt

        path = worst_case_path(problem, image, radii=radii, search=no_plateau, on_step=stop)
        assert any(Status.INTERRUPTED in finding.status for finding in path)
        for finding, radius in zip(path, radii, strict=False):
            assert float(finding.radius) == radius
            assert float(finding.perturbation_norm) <= radius * 8 * (1 + 1e-5)
        spent = sum(int(finding.n_gradients) for finding in path)
        assert last <= spent <= last + COST  # what was learnt of the Jacobian counts too
