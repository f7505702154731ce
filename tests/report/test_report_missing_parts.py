"""Whatever is missing from a run, a page comes out, well formed and without a lie."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import h5py
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shaketable.report import build_report
from tests.helpers.report_page import Page, read_page
from tests.helpers.synthetic_run import SyntheticRun, load, save, write_run

JUNK = (None, "", "text", -1, float("nan"), [], {}, [None], True)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(
        tmp_path_factory.mktemp("run"), SyntheticRun(size=16, images=("one",), baselines=("tv",))
    )


def assert_whole(page: Page) -> None:
    """Every part of the page is there, and no section of ours has failed."""
    assert not page.unbalanced
    assert page.headings[1:3] == ["Verdicts", "On one page"]
    assert page.headings[-3:] == ["Checks and warnings", "What this does not show", "How to replay"]
    titles = ("Worst case", "Structural", "Sampling")
    assert [h for h in page.headings if h in titles] == list(titles)
    assert "Neighbourhood" in page.headings
    assert "A section that could not be made" not in page.text


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All places inside the results except the schema."""
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    found = []
    for key, inner in pairs:
        if (*path, key) != ("schema",):
            found += [(*path, key), *_places(inner, (*path, key))]
    return found


def _put(results: Any, path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        try:
            results = results[key]
        except (KeyError, IndexError, TypeError):
            return  # an earlier change took this place away
    try:
        results[path[-1]] = value
    except (IndexError, TypeError):
        return


@settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_random_junk_in_the_results(original: Path, tmp_path: Path, data: st.DataObject) -> None:
    results = copy.deepcopy(load(original))
    places = _places(results)
    for _ in range(data.draw(st.integers(1, 8))):
        _put(results, data.draw(st.sampled_from(places)), data.draw(st.sampled_from(JUNK)))
    directory = tmp_path / "run"
    if not directory.exists():
        shutil.copytree(original, directory)
    save(directory, results)
    page = read_page(build_report(directory))
    assert_whole(page)
    assert "nan" not in [value.lower() for value in page.values]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data())
def test_random_arrays_missing_or_misshapen(
    original: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("arrays") / "run"
    shutil.copytree(original, directory)
    files = sorted((directory / "arrays").iterdir())
    for _ in range(data.draw(st.integers(1, 6))):
        with h5py.File(data.draw(st.sampled_from(files)), "a") as store:
            names: list[str] = []
            store.visit(names.append)
            name = data.draw(st.sampled_from(sorted(names) or ["nothing"]))
            if name in store:
                del store[name]
            if data.draw(st.booleans()):
                store.require_dataset(f"{name}-other", shape=(3,), dtype="f4")
                store[name] = [[1.0, float("nan")]] if data.draw(st.booleans()) else 3
    page = read_page(build_report(directory))
    assert_whole(page)


@pytest.mark.parametrize("part", ["records", "verdicts", "checks", "notes", "plan", "problem"])
def test_a_whole_part_missing(original: Path, tmp_path: Path, part: str) -> None:
    directory = tmp_path / "run"
    shutil.copytree(original, directory)
    results = load(original)
    del results[part]
    save(directory, results)
    page = read_page(build_report(directory))
    assert_whole(page)


def test_a_probe_without_meaning_says_why(original: Path, tmp_path: Path) -> None:
    directory = tmp_path / "run"
    shutil.copytree(original, directory)
    results = load(original)
    results["records"] = [r for r in results["records"] if r["probe"] != "sampling"]
    results["verdicts"] = [v for v in results["verdicts"] if v["probe"] != "sampling"]
    results["plan"]["probes"].pop("sampling", None)
    results["plan"]["not_applicable"] = {"sampling": "its samples <are> fixed."}
    save(directory, results)
    text = build_report(directory).read_text(encoding="utf-8")
    assert "This probe has no meaning for this network: its samples &lt;are&gt; fixed." in text
    assert "Not applicable: its samples &lt;are&gt; fixed.</p>" in text
    assert "Not run" not in text
    assert "Probes that were not run" not in text
