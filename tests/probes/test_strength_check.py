"""The evidence that a search finds things: the default finds what is planted, a hopeless one not."""

from dataclasses import replace

import pytest
import torch

from shaketable import Budget, FourierMap, MatrixMap, Neighbourhood, Problem, Search, WorstCase
from shaketable.probes.strength import StrengthCheck, doubt_of_strength, not_covered, strength_check
from shaketable.testing import PLANTS, Trial
from tests.helpers import networks

HOPELESS = Search(budget=Budget(n_gradients=1))


def images(problem: Problem) -> torch.Tensor:
    return networks.images(1, size=problem.forward.image_shape[0], real=problem.real)


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
    [check] = WorstCase(domain=domain).evidence(CASES[case], images(CASES[case]), 3)
    assert check.name == f"search strength ({domain} domain)"
    assert check.passed
    assert 0.95 < check.value <= 1 + 1e-4
    assert check.limit == 0.9
    assert len(check.trials) == len(PLANTS)
    assert "Not found: " in check.sentence
    assert "behind a dead zone." in check.sentence


@pytest.mark.parametrize("domain", ["image", "data"])
@pytest.mark.parametrize("case", CASES)
def test_a_hopeless_search_fails(case, domain):
    probe = WorstCase(domain=domain, search=HOPELESS)
    [check] = probe.evidence(CASES[case], images(CASES[case]), 3)
    assert check.passed is False
    assert 0 < check.value < 0.9
    assert "cannot call anything stable" in check.sentence
    assert f"{check.value:.1%} for" in check.sentence
    assert "9 of 9 not found" in check.sentence


def test_the_neighbourhood_proves_its_own_search():
    case = CASES["Fourier"]
    [good] = Neighbourhood().evidence(case, images(case), 3)
    [bad] = Neighbourhood(search=HOPELESS).evidence(case, images(case), 3)
    assert good.name == bad.name == "search strength (neighbourhood)"
    assert (good.passed, bad.passed) == (True, False)


def test_the_tested_network_plays_no_part():
    case = networks.problem(networks.constant)
    blind = replace(case, differentiable=False)
    one, other = (
        strength_check(problem, images(problem), "image", HOPELESS, 0, name="strength")
        for problem in (case, blind)
    )
    assert one == other


def trial(name: str, *, found: bool, led_to: bool = True) -> Trial:
    share = 1.0 if found else 0.5
    return Trial(name=name, sentence="Made by hand.", reach=0.9, led_to=led_to, share=share,
                 found=found, n_gradients=7)  # fmt: skip


def check(*trials: Trial, passed: bool = True) -> StrengthCheck:
    return StrengthCheck(name="mine", value=1.0, limit=0.9, passed=passed, sentence="Made by hand.",
                         trials=trials)  # fmt: skip


def test_a_search_that_passed_is_not_doubted_and_says_what_it_missed():
    some = (check(trial("easy", found=True), trial("needle", found=False, led_to=False)),)
    assert doubt_of_strength(some) == ""
    assert not_covered(some).endswith("the search did not find “needle”")
    assert not_covered((check(trial("easy", found=True)),)) == ""


def test_a_search_that_failed_or_was_not_tested_is_doubted():
    failed = (check(trial("easy", found=False), passed=False),)
    both = (check(trial("easy", found=True)), *failed)
    for evidence in (failed, (), both):
        assert "has not shown" in doubt_of_strength(evidence)
    assert not_covered(()) == ""
