"""What verbs print when they are done: verdicts in words, checks, places of files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shaketable.records import printable

if TYPE_CHECKING:
    from shaketable.checks import Check

_STYLES = {"unstable": "bold red", "stable": "bold green", "inconclusive": "bold yellow"}


def console() -> Console:
    """Standard output as it is now; tests and pipes may have replaced it."""
    return Console(highlight=False, soft_wrap=True)


def say(message: str) -> None:
    """Print a line as it stands."""
    console().print(printable(message), markup=False)


def say_verdicts(verdicts: Iterable[Mapping[str, Any]]) -> None:
    """Print every verdict in words, with its sentence."""
    out, verdicts = console(), list(verdicts)
    several = len({verdict.get("network") for verdict in verdicts}) > 1
    for verdict in verdicts:
        title = _title(verdict)
        if several:
            network = printable(str(verdict.get("network")))
            title = f"{network}, {title[:1].lower()}{title[1:]}"
        word = printable(str(verdict["verdict"]))
        out.print(Text.assemble(f"{title}: ", (word.upper(), _STYLES.get(word, ""))))
        out.print(f"  {printable(str(verdict['statement']))}", markup=False)


def say_comparisons(comparisons: Iterable[Mapping[str, Any]]) -> None:
    """Print how networks compare, image by image."""
    out = console()
    for row in comparisons:
        pair = printable(f"{row['network']} beside {row['beside']}")
        title = f"{pair}, {_title(row).lower()}: "
        out.print(Text.assemble(title, (str(row["verdict"]).upper(), "bold")))
        out.print(f"  {printable(str(row['statement']))}", markup=False)


def _title(row: Mapping[str, Any]) -> str:
    """The probe in words, with its domain."""
    from shaketable.blocks.wording import title_of

    name = title_of(printable(str(row["probe"])))
    return f"{name}, {printable(str(row['domain']))} domain" if row.get("domain") else name


def say_checks(checks: Sequence[Check]) -> None:
    """Print checks as a table: what was measured, what it was compared with."""
    table = Table("check", "value", "limit", "", box=None, pad_edge=False)
    for check in checks:
        word = {True: "passed", False: "failed", None: "not run"}[check.passed]
        table.add_row(check.name, _number(check.value), _number(check.limit), word)
    console().print(table)


def say_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table without lines."""
    table = Table(*headings, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console().print(table)


def say_report(path: Path) -> None:
    """Print where the report is."""
    say(f"Report: {path}")


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3g}"
