"""What `sparse.py` has measured, problem by problem: ``benchmarks/results/sparse.json``.

A section, such as ``worst-64``, holds a group of rows for each problem, a map and a method. A run
replaces the groups of the problems that it ran and leaves the others, each with its own commit.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from typing import Any

import torch
from sparse_problems import KINDS, METHODS, ROOT

RESULTS = ROOT / "benchmarks" / "results" / "sparse.json"

Row = dict[str, Any]

_MAPS, _METHODS = list(KINDS), ["linear", *METHODS]


def problem_of(row: Row) -> str:
    """The map and the method of a row."""
    return f"{row['map']} {row['penalty']}"


def store(section: str, rows: list[Row], settings: Row) -> None:
    """Replace the rows of one problem."""
    held = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()  # fmt: skip
    groups = held.setdefault(section, {})
    groups[problem_of(rows[0])] = {
        "commit": commit or os.environ.get("SHAKETABLE_COMMIT", "unknown"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "torch": torch.__version__,
        "settings": settings,
        "rows": rows,
    }
    held[section] = {problem: groups[problem] for problem in sorted(groups, key=_place)}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")


def load() -> dict[str, list[Row]]:
    """The rows of every section, by map and then by method."""
    held = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {
        section: [row for group in groups.values() for row in group["rows"]]
        for section, groups in held.items()
    }


def _place(problem: str) -> tuple[int, int]:
    kind, method = problem.split()
    return _MAPS.index(kind), _METHODS.index(method)
