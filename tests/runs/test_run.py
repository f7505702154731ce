"""Runs: what they write, what they try again, and what they say meanwhile."""

import json
from dataclasses import dataclass

import h5py
import numpy as np
import pytest
import torch

import shaketable
from shaketable import (
    Budget,
    MatrixMap,
    Plan,
    Problem,
    Search,
    Structural,
    WorstCase,
    run,
)
from shaketable.errors import RunError
from shaketable.probes import Case, Outcome, Record, Verdict
from shaketable.runs import Event, load_run
from shaketable.runs.results import exit_code
from tests.helpers import networks, resumable
from tests.helpers.quick_run import SEARCH, network_problem, quick


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    events: list[Event] = []
    out = tmp_path_factory.mktemp("run") / "new" / "folder"
    return resumable.work(out, on_event=events.append), events


def test_results_have_the_shape_that_others_rely_on(finished):
    results = finished[0].results
    assert set(results) == {
        "schema", "tool", "environment", "plan", "problem", "checks", "records", "verdicts",
        "comparisons", "failed", "notes",
    }  # fmt: skip
    assert results["schema"] == "shaketable.results/1"
    assert set(results["tool"]) == {"name", "version"}
    assert results["environment"]["n_threads"] == torch.get_num_threads()
    assert results["environment"]["device"] == "cpu"
    assert results["plan"]["seed"] == 3
    assert set(results["plan"]["probes"]) == {
        "worst_case", "structural", "sampling", "neighbourhood"
    }  # fmt: skip
    problem = results["problem"]
    assert (problem["network"], problem["baseline"]) == ("net", "zero-filled")
    assert problem["baselines"] == ["zero-filled"]
    assert problem["networks"] == [{"name": "net", "weights_sha256": problem["weights_sha256"]}]
    assert results["comparisons"] == []
    assert problem["map"]["type"] == "fourier"
    assert (problem["real"], problem["units"]) == (False, "")
    assert [image["id"] for image in problem["images"]] == [f"image-00{i}" for i in range(3)]
    for entry, image in zip(problem["images"], networks.images(3), strict=True):
        assert entry["shape"] == [32, 32]
        assert entry["peak"] == pytest.approx(float(image.abs().max()))
        assert entry["norm"] == pytest.approx(float(image.norm()))
        assert len(entry["sha256"]) == 64
    assert results["failed"] == results["notes"] == []


COMMON = {"probe", "item", "method", "role", "image", "version"}
FIELDS = {
    "worst_case": {
        "domain", "radius", "perturbation_norm", "error", "amplification", "relative_error",
        "random_amplification", "clean_psnr", "perturbed_psnr", "status", "n_gradients", "seed",
        "replay_sha256",
    },
    "structural": {
        "detail", "contrast", "size", "position", "contrast_recovery", "correlation", "leakage",
    },
    "sampling": {"rate", "trained_rate", "psnr", "ssim"},
    "neighbourhood": {"radius", "noise_ratio", "n_draws", "n_persisting", "interval"},
}  # fmt: skip
BASELINE_FIELDS = {"given_network_error", "given_network_amplification", "solver_gap"}


def test_records_have_the_fields_that_others_rely_on(finished):
    result = finished[0]
    for record in result.results["records"]:
        wanted = COMMON | FIELDS[record["probe"]]
        if record["probe"] == "worst_case" and record["role"] == "baseline":
            wanted |= BASELINE_FIELDS
        assert wanted <= set(record), record["probe"]
        assert record["version"] == shaketable.__version__
        task = f"{record['item']}@{record['method']}"
        assert (result.directory / "arrays" / f"{task}.h5").is_file()
        given = [one["network"] for one in record.get("given", ())]
        assert given == (
            ["net"] if record["probe"] == "worst_case" and record["role"] == "baseline" else []
        )
        for network in given:
            assert (result.directory / "arrays" / f"{task}@{network}.h5").is_file()
    counted = dict.fromkeys(FIELDS, 0)
    for record in result.results["records"]:
        counted[record["probe"]] += 1
    assert counted == {
        "worst_case": 3 * 2 * 2, "structural": 3 * 2, "sampling": 3 * 2 * 2, "neighbourhood": 3 * 2
    }  # fmt: skip


