"""Runs of the first version, with one file of arrays per image and one network, still open."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from shaketable.cli import main
from shaketable.runs import load_run

STORED = Path(__file__).parents[1] / "data" / "results-1"


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(STORED, tmp_path / "old"))


def test_every_stored_perturbation_is_executed_again(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "old"]) == 0
    shown = capsys.readouterr().out
    # all sizes of noise share one worst case; every other record is executed on its own
    assert shown.count(" same") == len(load_run(old).records)
    assert "DIFFERENT" not in shown


def test_the_report_has_every_section_with_pictures(old: Path) -> None:
    assert main(["report", "old"]) == 0
    page = (old / "report.html").read_text()
    for title in ("Worst case", "Structural", "Sampling", "Neighbourhood"):
        assert f">{title}<" in page
    assert page.count("data:image/png") > 20


def test_it_is_not_resumed(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (old / "results.json").read_bytes()
    assert main(["run", "old/plan.yaml", "--out", "old"]) == 2
    assert "of an older version of Shaketable" in capsys.readouterr().err
    assert (old / "results.json").read_bytes() == before


def test_records_lack_what_did_not_exist_then(old: Path) -> None:
    results = json.loads((old / "results.json").read_text())
    assert "networks" not in results["problem"]
    assert all("version" not in record for record in results["records"])
    assert load_run(old).comparisons == ()
    assert repr(load_run(old)).count("inconclusive") == len(load_run(old).verdicts)
