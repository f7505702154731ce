"""What `run` and `compare` take beside a plan."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from shaketable.cli import main, progress
from shaketable.cli.progress import RunProgress
from shaketable.runs import Event
from tests.helpers.small_plan import write_small_plan

QUICK = {"probes": {"structural": {"details": ["heart"], "size": 8}}}
DONE = (0, 1, 3)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def results(folder: Path, name: str) -> dict[str, Any]:
    return dict(json.loads((folder / name / "results.json").read_text()))


def test_fields_and_seed_in_place_of_the_plans(folder: Path) -> None:
    write_small_plan(folder, QUICK)
    given = ["--set", "probes.structural.contrast=0.5", "--set", "images.count=1", "--seed", "11"]
    assert main(["run", "plan.yaml", "--out", "out", *given]) in DONE
    found = results(folder, "out")
    assert found["plan"]["seed"] == 11
    assert len(found["problem"]["images"]) == 1
    assert {record["contrast"] for record in found["records"]} == {0.5}


def test_a_field_that_does_not_exist_is_named_with_its_option(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_small_plan(folder, QUICK)
    assert main(["run", "plan.yaml", "--out", "out", "--set", "probes.structural.contrst=1"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "--set probes.structural.contrst=1" in message
    assert "did you mean 'contrast'?" in message
    assert not (folder / "out").exists()


def test_a_device_that_is_not_there_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_small_plan(folder, QUICK)
    assert main(["run", "plan.yaml", "--out", "out", "--device", "gpu"]) == 2
    assert "'gpu'" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_summaries_say_what_the_run_says(folder: Path) -> None:
    write_small_plan(folder, QUICK)
    files = ["--summary", "ci/summary.md", "--junit", "ci/junit.xml"]
    assert main(["run", "plan.yaml", "--out", "out", *files]) in DONE
    [verdict] = results(folder, "out")["verdicts"]
    assert f"**{verdict['verdict']}**" in (folder / "ci" / "summary.md").read_text()
    suite = Xml.parse(folder / "ci" / "junit.xml").getroot()[0]
    assert (suite.get("name"), suite.get("tests")) == ("Net", "1")


def test_two_networks_of_a_plan_are_compared_and_two_runs_as_well(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two = [
        {"object": "networks:Net", "name": "net"},
        {"object": "networks:zero_filled", "name": "zero-filled"},
    ]
    write_small_plan(folder, {**QUICK, "network": None, "networks": two})
    assert main(["run", "plan.yaml", "--out", "both", "--store", "store"]) in DONE
    assert "net beside zero-filled, structural: " in capsys.readouterr().out
    for network in two:
        write_small_plan(folder, {**QUICK, "network": network})
        out = ["--out", str(network["name"]), "--store", "store"]
        assert main(["run", "plan.yaml", *out]) in DONE
    kept = capsys.readouterr().out
    assert kept.count(": kept") == 8  # two methods on two images, twice
    assert main(["compare", "net", "zero-filled", "--out", "compared"]) == 0
    assert results(folder, "compared")["comparisons"] == results(folder, "both")["comparisons"]
    assert (folder / "compared" / "report.html").is_file()
    assert main(["show", "compared"]) == 0
    assert "Not executed again" in capsys.readouterr().out


def test_origins_of_the_images_are_in_the_results(folder: Path) -> None:
    write_small_plan(folder, QUICK)
    assert (
        main(["run", "plan.yaml", "--out", "out", "--set", "images.subjects={'*': anna}"]) in DONE
    )
    for index, entry in enumerate(results(folder, "out")["problem"]["images"]):
        assert entry["file"] == "images.npy"
        assert (entry["slice"], entry["subject"]) == (index, "anna")
        assert len(entry["file_sha256"]) == 64
    assert {record["version"] for record in results(folder, "out")["records"]} == {"0.1.0"}


def test_logs_get_a_line_while_nothing_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_SILENCE", 0.2)
    with RunProgress() as drawn:
        drawn(
            Event(
                kind="progress", item="worst_case-image-a@net", message="searching net", n_done=3,
                n_items=9, share=0.45, seconds_left=180.0,
            )
        )  # fmt: skip
        time.sleep(1.5)
    lines = set(capsys.readouterr().out.splitlines())
    assert lines == {"[3/9] worst_case-image-a@net: searching net (45% of it), about 3 min left"}
