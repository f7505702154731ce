"""Intervals that verdicts rest on."""

from shaketable.statistics.intervals import (
    Interval,
    mean_interval,
    ratio_interval,
    share_interval,
)

__all__ = ["Interval", "mean_interval", "ratio_interval", "share_interval"]
