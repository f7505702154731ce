"""Tables of numbers, each number exact in the page's source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from shaketable.blocks.quantities import Interval, Number

LONGEST_TABLE = 600


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Several things below each other in one entry.

    Parameters
    ----------
    lines
        Top to bottom.
    tone
        A class of the style sheet that colours the first line: unstable, stable or inconclusive.
    """

    lines: tuple[str | Number | Interval, ...]
    tone: str = ""


Entry = str | Number | Interval | Lines


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table.

    Parameters
    ----------
    caption
        What it lists.
    columns
        The headings. The first column names the row.
    rows
        The entries; as many per row as there are columns.
    fold
        The words behind which a long table is folded away; empty shows it at once.
    groups
        ``(heading, number of columns)`` above the columns, left to right; empty for none.
    """

    kind: ClassVar[Literal["table"]] = "table"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    fold: str = ""
    groups: tuple[tuple[str, int], ...] = ()


def rest_of(n_rows: int, where: str = "records.jsonl") -> str:
    """Return where the rows are that a table leaves out; empty where it holds all of them.

    Examples
    --------
    >>> rest_of(600), rest_of(1800)
    ('', ' The other 1200 are in records.jsonl of the run directory.')
    """
    n_left = n_rows - LONGEST_TABLE
    return f" The other {n_left} are in {where} of the run directory." if n_left > 0 else ""


def count_of(n_rows: int, noun: str) -> str:
    """Return the words behind which a long table is folded away.

    Examples
    --------
    >>> count_of(24, "records"), count_of(1800, "records")
    ('All 24 records', '600 of 1800 records')
    """
    return (
        f"All {n_rows} {noun}" if n_rows <= LONGEST_TABLE else f"{LONGEST_TABLE} of {n_rows} {noun}"
    )


def is_number(entry: Entry) -> bool:
    """Whether an entry is aligned as a number."""
    return isinstance(entry, Number | Interval)


def exact(number: Number) -> str:
    """Return the value of a number as ``results.json`` writes it."""
    return "" if number.value is None else repr(number.value)
