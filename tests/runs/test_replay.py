"""Replay: stored counterexamples are executed again, and tampering is found."""

import json
from dataclasses import dataclass, replace
from typing import ClassVar

import h5py
import pytest
import torch

from shaketable import Budget, Plan, Problem, Search, Structural, WorstCase, run
from shaketable.errors import RunError
from shaketable.probes import Outcome, Record, Verdict
from shaketable.probes.probe import array
from shaketable.runs import replay
from tests.helpers import networks

BASELINES = {"zero-filled": networks.zero_filled}
DOMAINS = ("image", "data")
RADII = (0.01, 0.02)


def network_problem(gain=4.0) -> Problem:
    network = networks.Unstable(networks.fourier(), networks.images(1), gain=gain)
    return Problem(forward=networks.fourier(), reconstruct=network, name="net")


def make(out, problem, images, baselines=BASELINES, search=None):
    return run(problem, images, plan_of(baselines, search), out=out)


def plan_of(baselines=BASELINES, search=None):
    probes = tuple(
        WorstCase(
            radii=RADII, domain=domain, n_random=1,
            search=search or Search(budget=Budget(n_gradients=6)),
        )
        for domain in DOMAINS
    )  # fmt: skip
    return Plan(probes=(*probes, Structural(details=("lesion",))), baselines=baselines)


def again(directory, problem, baselines=BASELINES):
    """The worst cases once more."""
    return replay(directory, problem, plan_of(baselines), probe="worst_case")


@pytest.fixture
def directory(tmp_path):
    return make(tmp_path, network_problem(), networks.images(2)).directory


def change(directory, item, name):
    """In every file of the item that has it."""
    n_changed = 0
    for path in (directory / "arrays").glob(f"{item}@*.h5"):
        with h5py.File(path, "r+") as file:
            if name in file:
                file[name][...] = 1.001 * file[name][()]
                n_changed += 1
    assert n_changed


def test_every_stored_worst_case_is_replayed_and_agrees(directory):
    replays = again(directory, network_problem())
    assert len(replays) == 2 * 2 * len(DOMAINS) * len(RADII)
    assert all(one.hash_matches and one.agrees for one in replays)
    for one in replays:
        assert one.error == pytest.approx(one.stored_error, rel=1e-4)
    assert {(one.method, one.radius) for one in replays} == {
        (method, radius) for method in ("net", "zero-filled") for radius in RADII
    }


def test_a_tampered_perturbation_is_found(directory):
    item = "worst_case-data-image-001"
    change(directory, item, "methods/net/perturbation")
    wrong = [one for one in again(directory, network_problem()) if not one.agrees]
    assert {(one.item, one.method, one.hash_matches) for one in wrong} == {(item, "net", False)}


def test_a_tampered_image_is_found(directory):
    item = "worst_case-image-image-000"
    change(directory, item, "image")
    wrong = [one for one in again(directory, network_problem()) if not one.agrees]
    assert {one.item for one in wrong} == {item}


def test_a_tampered_record_is_found(directory):
    path = directory / "results.json"
    results = json.loads(path.read_text())
    results["records"][0]["error"] *= 1.01
    path.write_text(json.dumps(results))
    wrong = [one for one in again(directory, network_problem()) if not one.agrees]
    assert [one.hash_matches for one in wrong] == [True]


def test_another_network_does_not_agree(directory):
    replays = again(directory, network_problem(gain=3.0))
    assert all(one.hash_matches for one in replays)
    assert {one.method for one in replays if not one.agrees} == {"net"}


def test_double_precision_is_replayed_in_double_precision(tmp_path):
    def strict(y, A):
        if y.dtype != torch.complex128:
            raise TypeError(f"this network is in double precision, got {y.dtype}")
        return 2 * A.adjoint(y)

    problem = Problem(forward=networks.fourier(), reconstruct=strict, name="net")
    images = networks.images(1).to(torch.complex128)
    directory = make(tmp_path, problem, images).directory
    assert all(one.agrees for one in again(directory, problem))


def test_real_images_are_replayed(tmp_path):
    problem = Problem(
        forward=networks.fourier(), reconstruct=networks.real_zero_filled, real=True, name="net"
    )
    baselines = {"half": lambda y, A: 0.5 * A.adjoint(y).real}
    directory = make(tmp_path, problem, networks.images(1, real=True), baselines).directory
    assert all(one.agrees for one in again(directory, problem, baselines))


