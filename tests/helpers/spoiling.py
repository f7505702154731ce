"""Ways to be wrong: what is spoiled, and what the sentence about it must say."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image

from shaketable.cli import main
from tests.helpers.small_plan import phantoms, plan_with

Spoil = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """One way to be wrong.

    ``changes`` are made to the small plan, ``spoil`` to its folder; ``says`` must all be in the
    sentence; ``line`` is text of the line in the plan that the message must point to.
    """

    name: str
    says: Sequence[str]
    changes: dict[str, Any] | None = None
    spoil: Spoil | None = None
    line: str | None = None
    command: Sequence[str] = ("run", "plan.yaml", "--out", "out")


def text(content: str | bytes, name: str = "plan.yaml") -> Spoil:
    """Write a file."""

    def spoil(folder: Path) -> None:
        raw = textwrap.dedent(content).encode() if isinstance(content, str) else content
        (folder / name).write_bytes(raw)

    return spoil


def array(values: Any, name: str = "images.npy") -> Spoil:
    """Write a NumPy file."""
    return lambda folder: np.save(folder / name, values, allow_pickle=True)


def state(changes: dict[str, torch.Tensor], name: str = "weights.pt") -> Spoil:
    """Write a state dictionary of the small network with some tensors changed."""
    good = {
        "first.weight": torch.zeros(4, 2, 3, 3),
        "first.bias": torch.zeros(4),
        "last.weight": torch.zeros(2, 4, 3, 3),
        "last.bias": torch.zeros(2),
    }
    return lambda folder: torch.save(good | changes, folder / name)


def module(source: str) -> Spoil:
    """Write ``mine.py`` beside the plan."""
    return text("import torch\n" + textwrap.dedent(source), "mine.py")


def without_plan(folder: Path) -> None:
    (folder / "plan.yaml").unlink()


def folder_as_plan(folder: Path) -> None:
    without_plan(folder)
    (folder / "plan.yaml").mkdir()


def two_sizes(folder: Path) -> None:
    (folder / "many").mkdir()
    np.save(folder / "many" / "a.npy", phantoms(1, 32)[0])
    np.save(folder / "many" / "b.npy", phantoms(1, 16)[0])


def colour_png(folder: Path) -> None:
    Image.new("RGB", (32, 32), (200, 10, 10)).save(folder / "photo.png")


def files_in_out(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "letter.txt").write_text("mine")


def junk_in_out(folder: Path) -> None:
    """A run directory whose marker is damaged."""
    (folder / "out").mkdir()
    (folder / "out" / "run.json").write_text("{")


def another_run_in_out(folder: Path) -> None:
    plan = folder / "plan.yaml"
    text_before = plan.read_text()
    plan.write_text(
        yaml.safe_dump(plan_with({"probes": {"structural": {"details": ["heart"], "size": 7}}}))
    )
    assert main(["run", str(plan), "--out", str(folder / "out")]) in (0, 1, 3)
    plan.write_text(text_before)
