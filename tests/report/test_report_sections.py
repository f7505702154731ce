"""Sections that other packages bring, and probes that bring none."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from shaketable.blocks import (
    Caveat,
    Dot,
    Heading,
    Highlight,
    Measure,
    Note,
    RowChart,
    Section,
    Table,
    plain,
)
from shaketable.blocks.axes import Axis
from shaketable.blocks.charts import Ink
from shaketable.report import build_report
from shaketable.stored import StoredRun
from tests.helpers.report_page import Page, read_page
from tests.helpers.synthetic_run import SyntheticRun, load, save, write_run
from tests.test_registry import announce

SMALL = SyntheticRun(images=("one",), size=32, baselines=("tv",), probes=("structural",))


def run_with_tides(directory: Path) -> Path:
    """A run with records and a verdict of a probe that the package does not know."""
    write_run(directory, SMALL)
    results = load(directory)
    results["records"] += [
        {
            "probe": "tides",
            "item": "structural-one",
            "method": method,
            "role": role,
            "image": "one",
            "height": height,
            "moon_phase": "new",
            "terms": [1, 2],
        }
        for method, role, height in (("deep-mri", "network", 1.25), ("tv", "baseline", 0.75))
    ]
    results["verdicts"].append(
        {"probe": "tides", "verdict": "stable", "statement": "The sea is calm.", "estimate": 0.5}
    )
    save(directory, results)
    return directory


def tide_section(run: StoredRun) -> Section:
    inks = (("deep-mri", Ink(colour="network")),)
    rows = (("one", (Dot(method="deep-mri", value=1.0),)),)
    chart = RowChart(title="Tides", axis=Axis(label="height"), rows=rows, inks=inks)
    return Section(
        title="Tides of the sea",
        question="Does the water rise?",
        blocks=(
            Note(text=("The <dfn>tide</dfn> is <b>wet</b>.",)),
            Heading(title="High water", level=2),
            chart,
            chart,
            Table(caption="Heights.", columns=("When", "Height"), rows=(("noon", plain(1.25)),)),
        ),
        summary=(Measure(name="Height of the tide", values={"deep-mri": plain(1.25)}),),
        highlight=Highlight(severity=99.0, sentences=("The harbour was flooded.",)),
        caveats=(Caveat(title="No storms", text="Wind was not part of the test."),),
    )


def built(monkeypatch: pytest.MonkeyPatch, directory: Path, section: Any) -> Page:
    """The page with a package installed whose section of tides is this."""
    module = ModuleType("tides_of_others")
    module.section = section  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    announce(
        monkeypatch,
        EntryPoint(name="tides", value="tides_of_others:section", group="shaketable.sections"),
    )
    return read_page(build_report(run_with_tides(directory)))


def test_a_section_of_another_package_takes_its_place_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = built(monkeypatch, tmp_path, tide_section)
    assert page.headings[3:9] == [
        "Worst case",
        "Structural",
        "Sampling",
        "Neighbourhood",
        "Tides of the sea",
        "High water",
    ]
    # The most severe picture of all probes stands on the first page, instead of the worst detail.
    assert page.text.index("On one page") < page.text.index("The harbour was flooded.")
    assert "inserted into the image “one”" not in page.text
    for words in ("Does the water rise?", "Height of the tide", "No storms", "is <b>wet</b>."):
        assert words in page.text
    assert "1.25" in page.values
    assert not page.unbalanced
    assert set(page.targets) <= set(page.identifiers)


def _raises(run: StoredRun) -> Section:
    raise KeyError("the <moon>")


def _no_section(run: StoredRun) -> object:
    return ["a list"]


def _no_block(run: StoredRun) -> Section:
    return Section(title="Tides", question="", blocks=("water",))  # type: ignore[arg-type]


def _no_measure(run: StoredRun) -> Section:
    return Section(title="Tides", question="", summary=(3,))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        (_raises, "KeyError: 'the <moon>'"),
        (_no_section, "expected a Section, got list"),
        (_no_block, "expected a block, got str"),
        (_no_measure, "expected a Measure, got int"),
    ],
)
def test_a_section_that_fails_is_named_with_its_reason_and_the_records_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: Any, reason: str
) -> None:
    page = built(monkeypatch, tmp_path, section)
    assert "The section of “tides” is made from its records alone." in page.text
    assert reason in page.text
    assert {"1.25", "0.75"} <= set(page.values)
    assert not page.unbalanced


def test_a_section_that_does_not_load_is_named_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(
        monkeypatch,
        EntryPoint(name="tides", value="no.such:section", group="shaketable.sections"),
    )
    page = read_page(build_report(run_with_tides(tmp_path)))
    assert "No module named 'no'" in page.text
    assert "1.25" in page.values


def test_a_package_whose_probe_was_not_run_is_not_mentioned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(
        monkeypatch,
        EntryPoint(name="tides", value="no.such:section", group="shaketable.sections"),
    )
    assert "tides" not in read_page(build_report(write_run(tmp_path, SMALL))).text.lower()


def test_a_probe_without_a_section_has_table_verdict_and_pictures(tmp_path: Path) -> None:
    page = read_page(build_report(run_with_tides(tmp_path)))
    assert "Tides" in page.headings
    body = page.text.rpartition("What was recorded, as stored.")[2]
    assert "moon phase" in body
    assert "[1, 2]" in body
    assert "Stable: The sea is calm." in page.text
    assert {"1.25", "0.75"} <= set(page.values)
    assert any(alt == "deep-mri: clean" for _, alt in page.pictures)


def test_a_picture_of_another_shape_is_not_drawn_among_the_others(tmp_path: Path) -> None:
    import h5py

    directory = run_with_tides(tmp_path)
    with h5py.File(directory / "arrays" / "structural-one.h5", "a") as store:
        store["methods/deep-mri/spectrum"] = np.ones((8, 8))
        store["methods/deep-mri/smooth"] = np.ones((32, 32))
    alts = [alt for _, alt in read_page(build_report(directory)).pictures]
    assert "deep-mri: smooth" in alts
    assert "deep-mri: spectrum" not in alts
