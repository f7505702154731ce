"""Results that runs share: what is known is not measured again, and what differs is."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from shaketable import Plan, Problem, Search, WorstCase, run
from shaketable.checks import Check
from shaketable.errors import RunError
from shaketable.runs import Event
from tests.helpers import networks, watched
from tests.helpers.resumable import contents

ALL = ["net", "zero-filled", "zero-filled under net"]  # of the worst case; of the details no third
EVERYTHING = Counter(3 * (ALL + ALL[:2]))


def begin(out, store, *, problem=None, n=3, plan=None, **settings):
    """Run it, and say what was measured."""
    watched.noted()
    result = run(
        watched.problem() if problem is None else problem, watched.images(n),
        watched.plan() if plan is None else plan, out=out, store=store, **settings,
    )  # fmt: skip
    return result, Counter(watched.noted())


@pytest.fixture
def store(tmp_path):
    """A store with a finished run's results."""
    _, measured = begin(tmp_path / "first", tmp_path / "store")
    assert measured == EVERYTHING
    return tmp_path / "store"


def test_a_second_run_measures_nothing_and_finds_the_same_bytes(store, tmp_path):
    events: list[Event] = []
    _, measured = begin(tmp_path / "second", store, on_event=events.append)
    assert measured == {}
    assert contents(tmp_path / "second") == contents(tmp_path / "first")
    for path in (tmp_path / "first" / "arrays").iterdir():
        assert (tmp_path / "second" / "arrays" / path.name).read_bytes() == path.read_bytes()
    assert {event.kind for event in events} == {"checks", "skipped", "done"}
    assert events[-1].n_done == events[-1].n_items == 15


def test_a_second_run_asks_every_method_for_no_more_than_checks_and_one_answer(tmp_path):
    def asked(out, store, n):
        network, reference = (watched.Counted(networks.scaled(factor)) for factor in (1.5, 1.0))
        problem = Problem(forward=watched.FORWARD, reconstruct=network, name="net")
        plan = watched.plan({"zero-filled": reference})
        begin(out, store, problem=problem, plan=plan, n=n)
        return network.calls, reference.calls

    first = asked(tmp_path / "first", tmp_path / "store", 3)
    second = asked(tmp_path / "second", tmp_path / "store", 3)
    # A run that shares the store and has a single image: the same checks and answers, as often.
    one = asked(tmp_path / "one", tmp_path / "store", 1)
    assert second == one
    assert all(again < at_first / 2 for again, at_first in zip(second, first, strict=True))


@dataclass(frozen=True, kw_only=True)
class Newer(watched.WatchedWorstCase):
    version: ClassVar[int] = 2


def newer_plan():
    first, second = watched.plan().probes
    newer = Newer(radii=first.radii, search=first.search, n_random=first.n_random)
    return Plan(probes=(newer, second), baselines=watched.plan().baselines)


WORST, DETAILS = Counter(3 * ALL), Counter(3 * ALL[:2])
OF_NET = Counter(3 * ["net", "net", "zero-filled under net"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"seed": 1}, EVERYTHING),
        ({"plan": watched.plan(n_random=2)}, WORST),
        ({"plan": watched.plan(radii=(0.01, 0.03))}, WORST),
        ({"plan": watched.plan(domain="data")}, WORST),
        ({"plan": newer_plan()}, WORST),
        ({"problem": watched.problem(gain=4.5)}, OF_NET),
        ({"problem": replace(watched.problem(), forward=networks.fourier(0.75, size=24))}, EVERYTHING),
        ({"problem": replace(watched.problem(), name="other")}, None),
        ({"n": 4}, Counter(ALL + ALL[:2])),
        ({"image_ids": ("a", "b", "c")}, EVERYTHING),  # names give the seeds
    ],
    ids=[
        "seed", "setting", "radii", "domain", "version", "weights", "map", "name", "image", "names",
    ],
)  # fmt: skip
def test_what_differs_is_measured_anew_and_nothing_else(store, tmp_path, changes, expected):
    if expected is None:
        expected = Counter(3 * ["other", "other", "zero-filled under other"])
    _, measured = begin(tmp_path / "second", store, **changes)
    assert measured == expected
    _, measured = begin(tmp_path / "third", store, **changes)
    assert measured == {}
    alone, _ = begin(tmp_path / "alone", None, **changes)
    assert contents(alone.directory) == contents(tmp_path / "third")