def test_a_counterexample_that_breaks_the_network_is_replayed(tmp_path):
    images, forward = networks.images(1), networks.fourier()
    network = networks.bright_breaks(forward.adjoint(forward(images)))
    problem = Problem(forward=forward, reconstruct=network, name="net")
    probe = WorstCase(radii=(0.04,), search=Search(budget=Budget(n_gradients=30)), n_random=1)
    result = run(problem, images, Plan(probes=(probe,)), out=tmp_path)
    assert result.verdicts[0]["verdict"] == "unstable"
    [one] = again(tmp_path, problem, {})
    assert one.hash_matches
    assert one.stored_error != one.stored_error  # NaN
    assert one.agrees
    [other] = again(tmp_path, network_as(networks.zero_filled), {})
    assert not other.agrees


def network_as(reconstruct) -> Problem:
    return Problem(forward=networks.fourier(), reconstruct=reconstruct, name="net")


def test_methods_and_arrays_must_be_there(directory, tmp_path):
    with pytest.raises(RunError, match="'zero-filled' of the run, got net"):
        again(directory, network_problem(), {})
    (directory / "arrays" / "worst_case-image-image-000@net.h5").write_bytes(b"nothing")
    with pytest.raises(RunError, match="readable arrays of worst_case-image-image-000"):
        again(directory, network_problem())
    with pytest.raises(RunError, match=r"results\.json"):
        again(tmp_path / "nowhere", network_problem())


def test_several_networks_are_replayed_each_with_its_own(tmp_path):
    problems = tuple(
        replace(network_problem(gain), name=name) for name, gain in (("a", 4.0), ("b", 2.0))
    )
    directory = make(tmp_path, problems, networks.images(1)).directory
    replays = replay(directory, problems, plan_of())
    assert all(one.agrees for one in replays)
    assert {one.method for one in replays} == {"a", "b", "zero-filled"}
    swapped = tuple(
        replace(problem, name=other.name)
        for problem, other in zip(problems, problems[::-1], strict=True)
    )
    wrong = {one.method for one in replay(directory, swapped, plan_of()) if not one.agrees}
    assert wrong == {"a", "b"}
    with pytest.raises(RunError, match="'b' of the run"):
        replay(directory, problems[:1], plan_of())


@dataclass(frozen=True, kw_only=True)
class SharpRecord(Record):
    sharpness: float | None = None
    draw: float | None = None
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class Sharp:
    """A probe of somebody else, who said nothing about replaying."""

    name: ClassVar[str] = "sharp"
    record_type: ClassVar[type[SharpRecord]] = SharpRecord

    def measure(self, case):
        output = case.method.reconstruct(case.image)
        draw = torch.rand(1, generator=torch.Generator().manual_seed(case.seed))
        record = SharpRecord(
            sharpness=float(output.diff().abs().sum()), draw=float(draw), words=case.method.name
        )
        return Outcome(records=(record,), arrays={"image": array(case.image[0])})

    def verdict(self, measured):
        return Verdict(probe=self.name, verdict="inconclusive", statement="Sharp.", measure="none")


def test_a_probe_without_a_replay_of_its_own_is_measured_again(tmp_path):
    plan = Plan(probes=(Sharp(),), baselines=BASELINES)
    run(network_problem(), networks.images(2), plan, out=tmp_path, seed=4)
    replays = replay(tmp_path, network_problem(), plan)
    assert [(one.item, one.method) for one in replays] == [
        (f"sharp-image-{index:03d}", method)
        for index in range(2)
        for method in ("net", "zero-filled")
    ]
    assert all(one.agrees and one.what.startswith("measured again") for one in replays)
    other = network_as(networks.data_consistent)
    changed = replay(tmp_path, other, plan)
    assert {one.method for one in changed if not one.agrees} == {"net"}
    assert {one.what for one in changed if not one.agrees} == {"measured again: sharpness"}
    change(tmp_path, "sharp-image-001", "image")
    wrong = [one for one in replay(tmp_path, network_problem(), plan) if not one.agrees]
    assert {(one.item, one.hash_matches) for one in wrong} == {("sharp-image-001", False)}