def test_checks_and_verdicts_have_the_fields_that_others_rely_on(finished):
    results = finished[0].results
    for check in results["checks"]:
        of_search = check["name"].startswith("search strength")
        assert set(check) == {"name", "value", "limit", "passed", "sentence"} | (
            {"trials", "probe", "domain"} if of_search else set()
        )
        for trial in check.get("trials", ()):
            assert set(trial) == {
                "name", "sentence", "reach", "led_to", "share", "found", "n_gradients",
            }  # fmt: skip
    names = [check["name"] for check in results["checks"]]
    assert names[0] == "adjoint"
    assert {"gradient", "zero-filled: gradient", "search strength (image domain)"} <= set(names)
    assert len(set(names)) == len(names)
    for verdict in results["verdicts"]:
        assert set(verdict) == {
            "probe", "verdict", "statement", "estimate", "interval", "n_images", "measure",
            "domain", "network",
        }  # fmt: skip
        assert verdict["network"] == "net"
        assert verdict["verdict"] in ("unstable", "stable", "inconclusive")
        assert verdict["n_images"] == 3
    assert [v["probe"] for v in results["verdicts"]] == list(FIELDS)
    whose = [(c["probe"], c["domain"]) for c in results["checks"] if "trials" in c]
    assert whose == [("worst_case", "image"), ("neighbourhood", "")]


def test_the_planted_instability_is_found_and_decides_the_exit_code(finished):
    result = finished[0]
    assert result.verdicts[0]["verdict"] == "unstable"
    assert result.verdicts[0]["estimate"] == pytest.approx(5.0, rel=0.1)
    assert result.exit_code == 1


def test_what_is_written_is_what_is_returned(finished):
    result = finished[0]
    assert load_run(result.directory).results == json.loads(json.dumps(result.results))
    lines = (result.directory / "records.jsonl").read_text().splitlines()
    stored = [json.loads(line) for line in lines]
    assert [set(entry) for entry in stored] == [{"task", "records"}] * resumable.N_TASKS
    own = [
        record for entry in stored if entry["task"].count("@") == 1 for record in entry["records"]
    ]
    blank = {"given": [], "given_network_error": None, "given_network_amplification": None}
    assert own == [
        record | (blank if record["probe"] == "worst_case" else {})
        for record in result.results["records"]
    ]
    given = [
        record for entry in stored if entry["task"].count("@") == 2 for record in entry["records"]
    ]
    assert given == [one for record in result.results["records"] for one in record.get("given", ())]
    assert "NaN" not in (result.directory / "results.json").read_text()
    leftovers = [path.name for path in result.directory.rglob("*.part")]
    assert leftovers == []


def test_arrays_hold_what_the_records_say(finished):
    result = finished[0]
    for record in result.results["records"]:
        if record["probe"] != "worst_case":
            continue
        name = f"{record['item']}@{record['method']}"
        with h5py.File(result.directory / "arrays" / f"{name}.h5", "r") as file:
            index = int(np.argmin(np.abs(file["radii"][()] - record["radius"])))
            method = file[f"methods/{record['method']}"]
            error = np.linalg.norm(method["perturbed"][index] - method["clean"][()])
        assert record["error"] == pytest.approx(error, rel=1e-3)


def test_a_second_run_in_the_same_directory_does_nothing_and_changes_nothing(finished):
    result = finished[0]
    before = resumable.contents(result.directory)
    events: list[Event] = []
    again = resumable.work(result.directory, on_event=events.append)
    assert {event.kind for event in events} == {"checks", "skipped", "done"}
    assert resumable.contents(result.directory) == before
    assert again.results == result.results


def check_stream(events: list[Event], n_items: int, n_before: int = 0) -> None:
    assert events[0].kind == "checks"
    assert events[-1].kind == "done"
    body = events[1:]
    assert all(event.n_items == n_items for event in body)
    counts = [event.n_done for event in body]
    assert counts[0] >= n_before
    assert counts == sorted(counts)
    assert all(0 <= event.share <= 1 for event in events)
    assert all(event.seconds_left is None or event.seconds_left >= 0 for event in events)
    assert all(event.message for event in events[:-1])
    open_item = ""
    for event in body[:-1]:
        if event.kind == "started":
            assert open_item == ""
            open_item = event.item
        elif event.kind in ("finished", "failed", "progress"):
            assert event.item == open_item
            open_item = "" if event.kind != "progress" else open_item
    assert open_item == ""