def test_other_weights_are_another_network(tmp_path):
    def measured(out, weight):
        problem = Problem(
            forward=watched.FORWARD, reconstruct=watched.Weighted(weight).eval(), name="net"
        )
        return begin(tmp_path / out, tmp_path / "store", problem=problem)[1]

    assert measured("first", 1.5) == EVERYTHING
    assert measured("same", 1.5) == {}
    assert measured("other", 1.5 + 1e-6) == OF_NET


@pytest.mark.parametrize("whose", ["network", "reference"])
def test_code_that_no_hash_can_see_is_noticed_by_its_answers(tmp_path, whose):
    def measured(out, factor):
        hidden = watched.Hidden(factor)
        network = hidden if whose == "network" else networks.scaled(1.5)
        reference = hidden if whose == "reference" else networks.zero_filled
        problem = Problem(forward=watched.FORWARD, reconstruct=network, name="net")
        plan = watched.plan({"zero-filled": reference})
        return begin(tmp_path / out, tmp_path / "store", problem=problem, plan=plan)

    first, at_first = measured("first", 1.2)
    assert at_first == EVERYTHING
    changed, again = measured("changed", 1.3)
    assert again == (
        OF_NET if whose == "network" else Counter(3 * ["zero-filled", "zero-filled", ALL[2]])
    )
    mine = {"network": "net", "reference": "zero-filled"}[whose]
    factors = [r["amplification"] for r in changed.records if r["method"] == mine if "radius" in r]
    assert factors == pytest.approx([1.3] * 6, rel=1e-2)
    # what was measured of the changed one is not kept under the old one's key
    back, again = measured("back", 1.2)
    assert again == {}
    assert contents(back.directory) == contents(first.directory)


def test_what_has_no_content_is_measured_in_every_run(tmp_path):
    lock = threading.Lock()

    def locked(y, A):
        with lock:
            return 1.5 * A.adjoint(y)

    problem = Problem(forward=watched.FORWARD, reconstruct=locked, name="net")
    for out in ("first", "second"):
        _, measured = begin(tmp_path / out, tmp_path / "store", problem=problem)
        assert measured == (EVERYTHING if out == "first" else OF_NET)


def spoil(path, how):
    whole = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.unlink()  # the same file lies in the run directories
        path.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "other": b"{}"}[how])


@pytest.mark.parametrize("kind", ["json", "h5"])
@pytest.mark.parametrize("how", ["gone", "cut", "empty", "other"])
def test_broken_results_are_measured_anew_and_mended(store, tmp_path, kind, how):
    for path in sorted((store / "results").rglob(f"*.{kind}")):
        spoil(path, how)
    _, measured = begin(tmp_path / "second", store)
    assert measured == EVERYTHING
    assert contents(tmp_path / "second") == contents(tmp_path / "first")
    _, measured = begin(tmp_path / "third", store)
    assert measured == {}


@pytest.mark.parametrize(
    "text", ['{"records": 3}', '{"records": [1]}', "[]", "3", '{"records": null}']
)
def test_results_of_another_form_are_measured_anew(store, tmp_path, text):
    for path in (store / "results").rglob("*.json"):
        path.write_text(text)
    assert begin(tmp_path / "second", store)[1] == EVERYTHING


