"""The tables of docs/reference-methods.md, from what `sparse.py` has stored.

    python benchmarks/sparse_tables.py            write them
    python benchmarks/sparse_tables.py --check    compare only; exit code 1 where they differ

A table stands between ``<!-- table: SECTION, SECTION, ... -->`` and ``<!-- end of table -->``; sections
are those of `sparse_results`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from documents import write_tables
from sparse_results import Row, load

MAPS = {
    "fourier": "one coil, 33 % of lines",
    "coils": "15 coils, 15 % of lines",
    "radon": "Radon, 50 views",
}
METHODS = {
    "tv": "total variation",
    "wavelets": "wavelet l1",
    "wavelets-ti": "translation-invariant wavelet l1",
    "tgv": "second-order TGV",
    "shearlets": "shearlets",
    "reweighted": "reweighted shearlets",
}
SOLVERS = ("shaketable", "scico", "pyproximal", "odl", "BART", "sigpy", "deepinv")

Cells = list[str]


def main() -> int:
    stored = load()

    def rows_of(sections: list[str]) -> list[Cells]:
        rows = [row for name in sections for row in stored[name]]
        return TABLES[sections[0].split("-")[0]](rows)

    return write_tables(__doc__.splitlines()[0], "reference-methods.md", stored, rows_of)


def _problem(row: Row) -> str:
    return f"{METHODS[row['penalty']]}, {MAPS[row['map']]}, {row['size']}"


def _number(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.2g}"


def _pivot(rows: list[Row], key: Callable[[Row], str]) -> dict[str, dict[Any, Row]]:
    """By problem, then by a column."""
    found: dict[str, dict[Any, Row]] = {}
    for row in rows:
        found.setdefault(_problem(row), {})[key(row)] = row
    return found


def _speed(rows: list[Row]) -> list[Cells]:
    problems = _pivot(rows, lambda row: row["solver"])

    def cell(row: Row | None) -> str:
        if row is None or "seconds" not in row:
            return ""
        seconds = row["seconds"]
        return seconds if isinstance(seconds, str) else _number(seconds)

    head = ["seconds of one core", *SOLVERS, "with proof"]
    return [head] + [
        [problem, *(cell(by.get(name)) for name in SOLVERS),
         _number(by["shaketable"]["seconds_to_proof"])]
        for problem, by in problems.items()
    ]  # fmt: skip


def _memory(rows: list[Row]) -> list[Cells]:
    problems = _pivot(rows, lambda row: row["solver"])
    solvers = [name for name in SOLVERS if name != "BART"]

    def cell(row: Row | None, key: str = "megabytes") -> str:
        found = "not run" if row is None else row.get(key, "not run")
        return "" if found == "not run" else _number(found)

    return [["MB", *solvers, "with proof"]] + [
        [problem, *(cell(by.get(name)) for name in solvers),
         cell(by.get("shaketable"), "megabytes_with_proof")]
        for problem, by in problems.items()
    ]  # fmt: skip


def _batch(rows: list[Row]) -> list[Cells]:
    head = ["", "ms alone, one thread", "in the batch", "of one thread", "of two", "difference"]
    return [head] + [
        [_problem(row), _number(row["milliseconds_alone_one_thread"]),
         _number(row["milliseconds_alone_one_thread"] * row["ratio_to_one_thread"]),
         f"{row['ratio_to_one_thread']:.2f}", f"{row['ratio_to_all_threads']:.2f}",
         "none" if row["relative_difference"] == 0 else f"{row['relative_difference']:.0e}"]
        for row in rows
    ]  # fmt: skip


def _accuracy(rows: list[Row]) -> list[Cells]:
    linear = {row["map"]: row["psnr"] for row in rows if row["penalty"] == "linear"}
    head = ["dB", "linear", "default", "calibrated on other images", "best on these"]
    return [head] + [
        [_problem(row), f"{linear[row['map']]:.1f}",
         *(_at_strength(row, which) for which in ("default", "calibrated", "best"))]
        for row in rows if row["penalty"] != "linear"
    ]  # fmt: skip


def _at_strength(row: Row, which: str) -> str:
    """``≤``: the smallest strength tried, a smaller may be better; ``*``: its gap was not reached."""
    strength = row["strength" if which == "default" else f"strength_{which}"]
    before = "≤ " if strength == row.get("strength_smallest") else ""
    after = "" if row.get(f"converged_{which}", True) else "*"
    return f"{row[f'psnr_{which}']:.1f} ({before}{strength:g}{after})"


def _worst(rows: list[Row]) -> list[Cells]:
    problems = _pivot(rows, lambda row: row["radius"])
    radii = sorted({row["radius"] for row in rows})
    return [["amplification", "clean, dB", *(f"{100 * radius:g} %" for radius in radii)]] + [
        [problem, f"{by[radii[0]]['clean_psnr']:.1f}",
         *(f"{by[r]['worst']:.2f} ({by[r]['random']:.2f})" for r in radii)]
        for problem, by in problems.items()
    ]  # fmt: skip


def _truncation(rows: list[Row]) -> list[Cells]:
    counts = (10, 20, 50, 100, 250)
    problems = _pivot(
        rows, lambda row: "stopped" if row["stopped_by_gap_1e-3"] else row["iterations"]
    )
    told = any("reference_gap" in row for row in rows)
    head = ["", *(f"{count}" for count in counts), "stopped by a gap of 1e-3"]
    head += ["gap of the reference"] if told else []

    def cell(row: Row) -> str:
        percent = 100 * row["relative_difference"]
        return f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %"

    def reference(row: Row) -> str:
        return f"{row['reference_gap']:.0e}" if "reference_gap" in row else ""

    return [head] + [
        [problem, *(cell(by[count]) if count in by else "" for count in counts),
         f"{cell(by['stopped'])} ({by['stopped']['iterations']})",
         *([reference(by["stopped"])] if told else [])]
        for problem, by in problems.items()
    ]  # fmt: skip


def _gradients(rows: list[Row]) -> list[Cells]:
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        found.setdefault(METHODS[row["penalty"]], {})[row["map"]] = row["relative_error"]
    return [["", *MAPS.values()]] + [
        [name, *(f"{by[kind]:.0e}" for kind in MAPS)] for name, by in found.items()
    ]


TABLES: dict[str, Callable[[list[Row]], list[Cells]]] = {
    "speed": _speed, "memory": _memory, "batch": _batch, "accuracy": _accuracy, "worst": _worst,
    "truncation": _truncation, "gradients": _gradients,
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
