"""Several networks in a run: each beside the same reference method, and beside each other."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from shaketable import BlackBox, Neighbourhood, Plan, Problem, Sampling, Structural, WorstCase, run
from shaketable.checks import Check
from shaketable.errors import InputError
from shaketable.probes import Subject
from shaketable.probes.neighbourhood import NeighbourhoodRecord
from shaketable.probes.sampling import SamplingRecord
from shaketable.probes.structural import StructuralRecord
from shaketable.probes.worst_case import WorstCaseRecord
from shaketable.records import to_row
from shaketable.runs.comparing import compare_networks
from shaketable.runs.results import assemble
from shaketable.statistics import mean_interval, ratio_interval
from tests.helpers import networks, watched

FULL = networks.fourier(1.0, size=watched.SIZE)


def linear(factor: float, name: str) -> Problem:
    """``c · A* y`` on full data: amplification c, contrast recovery c."""
    return Problem(forward=FULL, reconstruct=networks.scaled(factor), name=name)


PLAN = Plan(
    probes=(
        WorstCase(radii=(0.01, 0.02), search=BlackBox(n_queries=20), n_random=1),
        Structural(details=("heart",)),
    ),
    baselines={"reference": networks.scaled(0.9), "other": networks.scaled(0.8)},
)
FACTORS = {"a": 1.5, "b": 1.2, "c": 0.6}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    problems = [linear(factor, name) for name, factor in FACTORS.items()]
    out = tmp_path_factory.mktemp("several") / "run"
    return run(problems, watched.images(3), PLAN, out=out)


def test_every_network_has_its_records_and_its_verdicts(result):
    for record in result.records:
        if record["role"] == "network":
            factor = FACTORS[record["method"]]
            name = "amplification" if record["probe"] == "worst_case" else "contrast_recovery"
            assert record[name] == pytest.approx(factor, rel=3e-3)
    assert [(v["network"], v["probe"]) for v in result.verdicts] == [
        (name, probe) for probe in ("worst_case", "structural") for name in FACTORS
    ]
    for verdict in result.verdicts[:3]:
        assert verdict["estimate"] == pytest.approx(FACTORS[verdict["network"]] / 0.9, rel=1e-2)
        assert f"by {verdict['network']} and" in verdict["statement"]
    words = {v["network"]: v["verdict"] for v in result.verdicts[:3]}
    assert (words["a"], words["b"]) == ("unstable", "unstable")
    for verdict in result.verdicts[3:]:
        farther = abs(1 - FACTORS[verdict["network"]]) - 0.1
        assert verdict["estimate"] == pytest.approx(farther, abs=1e-4)
    problem = result.results["problem"]
    assert problem["network"] == "a"
    assert [one["name"] for one in problem["networks"]] == list(FACTORS)


def test_what_reference_methods_were_given_is_told_apart(result):
    found = [r for r in result.records if r["method"] == "reference" and r["probe"] == "worst_case"]
    assert len(found) == 3 * 2
    for record in found:
        assert [one["network"] for one in record["given"]] == list(FACTORS)
        for one in record["given"]:  # a linear method answers to every perturbation alike
            assert one["amplification"] == pytest.approx(0.9, rel=1e-3)
        assert record["given_network_error"] == max(one["error"] for one in record["given"])


def test_comparisons_are_those_of_the_closed_form(result):
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    assert [(c["probe"], c["network"], c["beside"]) for c in result.comparisons] == [
        (probe, *pair) for probe in ("worst_case", "structural") for pair in pairs
    ]
    for entry in result.comparisons:
        mine, its = FACTORS[entry["network"]], FACTORS[entry["beside"]]
        if entry["probe"] == "worst_case":
            assert entry["estimate"] == pytest.approx(mine / its, rel=5e-3)
            assert entry["verdict"] == "worse"
            assert entry["domain"] == "image"
        else:
            difference = abs(1 - mine) - abs(1 - its)
            assert entry["estimate"] == pytest.approx(difference, abs=1e-4)
            assert entry["verdict"] == ("worse" if difference > 0 else "better")
        assert entry["n_images"] == 3
        low, high = entry["interval"]
        assert low <= entry["estimate"] <= high
        assert entry["network"] in entry["statement"]
        assert entry["beside"] in entry["statement"]


def test_one_network_has_the_numbers_that_it_has_alone(result, tmp_path):
    alone = run(linear(1.2, "b"), watched.images(3), PLAN, out=tmp_path / "alone")
    mine = [r for r in result.records if r["method"] == "b"]
    assert [r for r in alone.records if r["method"] == "b"] == mine
    assert list(alone.verdicts) == [v for v in result.verdicts if v["network"] == "b"]
    assert alone.comparisons == ()


def records(kind, name, **lists):
    n = len(next(iter(lists.values())))
    return [
        kind(
            method=name, image=f"i{index}", **{key: values[index] for key, values in lists.items()}
        )
        for index in range(n)
    ]


def compared(probe, mine, its):
    [entry] = compare_networks(probe, {"a": mine, "b": its})
    return entry


def test_worst_cases_are_compared_by_the_ratio_at_the_largest_radius():
    def made(name, small, large, statuses=("found",) * 3):
        return [
            replace(record, perturbation_norm=1.0, error=record.amplification, domain="data")
            for radius, values in ((0.01, small), (0.02, large))
            for record in records(
                WorstCaseRecord, name, amplification=values, radius=[radius] * 3, status=statuses
            )
        ]

    a, b = [4.0, 5.0, 6.0], [2.0, 2.4, 3.1]
    entry = compared(WorstCase, made("a", [9.0] * 3, a), made("b", [99.0] * 3, b))
    expected = ratio_interval(a, b)
    assert (entry["estimate"], *entry["interval"]) == (
        expected.estimate, expected.low, expected.high
    )  # fmt: skip
    assert (entry["verdict"], entry["domain"], entry["n_images"]) == ("worse", "data", 3)
    back = compared(WorstCase, made("b", b, b), made("a", a, a))
    assert back["verdict"] == "better"
    assert back["estimate"] == pytest.approx(1 / expected.estimate)
    stuck = compared(WorstCase, made("a", a, a, ("stuck",) * 3), made("b", b, b))
    assert (stuck["verdict"], stuck["estimate"]) == ("inconclusive", None)
    assert stuck["statement"] == "Nothing can be said: a and b have no image in common."
    two = compared(WorstCase, made("a", a, a), made("b", b, b, ("found", "found", "stuck")))
    assert two["n_images"] == 2


def test_shares_and_decibels_are_compared_by_the_difference():
    kept = {"a": [20, 19, 20], "b": [2, 1, 3]}
    shaken = [
        records(NeighbourhoodRecord, name, n_persisting=values, n_draws=[20] * 3,
                status=["found"] * 3, noise_ratio=[0.25] * 3)
        for name, values in kept.items()
    ]  # fmt: skip
    entry = compared(Neighbourhood, *shaken)
    expected = mean_interval(list((np.array(kept["a"]) - np.array(kept["b"])) / 20))
    assert entry["estimate"] == pytest.approx(expected.estimate)
    assert entry["interval"] == pytest.approx([expected.low, expected.high])
    assert entry["verdict"] == "worse"

    def sampled(name, trained, more):
        return [
            record
            for rate, values in ((0.5, trained), (1.0, more))
            for record in records(
                SamplingRecord, name, rate=[rate] * 3, trained_rate=[0.5] * 3, psnr=values
            )
        ]

    entry = compared(
        Sampling, sampled("a", [30.0, 31, 32], [25.0, 26.5, 27]),
        sampled("b", [30.0, 31, 32], [40.0, 41.5, 42]),
    )  # fmt: skip
    assert entry["estimate"] == pytest.approx(-15.0)
    assert entry["verdict"] == "worse"


def test_equal_networks_differ_by_nothing_and_one_image_decides_nothing():
    same = records(StructuralRecord, "a", contrast_recovery=[0.9, 0.8, 0.7], detail=["heart"] * 3)
    assert compared(Structural, same, same)["verdict"] == "inconclusive"
    mine, its = (
        records(StructuralRecord, "a", contrast_recovery=[value], detail=["heart"])
        for value in (0.1, 0.9)
    )
    entry = compared(Structural, mine, its)
    assert (entry["verdict"], entry["interval"]) == ("inconclusive", [None, None])
    assert "1 image, too few for an interval" in entry["statement"]


def test_names_that_clash_and_other_maps_are_refused(tmp_path):
    for problems, said in (
        ([linear(1.5, "net"), linear(1.2, "net")], "network names"),
        ([linear(1.5, "a b"), linear(1.2, "a/b")], "network names"),
        ([linear(1.5, "net"), linear(1.2, "reference")], "'reference' for both"),
        ([linear(1.5, "net"), watched.problem(name="b")], "another one for 'b'"),
        ([], "at least one problem"),
    ):
        with pytest.raises(InputError, match=said):
            run(problems, watched.images(1), PLAN, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_map_made_a_second_time_is_the_same_map(tmp_path):
    second = replace(linear(1.2, "b"), forward=networks.fourier(1.0, size=watched.SIZE))
    plan = replace(PLAN, probes=PLAN.probes[1:])
    result = run([linear(1.5, "a"), second], watched.images(2), plan, out=tmp_path / "run")
    assert result.results["failed"] == []


def test_a_network_that_fails_leaves_the_others_their_verdicts(tmp_path):
    def fails(y, A):
        image = A.adjoint(y)
        if image.requires_grad or len(y) > 1:
            return image
        raise ValueError("never with one image")

    calls = {"n": 0}

    def fails_later(y, A):
        calls["n"] += 1
        if calls["n"] > 60:
            raise ValueError("tired")
        return 1.2 * A.adjoint(y)

    problems = [linear(1.5, "a"), Problem(forward=FULL, reconstruct=fails_later, name="b")]
    result = run(problems, watched.images(3), PLAN, out=tmp_path / "run")
    failed = {entry["item"]: entry["error"] for entry in result.results["failed"]}
    for index in range(1, 3):
        item = f"worst_case-image-image-{index:03d}"
        if f"{item}@b" in failed:
            assert failed[f"{item}@b"] == "ValueError: tired"
            assert failed[f"{item}@reference@b"] == "b could not be measured"
    assert any(key.endswith("@b") for key in failed)
    words = {(v["probe"], v["network"]): v for v in result.verdicts}
    assert words["worst_case", "a"]["verdict"] == "unstable"
    assert words["structural", "a"]["n_images"] == 3
    assert words["structural", "b"]["verdict"] == "inconclusive"


def evidence(key: str, *, passed: bool) -> dict[str, tuple[Check, ...]]:
    check = Check(name=f"search of {key}", value=1.0, limit=0.9, passed=passed, sentence="So.")
    return {f"evidence {key}": (check,)}


@pytest.mark.parametrize(("image", "data"), [(True, False), (False, True)])
def test_evidence_of_one_domain_proves_nothing_in_the_other(image, data):
    subject = Subject(
        problems=(linear(0.5, "net"),), images=watched.images(3), image_ids=("i0", "i1", "i2"),
        baselines={"tv": networks.scaled(1.0)},
    )  # fmt: skip
    plan = Plan(
        probes=tuple(WorstCase(radii=(0.02,), domain=domain) for domain in ("image", "data")),
        baselines=subject.baselines,
    )
    finished = {
        f"worst_case-{domain}-{name}@{method}": [
            to_row(
                WorstCaseRecord(
                    probe="worst_case", item=f"worst_case-{domain}-{name}", method=method,
                    image=name, domain=domain, radius=0.02, perturbation_norm=1.0, error=value,
                    amplification=value, status="found", n_gradients=10,
                    role="network" if method == "net" else "baseline",
                )
            )
        ]
        for domain in ("image", "data")
        for index, name in enumerate(subject.image_ids)
        for method, value in (("net", 0.5 + 0.01 * index), ("tv", 1.0))
    }  # fmt: skip
    given = {
        f"{key}@net": [{"network": "net", "error": 0.1, "amplification": 0.1}]
        for key in finished if key.endswith("@tv")
    }  # fmt: skip
    checks = evidence("worst_case-image", passed=image) | evidence("worst_case-data", passed=data)
    results = assemble(subject, plan, seed=0, checks=checks, finished=finished | given, failures={})
    words = {v["domain"]: v["verdict"] for v in json.loads(json.dumps(results["verdicts"]))}
    assert words == {
        "image": "stable" if image else "inconclusive", "data": "stable" if data else "inconclusive",
    }  # fmt: skip
