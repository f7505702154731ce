"""Numbers as readers see them: rounded for the eye, exact in the page's source.

A template writes a `Number` as ``<data value="7.123456">7.12</data>``: the value is the one of
``results.json``, digit for digit, the text is for reading.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

MISSING = "–"


def readable(value: float | None, digits: int = 3) -> str:
    """Return a number with ``digits`` significant digits; whole parts are never rounded away.

    Examples
    --------
    >>> readable(7.1234), readable(0.5), readable(1234.5), readable(0.00012), readable(None)
    ('7.12', '0.5', '1234', '1.2e-4', '–')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    size = abs(value)
    sign = "−" if value < 0 else ""
    if size < 1e-3 or size >= 1e6:
        mantissa, exponent = f"{size:.{digits - 1}e}".split("e")
        return f"{sign}{_trimmed(mantissa)}e{int(exponent)}"
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    return sign + _trimmed(f"{size:.{decimals}f}")


def _trimmed(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number in a page.

    Parameters
    ----------
    value
        As stored; None where there is none.
    text
        As read.
    """

    value: float | None
    text: str

    def __str__(self) -> str:
        """As read."""
        return self.text


@dataclass(frozen=True, kw_only=True)
class Interval:
    """The two ends of an interval."""

    low: Number
    high: Number

    def __str__(self) -> str:
        """As read."""
        return f"{self.low} to {self.high}"


def plain(value: float | None, digits: int = 3) -> Number:
    """Return a number without unit."""
    return Number(value=value, text=readable(value, digits))


def percent(value: float | None, digits: int = 2) -> Number:
    r"""Return a share, written in percent.

    Examples
    --------
    >>> str(percent(0.0312))
    '3.1\xa0%'
    """
    if value is None or not math.isfinite(value):
        return Number(value=None, text=MISSING)
    return Number(value=value, text=f"{readable(100 * value, digits)}\N{NO-BREAK SPACE}%")


def decibel(value: float | None) -> Number:
    """Return a level in dB, with one decimal."""
    if value is None or not math.isfinite(value):
        return Number(value=None, text=MISSING)
    return Number(value=value, text=f"{value:.1f}\N{NO-BREAK SPACE}dB".replace("-", "−"))


def interval(low: float | None, high: float | None, as_percent: bool = False) -> Interval:
    """Return an interval of plain numbers or of shares."""
    if as_percent:
        return Interval(low=percent(low, 3), high=percent(high, 3))
    return Interval(low=plain(low), high=plain(high))


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the numbers that exist; None if there are none."""
    found = [value for value in values if value is not None]
    return math.fsum(found) / len(found) if found else None


def extent(values: Iterable[float | None]) -> tuple[float | None, float | None]:
    """Return the smallest and the largest of the numbers that exist."""
    found = [value for value in values if value is not None]
    return (min(found), max(found)) if found else (None, None)


def ratio(above: float | None, below: float | None) -> float | None:
    """``above / below``; None where one is missing or the quotient does not exist."""
    if above is None or below is None or below == 0:
        return None
    quotient = above / below
    return quotient if math.isfinite(quotient) else None


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> counted(1, "image"), counted(3, "image"), counted(2, "entry", "entries")
    ('1 image', '3 images', '2 entries')
    """
    return f"{count} {one if count == 1 else many or one + 's'}"


def listed(names: Iterable[str]) -> str:
    """Names in a sentence: "a, b and c"."""
    found = list(names)
    return (
        found[0]
        if len(found) == 1
        else " and ".join(filter(None, [", ".join(found[:-1]), *found[-1:]]))
    )


def same(a: float | None, b: float | None) -> bool:
    """Whether two stored settings are the same up to single precision."""
    return a is not None and b is not None and math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-12)


def distinct(values: Iterable[float | None]) -> list[float]:
    """The settings that occur, from small to large."""
    found: list[float] = []
    for value in values:
        if value is not None and not any(same(value, known) for known in found):
            found.append(value)
    return sorted(found)


def severity(value: float | None) -> float:
    """Return a key for sorting: what is missing comes last when sorted from large to small."""
    return -math.inf if value is None else value
