"""Two runs side by side say what one run of both networks says."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from shaketable import BlackBox, Budget, Plan, Problem, Search, Structural, WorstCase, run
from shaketable.errors import RunError
from shaketable.runs import load_run
from shaketable.runs.compare import compare_runs
from tests.helpers import networks, watched
from tests.helpers.resumable import contents

FULL = networks.fourier(1.0, size=watched.SIZE)
PLAN = Plan(
    probes=(
        WorstCase(radii=(0.01, 0.02), search=BlackBox(n_queries=6), n_random=1),
        Structural(details=("heart",)),
    ),
    baselines={"reference": networks.scaled(0.9)},
)


def problem(factor: float, name: str) -> Problem:
    return Problem(forward=FULL, reconstruct=networks.scaled(factor), name=name)


def begin(out, *problems, images=None, plan=PLAN, **settings):
    images = watched.images(3) if images is None else images
    return run(problems, images, plan, out=out, **settings)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Path]:
    """Each network alone, and both together."""
    folder = tmp_path_factory.mktemp("compare")
    a, b = problem(1.5, "a"), problem(1.2, "b")
    begin(folder / "a", a)
    begin(folder / "b", b)
    begin(folder / "both", a, b)
    return {name: folder / name for name in ("a", "b", "both")}


def test_two_runs_say_what_one_run_of_both_says(runs, tmp_path):
    result = compare_runs([runs["a"], runs["b"]], tmp_path / "out")
    both = load_run(runs["both"])
    assert list(result.comparisons) == list(both.comparisons)
    assert len(result.comparisons) == 2
    order = {probe: index for index, probe in enumerate(("worst_case", "structural"))}
    mine = sorted(result.verdicts, key=lambda v: (order[v["probe"]], v["network"]))
    assert mine == list(both.verdicts)

    def key(record):
        return (record["item"], record["method"], record.get("radius") or 0.0)

    assert sorted(result.records, key=key) == sorted(both.records, key=key)
    assert load_run(tmp_path / "out").results == result.results
    assert result.results["notes"] == []
    problem_ = result.results["problem"]
    assert [one["name"] for one in problem_["networks"]] == ["a", "b"]
    assert problem_["baselines"] == ["reference"]
    assert contents_of_arrays(tmp_path / "out") == contents_of_arrays(runs["both"])


def contents_of_arrays(out: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted((out / "arrays").iterdir()):
        with h5py.File(path, "r") as file:
            names: list[str] = []
            file.visititems(
                lambda name, node, names=names: (
                    names.append(name) if isinstance(node, h5py.Dataset) else None
                )
            )
            for name in names:
                values = file[name][()]
                found[f"{path.name}/{name}"] = (
                    repr(list(values)).encode() if values.dtype == object else values.tobytes()
                )
    return found


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_the_worst_that_a_reference_was_given_is_that_of_all_networks(tmp_path, order):
    hidden = {
        name: Problem(
            forward=watched.FORWARD, name=name,
            reconstruct=networks.Unstable(watched.FORWARD, watched.images(1), gain=gain, seed=seed),
        )
        for name, gain, seed in (("a", 2.0, 0), ("b", 3.0, 1))
    }  # fmt: skip
    search = Search(budget=Budget(n_gradients=8))
    probe = watched.Unproven(radii=(0.01, 0.02), search=search, n_random=1)
    plan = Plan(probes=(probe,), baselines={"reference": networks.zero_filled})
    for name, each in hidden.items():
        begin(tmp_path / name, each, plan=plan)
    both = begin(tmp_path / "both", *(hidden[name] for name in order), plan=plan)
    result = compare_runs([tmp_path / name for name in order], tmp_path / "out")
    found = [r for r in result.records if r.get("given")]
    assert len(found) == 3 * 2
    for record in found:
        errors = [one["error"] for one in record["given"]]
        assert [one["network"] for one in record["given"]] == list(order)
        assert len(set(errors)) == 2
        assert record["given_network_error"] == max(errors)
    assert found == [r for r in both.records if r.get("given")]


def test_networks_of_one_name_are_told_apart_by_their_runs(runs, tmp_path):
    begin(tmp_path / "later", problem(1.3, "a"))
    result = compare_runs([runs["a"], tmp_path / "later"], tmp_path / "out")
    names = ["a (a)", "a (later)"]
    assert [one["name"] for one in result.results["problem"]["networks"]] == names
    assert {v["network"] for v in result.verdicts} == set(names)
    assert {(c["network"], c["beside"]) for c in result.comparisons} == {tuple(names)}
    ratio = next(c["estimate"] for c in result.comparisons if c["probe"] == "worst_case")
    assert ratio == pytest.approx(1.5 / 1.3, rel=2e-2)
    for name, factor in zip(names, (1.5, 1.3), strict=True):
        file = "structural-image-000@" + {"a (a)": "a-a", "a (later)": "a-later"}[name]
        with h5py.File(tmp_path / "out" / "arrays" / f"{file}.h5", "r") as stored:
            clean = stored[f"methods/{name}/clean"][()]
        image = watched.images(1)[0].numpy()
        np.testing.assert_allclose(clean, factor * image, atol=1e-5)
    shutil.copytree(runs["a"], tmp_path / "copies" / "a")
    same = compare_runs([runs["a"], tmp_path / "copies" / "a"], tmp_path / "same")
    names = [one["name"] for one in same.results["problem"]["networks"]]
    assert len(set(names)) == 2
    assert {c["verdict"] for c in same.comparisons} == {"inconclusive"}


def test_images_that_not_all_have_are_left_out_and_said(runs, tmp_path):
    begin(tmp_path / "fewer", problem(1.2, "b"), images=watched.images(2))
    result = compare_runs([runs["a"], tmp_path / "fewer"], tmp_path / "out")
    assert {r["image"] for r in result.records} == {"image-000", "image-001"}
    assert {c["n_images"] for c in result.comparisons} == {2}
    [note] = result.results["notes"]
    assert note.startswith("1 of 3 images of a are not in all runs and are left out (image-002)")


def test_other_images_are_refused(runs, tmp_path):
    begin(tmp_path / "other", problem(1.2, "b"), images=1.1 * watched.images(3))
    with pytest.raises(RunError, match="runs of the same images"):
        compare_runs([runs["a"], tmp_path / "other"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_map_is_refused(runs, tmp_path):
    begin(tmp_path / "other", replace(problem(1.2, "b"), forward=networks.fourier(0.75, size=24)))
    with pytest.raises(RunError, match="runs on one forward map"):
        compare_runs([runs["a"], tmp_path / "other"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_probes_with_other_settings_are_not_compared_and_said(runs, tmp_path):
    worst = WorstCase(radii=(0.01, 0.03), search=BlackBox(n_queries=6), n_random=1)
    plan = replace(PLAN, probes=(worst, PLAN.probes[1]))
    begin(tmp_path / "other", problem(1.2, "b"), plan=plan, seed=1)
    result = compare_runs([runs["a"], tmp_path / "other"], tmp_path / "out")
    assert [c["probe"] for c in result.comparisons] == ["structural"]
    assert {r["probe"] for r in result.records} == {"structural"}
    notes = result.results["notes"]
    assert "The runs have different seeds, so random draws are not the same." in notes
    assert "worst_case was run with other settings (radii); it is not compared." in notes
    begin(tmp_path / "less", problem(1.2, "b"), plan=replace(PLAN, probes=PLAN.probes[1:]))
    result = compare_runs([runs["a"], tmp_path / "less"], tmp_path / "less out")
    assert result.results["notes"] == ["worst_case was not run everywhere, so it is not compared."]


def test_a_directory_with_something_in_it_is_left_alone(runs, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(RunError, match="Expected a new directory"):
        compare_runs([runs["a"], runs["b"]], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(RunError, match="at least two runs"):
        compare_runs([runs["a"]], tmp_path / "out")
    with pytest.raises(RunError, match="readable results"):
        compare_runs([runs["a"], tmp_path / "nowhere"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_runs_stay_as_they_are(runs, tmp_path):
    before = contents(runs["a"]), contents(runs["b"])
    compare_runs([runs["a"], runs["b"]], tmp_path / "out")
    assert (contents(runs["a"]), contents(runs["b"])) == before
