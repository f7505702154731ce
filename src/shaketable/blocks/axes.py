"""Axes of charts: round ticks, and where a value lies on paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shaketable.blocks.quantities import readable

Scale = Literal["linear", "log"]


def round_ticks(low: float, high: float, n: int = 5) -> tuple[float, ...]:
    """About ``n`` round numbers from at or below ``low`` to at or above ``high``.

    Examples
    --------
    >>> round_ticks(0.0, 7.3)
    (0.0, 2.0, 4.0, 6.0, 8.0)
    """
    span = high - low
    if not math.isfinite(span) or span <= 0:
        low, span = low - 0.5, 1.0
        high = low + span
    power = 10.0 ** math.floor(math.log10(span / n))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if span / (s * power) <= n)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(k * step, 12) for k in range(first, last + 1))


def decade_ticks(low: float, high: float) -> tuple[float, ...]:
    """1, 2, 5, 10, ... around positive bounds; only powers of ten over more than three decades.

    Examples
    --------
    >>> decade_ticks(0.8, 12.0)
    (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1.0,) if last - first > 3 else (1.0, 2.0, 5.0)
    ticks = [s * 10.0**p for p in range(first - 1, last + 2) for s in steps]
    start = max((t for t in ticks if t <= low * (1 + 1e-9)), default=ticks[0])
    stop = min((t for t in ticks if t >= high * (1 - 1e-9)), default=ticks[-1])
    return tuple(float(f"{t:.12g}") for t in ticks if start <= t <= stop)


@dataclass(frozen=True, kw_only=True)
class Axis:
    """What is written along an axis.

    Parameters
    ----------
    label
        The quantity and its unit.
    scale
        Linear, or logarithmic for positive values.
    from_zero
        Whether a linear axis must show zero.
    """

    label: str
    scale: Scale = "linear"
    from_zero: bool = False

    def fits(self, value: float | None) -> bool:
        """Whether a value has a place on this axis."""
        return value is not None and math.isfinite(value) and (self.scale == "linear" or value > 0)

    def ticks(self, values: Sequence[float]) -> tuple[float, ...]:
        """Return the ticks that cover some values."""
        if not values:
            return (1.0, 10.0) if self.scale == "log" else (0.0, 1.0)
        low, high = min(values), max(values)
        if self.scale == "log":
            return decade_ticks(low, high if high > low else 2 * low)
        return round_ticks(min(0.0, low) if self.from_zero else low, high)


@dataclass(frozen=True, kw_only=True)
class Ruler:
    """An axis laid out on paper.

    Parameters
    ----------
    axis
        The axis.
    ticks
        Its ticks; the outer ones are its ends.
    start, stop
        Where the first and the last tick lie.
    """

    axis: Axis
    ticks: tuple[float, ...]
    start: float
    stop: float

    def place(self, value: float) -> float:
        """Return the position of a value, rounded to a tenth of a unit."""
        low, high = self.ticks[0], self.ticks[-1]
        if self.axis.scale == "log":
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        share = (value - low) / (high - low)
        return round(self.start + share * (self.stop - self.start), 1)

    def labels(self) -> tuple[tuple[float, str], ...]:
        """Position and text of every tick."""
        return tuple((self.place(tick), readable(tick)) for tick in self.ticks)