def test_the_stream_of_events_is_sane(finished):
    events = finished[1]
    check_stream(events, resumable.N_TASKS)
    assert events[-1].n_done == resumable.N_TASKS
    shares = [
        e.share
        for e in events
        if e.kind == "progress" and e.item == "worst_case-image-image-000@net"
    ]
    assert shares == sorted(shares)
    assert [e.seconds_left for e in events if e.kind == "finished"][-1] == 0
    assert any(event.seconds_left is not None for event in events if event.kind == "progress")


@dataclass(frozen=True, kw_only=True)
class AwkwardRecord(Record):
    value: int = 0


@dataclass(frozen=True, kw_only=True)
class Awkward:
    """A probe whose tasks raise what they are told to, by the index of the image."""

    raises: dict[int, BaseException]
    name = "awkward"
    record_type = AwkwardRecord

    def describe(self):
        return {}

    def measure(self, case: Case):
        case.on_progress("measuring", 0.5)
        for index, error in self.raises.items():
            if torch.equal(case.image, networks.images(4)[index : index + 1]):
                raise error
        return Outcome(
            records=(AwkwardRecord(value=case.seed),), arrays={"a": np.ones(2, np.float32)}
        )

    def verdict(self, measured):
        return Verdict(probe=self.name, verdict="stable", statement="All is well.", measure="value",
                       n_images=len(measured.records))  # fmt: skip


def awkward(out, raises, n=4, **settings):
    plan = Plan(probes=(Awkward(raises=raises),))
    return quick(out, plan=plan, images=networks.images(n), **settings)


def test_failed_tasks_are_recorded_and_tried_again(tmp_path):
    events: list[Event] = []
    error = ValueError("no such thing\nwith a long story")
    result = awkward(tmp_path, {1: error}, on_event=events.append)
    assert result.results["failed"] == [
        {"item": "awkward-image-001@net", "error": "ValueError: no such thing"}
    ]
    assert len(result.results["records"]) == 3
    [verdict] = result.verdicts
    assert verdict["verdict"] == "inconclusive"
    assert verdict["statement"] == "All is well, but 1 of 4 planned items are not finished."
    assert result.exit_code == 3
    check_stream(events, 4)
    assert events[-1].n_done == 3
    failed = json.loads((tmp_path / "failures.jsonl").read_text())
    assert failed["task"] == "awkward-image-001@net"

    events.clear()
    result = awkward(tmp_path, {}, on_event=events.append)
    assert [event.kind for event in events if event.kind in ("skipped", "finished")] == [
        "skipped", "finished"
    ]  # fmt: skip
    assert next(event.n_done for event in events if event.kind == "skipped") == 3
    check_stream(events, 4, n_before=3)
    assert result.results["failed"] == result.results["notes"] == []
    assert (result.verdicts[0]["verdict"], result.exit_code) == ("stable", 0)
    assert not (tmp_path / "failures.jsonl").exists()
    undisturbed = awkward(tmp_path.parent / "undisturbed", {})
    assert undisturbed.results == result.results