@pytest.mark.parametrize("how", ["gone", "cut", "empty"])
def test_broken_answers_vouch_for_nothing(store, tmp_path, how):
    for path in (store / "answers").iterdir():
        spoil(path, how)
    _, measured = begin(tmp_path / "second", store)
    assert measured == {}  # the answers of today are kept in their place
    assert contents(tmp_path / "second") == contents(tmp_path / "first")
    assert begin(tmp_path / "third", store)[1] == {}


def test_three_networks_share_one_search_of_the_reference_method(tmp_path):
    gains = {"a": 2.0, "b": 3.0, "c": 4.0, "d": 5.0}
    problems = [watched.problem(gain, name=name) for name, gain in gains.items()]
    worst = Plan(probes=watched.plan().probes[:1], baselines=watched.plan().baselines)
    _, measured = begin(
        tmp_path / "three", tmp_path / "store", problem=problems[:3], n=8, plan=worst
    )
    assert measured == {
        "a": 8, "b": 8, "c": 8, "zero-filled": 8, "zero-filled under a": 8,
        "zero-filled under b": 8, "zero-filled under c": 8,
    }  # fmt: skip
    _, measured = begin(tmp_path / "four", tmp_path / "store", problem=problems, n=8, plan=worst)
    assert measured == {"d": 8, "zero-filled under d": 8}


@dataclass(frozen=True, kw_only=True)
class Proving(watched.WatchedWorstCase):
    """Notes when it is asked for evidence, which it makes up."""

    def evidence(self, problem, images, seed):
        self.measured.append("evidence")
        check = Check(name="search strength", value=1.0, limit=0.9, passed=True, sentence="Found.")
        return (check,)


def test_evidence_is_shared_too_and_no_network_is_in_it(tmp_path):
    def asked(out, **settings):
        probe = Proving(radii=(0.01,), search=watched.SEARCH, n_random=1)
        plan = Plan(probes=(probe,), baselines=watched.plan().baselines)
        return begin(tmp_path / out, tmp_path / "store", plan=plan, **settings)[1]["evidence"]

    assert asked("first") == 1
    assert asked("other network", problem=watched.problem(gain=5.0)) == 0
    assert asked("other seed", seed=1) == 1
    assert asked("first") == 0
    for path in (tmp_path / "store" / "evidence").iterdir():
        path.write_text("[{}]")
    assert asked("mended") == 1


def test_a_finished_run_started_once_more_measures_and_checks_nothing(tmp_path):
    probe = Proving(radii=(0.01,), search=watched.SEARCH, n_random=1)
    network, reference = (watched.Counted(networks.scaled(factor)) for factor in (1.5, 1.0))
    problem = Problem(forward=watched.FORWARD, reconstruct=network, name="net")
    plan = Plan(probes=(probe,), baselines={"zero-filled": reference})

    def calls():
        network.calls = reference.calls = 0
        _, measured = begin(tmp_path / "run", None, problem=problem, plan=plan)
        return measured, (network.calls, reference.calls)

    measured, at_first = calls()
    assert measured == Counter(3 * ALL) + Counter(["evidence"])
    before = contents(tmp_path / "run")
    measured, again = calls()
    assert measured == {}
    assert again == (1, 1)  # one answer each, to see that they are what the run was begun with
    assert min(at_first) > 20
    assert contents(tmp_path / "run") == before


def test_a_store_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="Expected a store that can be written"):
        begin(tmp_path / "run", tmp_path / "file")
    assert not (tmp_path / "run").exists()


def test_settings_of_a_search_are_settings_of_the_probe(tmp_path):
    """Nested settings stand in the key: another number of queries is another measurement."""
    searches = (watched.SEARCH, replace(watched.SEARCH, n_queries=7))
    for out, search in zip(("first", "second"), searches, strict=True):
        _, measured = begin(tmp_path / out, tmp_path / "store", plan=watched.plan(search=search))
        assert measured == (EVERYTHING if out == "first" else WORST)
    assert WorstCase(search=Search()).describe() != WorstCase(search=searches[0]).describe()
