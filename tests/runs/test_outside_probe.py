"""A probe that an installed package brings is in plans, in reports, in replays; nothing is edited."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path

import pytest

from shaketable.cli import main
from tests.helpers.small_plan import write_small_plan

PROBE = """
from dataclasses import dataclass

import torch

from shaketable.blocks import Note, Section
from shaketable.probes import Outcome, Record, Verdict
from shaketable.probes.probe import array, number


@dataclass(frozen=True, kw_only=True)
class BrightnessRecord(Record):
    gap: float | None = None


@dataclass(frozen=True, kw_only=True)
class Brightness:
    factor: float = 2.0

    name = "brightness"
    record_type = BrightnessRecord

    def measure(self, case):
        expected = self.factor * case.method.reconstruct(case.image)
        got = case.method.reconstruct(self.factor * case.image)
        gap = torch.linalg.vector_norm(got - expected) / torch.linalg.vector_norm(expected)
        return Outcome(
            records=(BrightnessRecord(gap=number(gap)),), arrays={"image": array(case.image[0])}
        )

    def verdict(self, measured):
        gaps = [record.gap for record in measured.of(measured.network)]
        return Verdict(
            probe="brightness", verdict="inconclusive", measure="gap", estimate=max(gaps),
            n_images=len(gaps), statement=f"The largest gap is {max(gaps):.3f}.",
        )


def section(run):
    n = len(run.records_of(BrightnessRecord, "brightness"))
    return Section(
        title="Brightness", question="Twice as bright?", blocks=(Note(text=(f"{n} gaps measured.",)),)
    )
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed distribution, as pip leaves it."""
    site = tmp_path / "site"
    info = site / "bright-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "bright.py").write_text(PROBE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bright\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        textwrap.dedent("""
            [shaketable.probes]
            brightness = bright:Brightness
            [shaketable.sections]
            brightness = bright:section
        """)
    )
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    monkeypatch.chdir(tmp_path)
    yield site
    sys.modules.pop("bright", None)


def test_it_is_planned_run_reported_and_replayed(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_small_plan(tmp_path, {"probes": {"brightness": {"factor": 1.5}}})
    assert main(["run", "plan.yaml", "--out", "out"]) == 3
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["plan"]["probes"]["brightness"] == {"factor": 1.5}
    records = results["records"]
    assert {record["probe"] for record in records} == {"brightness"}
    assert all(record["gap"] < 1 for record in records)
    assert f"{len(records)} gaps measured." in (tmp_path / "out" / "report.html").read_text()
    capsys.readouterr()
    assert main(["show", "out"]) == 0
    shown = capsys.readouterr().out
    assert "Brightness: INCONCLUSIVE" in shown
    assert shown.count(" same") == len(records)


def test_its_fields_are_checked_like_ours(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_small_plan(tmp_path, {"probes": {"brightness": {"factr": 1.5}}})
    assert main(["check", "plan.yaml"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "plan.yaml:" in message
    assert "did you mean 'factor'?" in message


def test_without_its_package_the_report_shows_its_records(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_small_plan(tmp_path, {"probes": {"brightness": {"factor": 1.5}}})
    assert main(["run", "plan.yaml", "--out", "out"]) == 3
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(package)])
    assert main(["report", "out"]) == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "gaps measured" not in page
    assert "The largest gap is" in page
    assert "Brightness" in page