def test_a_keyboard_interrupt_inside_a_task_keeps_what_is_finished(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        awkward(tmp_path, {2: KeyboardInterrupt()})
    stored = load_run(tmp_path)
    assert [r["item"] for r in stored.results["records"]] == [
        "awkward-image-000", "awkward-image-001"
    ]  # fmt: skip
    assert stored.results["notes"] == [
        "2 of the planned items are not finished; the verdicts rest on the others."
    ]
    assert stored.verdicts[0]["verdict"] == "inconclusive"
    assert awkward(tmp_path, {}).results == awkward(tmp_path.parent / "whole", {}).results


def test_a_keyboard_interrupt_in_the_middle_of_a_real_search_resumes_identically(
    finished, tmp_path
):
    def stop(event: Event) -> None:
        if event.item == "neighbourhood-image-001@net" and event.share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resumable.work(tmp_path, on_event=stop)
    assert {r["probe"] for r in load_run(tmp_path).results["records"]} == set(FIELDS)
    resumable.work(tmp_path)
    assert resumable.contents(tmp_path) == resumable.contents(finished[0].directory)


def test_a_torn_last_line_is_measured_again(finished, tmp_path):
    result = resumable.work(tmp_path)
    path = tmp_path / "records.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    events: list[Event] = []
    resumable.work(tmp_path, on_event=events.append)
    assert [e.item for e in events if e.kind == "finished"] == [
        "neighbourhood-image-002@zero-filled"
    ]
    assert resumable.contents(tmp_path) == resumable.contents(finished[0].directory)
    assert result.directory == tmp_path


def test_a_weak_search_is_no_obstacle_but_never_stable(tmp_path):
    weak = WorstCase(radii=(0.01,), search=Search(budget=Budget(n_gradients=1)), n_random=1)
    plan = Plan(probes=(weak,), baselines={"double": networks.scaled(1.5)})
    problem = network_problem(networks.scaled(0.9))
    result = quick(tmp_path, plan=plan, problem=problem, images=networks.images(3))
    assert [c["passed"] for c in result.results["checks"] if "strength" in c["name"]] == [False]
    assert result.verdicts[0]["estimate"] == pytest.approx(0.6, rel=0.05)
    assert result.verdicts[0]["verdict"] == "inconclusive"
    assert result.exit_code == 3


def test_a_stable_network_is_called_stable(tmp_path):
    probe = WorstCase(radii=(0.01,), search=Search(budget=Budget(n_gradients=20)), n_random=1)
    plan = Plan(probes=(probe,), baselines={"double": networks.scaled(1.5)})
    problem = network_problem(networks.scaled(0.9))
    result = quick(tmp_path, plan=plan, problem=problem, images=networks.images(3))
    assert (result.verdicts[0]["verdict"], result.exit_code) == ("stable", 0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_real_problems_run(tmp_path, dtype):
    generator = torch.Generator().manual_seed(0)
    forward = MatrixMap(torch.randn(300, 576, generator=generator) / 24, image_shape=(24, 24))
    problem = Problem(
        forward=forward, reconstruct=lambda y, A: A.adjoint(y), real=True, name="net", units="HU"
    )
    plan = Plan(
        probes=(
            WorstCase(radii=(0.01,), domain="data", search=SEARCH, n_random=1),
            Structural(details=("lesion",)),
        ),
        baselines={"half": networks.scaled(0.5)},
    )
    result = run(problem, networks.images(2, size=24, real=True).to(dtype), plan, out=tmp_path)
    assert result.results["failed"] == []
    assert result.results["problem"]["units"] == "HU"
    assert result.results["problem"]["images"][0]["dtype"] == str(dtype).removeprefix("torch.")


def test_black_boxes_can_run_what_needs_no_gradient(tmp_path):
    problem = network_problem(networks.through_numpy, differentiable=False)
    result = quick(tmp_path, problem=problem)
    assert result.results["failed"] == []
    gradient = next(c for c in result.results["checks"] if c["name"] == "gradient")
    assert (gradient["passed"], gradient["value"], gradient["limit"]) == (None, None, None)


def test_a_report_can_be_written_of_a_run_and_of_an_interrupted_one(finished, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        awkward(tmp_path, {2: KeyboardInterrupt()})
    for result in (finished[0], load_run(tmp_path)):
        path = result.report(tmp_path / "out.html")
        assert path.stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("stable", "stable"), 0),
        (("stable", "unstable", "inconclusive"), 1),
        (("stable", "inconclusive"), 3),
        ((), 3),
    ],
)
def test_exit_codes(words, code):
    assert exit_code([{"verdict": word} for word in words]) == code


@pytest.mark.parametrize("text", [None, "{", "[]", '{"schema": "other/2"}'])
def test_a_directory_without_readable_results_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "results.json").write_text(text)
    with pytest.raises(RunError, match="Expected"):
        load_run(tmp_path)


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (lambda results: results.pop("problem"), "problem"),
        (lambda results: results["problem"].pop("images"), "problem.images"),
        (lambda results: results["records"][1].pop("probe"), "records.1.probe"),
        (lambda results: results["records"][0].pop("method"), "records.0.method"),
        (lambda results: results["problem"]["images"][1].pop("id"), "problem.images.1.id"),
        (lambda results: results["verdicts"].append(None), "verdicts.4"),
    ],
)
def test_results_that_lack_something_are_refused_with_its_place(finished, tmp_path, spoil, where):
    results = json.loads((finished[0].directory / "results.json").read_text())
    spoil(results)
    (tmp_path / "results.json").write_text(json.dumps(results))
    with pytest.raises(RunError, match=f"a mistake at {where} "):
        load_run(tmp_path)
