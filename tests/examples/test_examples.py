from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shaketable.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"


def run_script(script: Path, folder: Path, *arguments: str) -> str:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, str(script), *arguments], cwd=folder, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_ten_lines_of_python(tmp_path: Path) -> None:
    printed = run_script(EXAMPLES / "bring_your_own.py", tmp_path)
    assert "worst_case: " in printed
    assert "structural: " in printed
    assert (tmp_path / "runs" / "bring-your-own" / "report.html").is_file()


@pytest.mark.slow
def test_programs_without_gradients_are_searched_as_well_as_with_them(tmp_path: Path) -> None:
    printed = run_script(EXAMPLES / "black_boxes.py", tmp_path).splitlines()[1:]
    assert [line.split(",")[0] for line in printed] == ["NumPy", "ONNX", "another process"]
    for line in printed:
        assert "600 queries, no gradients: amplification at least" in line
        assert int(line.split("%")[0].split()[-1]) >= 90


@pytest.mark.slow
def test_the_unet_is_trained_and_its_plan_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "unet_yaml"
    shutil.copytree(EXAMPLES / "unet_yaml", folder, ignore=shutil.ignore_patterns("__pycache__"))
    printed = run_script(folder / "train.py", folder, "--steps", "8")
    assert "held-out images: U-Net" in printed
    assert np.load(folder / "test.npy").shape == (4, 64, 64)

    monkeypatch.setattr(sys, "path", list(sys.path))
    assert main(["check", str(folder / "plan.yaml")]) == 0
    assert "is fine" in capsys.readouterr().out
