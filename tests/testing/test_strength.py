"""What searches find of the plants, and what the report says of it."""

from dataclasses import dataclass, field, replace

import pytest
import torch

from shaketable import Budget, Search
from shaketable.search import (
    AdaptiveProjectedGradient,
    Ball,
    LargestPatchError,
    ProjectedGradient,
    SphereAscent,
    worst_case,
)
from shaketable.testing import PLANTS, strength
from shaketable.testing.battery import MOST_GRADIENTS, _tested
from tests.helpers import networks


@pytest.mark.parametrize("domain", ["image", "data"])
@pytest.mark.parametrize("seed", range(4))
def test_the_default_search_finds_all_that_gradients_lead_to(domain, seed):
    report = strength(domain=domain, seed=seed)
    assert report.passed
    assert len(report.trials) == len(PLANTS)
    assert report.share > 0.96
    assert all(trial.share <= 1 + 1e-4 for trial in report.trials)
    assert all(trial.n_gradients <= 100 for trial in report.trials)
    assert set(report.missed) <= {"several local maxima", "behind a dead zone"}


def test_a_hopeless_search_finds_nothing():
    report = strength(Search(budget=Budget(n_gradients=1)))
    assert not report.passed
    assert len(report.missed) == len(PLANTS)
    assert [trial.n_gradients for trial in report.trials] == [1] * len(PLANTS)


def test_more_starts_find_the_best_of_several_maxima():
    search = Search(budget=Budget(n_gradients=60, n_starts=6))
    for seed in range(4):
        assert "several local maxima" not in strength(search, seed=seed).missed


@pytest.mark.parametrize("update", [ProjectedGradient(), AdaptiveProjectedGradient()])
def test_other_updates_are_tested_as_they_are(update):
    report = strength(Search(update=update, local_start=False))
    assert report.passed
    assert "behind a dead zone" in report.missed


def test_a_search_that_stays_small_is_caught():
    """It looks at changes of a tenth of the radius only: what wakes later is missed."""

    @dataclass(frozen=True, kw_only=True)
    class Timid(SphereAscent):
        def start(self, ball, origin, generators, n_iterations):
            return super().start(
                replace(ball, size=0.1 * ball.size), origin, generators, n_iterations
            )

        def advance(self, ball, state, seen):
            return super().advance(replace(ball, size=0.1 * ball.size), state, seen)

    report = strength(Search(update=Timid(overshoot=1.0)))
    assert not report.passed
    shares = {trial.name: trial.share for trial in report.trials}
    assert shares["only beyond a radius"] < 0.02
    assert shares["rank one"] == pytest.approx(0.1, rel=1e-3)


def test_anything_with_the_fields_of_a_search_can_be_tested():
    @dataclass(frozen=True)
    class Mine:
        objective: object = field(default_factory=lambda: Search().objective)
        ball: Ball = field(default_factory=Ball)
        update: object = field(default_factory=SphereAscent)
        budget: Budget = field(default_factory=Budget)
        local_start: bool = True

    assert strength(Mine()) == strength()


def test_what_is_changed_of_a_search_is_said():
    odd = Search(objective=LargestPatchError(size=4), ball=Ball(norm="linf"),
                 budget=Budget(n_gradients=MOST_GRADIENTS + 1))  # fmt: skip
    tested, note = _tested(odd)
    assert note == "Tested with the plain error as objective, in the l2 norm, with 500 gradients."
    assert (tested.ball.norm, tested.budget.n_gradients) == ("l2", MOST_GRADIENTS)
    assert _tested(Search.published("automap"))[1] == ""


def test_it_runs_on_the_map_and_the_ball_of_a_user():
    support = torch.zeros(32, 32, dtype=torch.bool)
    support[8:20, 8:20] = True
    problem = replace(networks.problem(), differentiable=False)  # the network plays no part
    report = strength(Search(ball=Ball(support=support)), problem, networks.images(2))
    assert report.passed
    assert strength(Search(), problem).passed  # on an image of its own


def test_the_table_names_every_plant_with_share_and_cost():
    text = str(strength())
    assert len(text.splitlines()) == 1 + len(PLANTS)
    assert "behind a dead zone" in text.splitlines()[-1]
    assert text.splitlines()[-1].endswith("not found")
    assert "100.0%" in text.splitlines()[1]


def test_ctrl_c_is_not_a_weak_search(monkeypatch):
    def interrupted(*args, **kwargs):
        def stop(step):
            raise KeyboardInterrupt

        return worst_case(*args, **kwargs, on_step=stop)

    monkeypatch.setattr("shaketable.testing.battery.worst_case", interrupted)
    with pytest.raises(KeyboardInterrupt):
        strength()
