"""A run directory that somebody sent: nothing outside is written, nothing raw reaches a terminal."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from shaketable.cli import main
from tests.helpers.small_plan import write_small_plan

STORED = Path(__file__).parents[1] / "data" / "results-1"
QUICK = {"probes": {"structural": {"details": ["heart"], "size": 8}}}
MINE = b"what must not be touched"


@pytest.fixture
def received(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").write_bytes(MINE)
    return Path(shutil.copytree(STORED, tmp_path / "run"))


@pytest.mark.parametrize("name", ["report.html", "report.html.part"])
def test_a_report_is_not_written_through_a_link(received: Path, tmp_path: Path, name: str) -> None:
    (received / name).symlink_to(tmp_path / "mine")
    assert main(["report", "run"]) == 0
    assert (tmp_path / "mine").read_bytes() == MINE
    assert not (received / "report.html").is_symlink()


@pytest.mark.parametrize(
    "name", ["lock", "records.jsonl", "timings.jsonl", "checks.jsonl", "results.json.part"]
)
def test_a_run_is_not_written_through_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_small_plan(tmp_path, QUICK)
    assert main(["run", "plan.yaml", "--out", "out"]) in (0, 1, 3)
    (tmp_path / "mine").write_bytes(b"")
    for file in ("records.jsonl", "timings.jsonl", "checks.jsonl", "lock"):
        (tmp_path / "out" / file).unlink()
    (tmp_path / "out" / name).symlink_to(tmp_path / "mine")
    capsys.readouterr()
    code = main(["run", "plan.yaml", "--out", "out"])
    assert code in (0, 1, 3) if name == "results.json.part" else code == 2
    assert (tmp_path / "mine").read_bytes() == b""
    assert capsys.readouterr().err.count("\n") == (code == 2)


def test_escape_sequences_do_not_reach_the_terminal(
    received: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = json.loads((received / "results.json").read_text())
    evil = "\x1b]0;owned\x07\x1b[31m"
    for verdict in results["verdicts"]:
        verdict["statement"] += evil
        verdict["domain"] = evil
    (received / "results.json").write_text(json.dumps(results))
    assert main(["show", "run", "worst_case"]) in (0, 2)
    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err
    assert "\x07" not in printed.out + printed.err


@pytest.mark.parametrize("place", ["at the top", "in the constructor", "when it is called"])
def test_sys_exit_in_a_network_never_ends_a_run_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_small_plan(tmp_path, {**QUICK, "network": {"object": f"leaving_{place.split()[-1]}:Net"}})
    leave = "sys.exit(0)"
    lines = {
        "at the top": [leave, "pass", "return A.adjoint(y)"],
        "in the constructor": ["pass", leave, "return A.adjoint(y)"],
        "when it is called": ["pass", "pass", leave],
    }[place]
    (tmp_path / f"leaving_{place.split()[-1]}.py").write_text(
        f"import sys\n{lines[0]}\nclass Net:\n    def __init__(self):\n        {lines[1]}\n"
        f"    def __call__(self, y, A):\n        {lines[2]}\n"
    )
    assert main(["run", "plan.yaml", "--out", "out"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "SystemExit" in message or "sys.exit" in message
