"""The evidence that a search finds things: the default finds what is planted, a hopeless one not."""

from dataclasses import replace

import pytest
import torch

from shaketable import Budget, FourierMap, MatrixMap, Neighbourhood, Problem, Search, WorstCase
from shaketable.probes import Subject
from shaketable.probes.planted import _largest_gain, _plant, planted_check
from tests.helpers import networks

HOPELESS = Search(budget=Budget(n_gradients=1))


def subject(problem: Problem) -> Subject:
    shape = tuple(problem.forward.image_shape)
    images = networks.images(1, size=shape[0], real=problem.real)
    return Subject(problem=problem, images=images, image_ids=("one",))


def matrix(scale: float) -> Problem:
    generator = torch.Generator().manual_seed(0)
    values = scale * torch.randn(60, 144, generator=generator)
    forward = MatrixMap(values, image_shape=(12, 12))
    return Problem(forward=forward, reconstruct=networks.zero_filled, real=True)


CASES = {
    "Fourier": networks.problem(),
    "real images": Problem(
        forward=networks.fourier(), reconstruct=networks.real_zero_filled, real=True
    ),
    "small matrix": matrix(1e-3),
    "large matrix": matrix(1e3),
    "full": Problem(forward=FourierMap(torch.ones(12, 12)), reconstruct=networks.zero_filled),
}


@pytest.mark.parametrize("domain", ["image", "data"])
@pytest.mark.parametrize("case", CASES)
def test_the_default_search_finds_what_is_planted(case, domain):
    [check] = WorstCase(domain=domain).evidence(subject(CASES[case]), 3)
    assert check.name == f"search strength ({domain} domain)"
    assert check.passed
    assert 0.99 < check.value <= 1 + 1e-4
    assert check.limit == 0.9


@pytest.mark.parametrize("domain", ["image", "data"])
@pytest.mark.parametrize("case", CASES)
def test_a_hopeless_search_fails(case, domain):
    [check] = WorstCase(domain=domain, search=HOPELESS).evidence(subject(CASES[case]), 3)
    assert check.passed is False
    assert 0 < check.value < 0.9
    assert "cannot call anything stable" in check.sentence


def test_the_neighbourhood_proves_its_own_search():
    case = subject(CASES["Fourier"])
    [good] = Neighbourhood().evidence(case, 3)
    [bad] = Neighbourhood(search=HOPELESS).evidence(case, 3)
    assert good.name == bad.name == "search strength (neighbourhood)"
    assert (good.passed, bad.passed) == (True, False)


def test_the_tested_network_plays_no_part():
    case = subject(networks.problem(networks.constant))
    blind = replace(case, problem=replace(case.problem, differentiable=False))
    one, other = (
        planted_check(a.problem, a.images, "image", HOPELESS, 0, name="strength")
        for a in (case, blind)
    )
    assert one == other


@pytest.mark.parametrize("case", ["Fourier", "small matrix", "large matrix"])
def test_what_is_planted_stands_ten_times_above_the_adjoint(case):
    problem = CASES[case]
    image = problem.prepare(subject(problem).images)
    for domain in ("image", "data"):
        planted = _plant(problem, image, domain, 0)
        plain = Problem(
            forward=problem.forward, reconstruct=networks.zero_filled, real=problem.real
        )
        ratio = _largest_gain(planted, image, domain, 0) / _largest_gain(plain, image, domain, 0)
        assert 7 < ratio < 12


def test_power_iteration_finds_the_largest_singular_value():
    values = torch.linspace(0.1, 3.0, 64, dtype=torch.float64)
    for dtype in (torch.float64, torch.complex128):
        problem = networks.known_spectrum(values, shape=(8, 8), dtype=dtype)
        image = networks.images(1, size=8, real=not dtype.is_complex).to(dtype)
        assert _largest_gain(problem, image, "image", 0) == pytest.approx(3.0, rel=1e-2)
