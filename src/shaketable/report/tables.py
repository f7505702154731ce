"""Tables of numbers, each number exact in the page's source."""

from __future__ import annotations

from dataclasses import dataclass

from shaketable.report.quantities import Interval, Number

Entry = str | Number | Interval


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

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    fold: str = ""
    groups: tuple[tuple[str, int], ...] = ()


def is_number(entry: Entry) -> bool:
    """Whether an entry is aligned as a number."""
    return not isinstance(entry, str)


def exact(number: Number) -> str:
    """Return the value of a number as ``results.json`` writes it."""
    return "" if number.value is None else repr(number.value)
