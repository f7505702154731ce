"""What people bring may be wrong in many ways: each gets one sentence, exit code 2, no leftovers."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from shaketable.cli import main
from tests.helpers.bad_inputs import CASES
from tests.helpers.small_plan import write_small_plan


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a good plan, entered; imports from it leave nothing behind."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def everything_in(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder, with the content of files."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def test_the_plan_is_good_before_it_is_spoiled(folder: Path) -> None:
    write_small_plan(folder)
    assert main(["run", "plan.yaml", "--out", "out"]) in (0, 1, 3)


@pytest.mark.parametrize("name", CASES)
def test_one_sentence_and_nothing_written(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    plan = write_small_plan(folder, case.changes)
    if case.spoil is not None:
        case.spoil(folder)
    before = everything_in(folder)
    capsys.readouterr()

    code = main(case.command)

    message = capsys.readouterr().err
    assert code == 2
    assert message.count("\n") == 1
    assert "Traceback" not in message
    assert not re.search(r"[.!] [A-Z]", message), f"more than one sentence: {message}"
    for part in case.says:
        assert part in message
    if case.line is not None:
        lines = plan.read_text().splitlines()
        number = next(n for n, content in enumerate(lines, 1) if case.line in content)
        assert message.startswith(f"plan.yaml:{number}: ")
    assert everything_in(folder) == before


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 30
    assert len({tuple(case.says) for case in CASES.values()}) > 0.9 * len(CASES)
