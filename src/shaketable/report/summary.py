"""The one-page summary: the single worst picture, and each measure beside the reference methods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from shaketable.blocks import Highlight, Table, plain
from shaketable.report.sections import Shown
from shaketable.stored import StoredRun

_NOTHING = Highlight(severity=0.0, sentences=("No probe of this run has a worst picture to show.",))


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a reader who reads one page should see."""

    worst: Highlight
    table: Table | None


def build_summary(run: StoredRun, shown: Sequence[Shown]) -> Summary:
    """Return the summary: the most severe picture of all probes, and their measures."""
    found = [one.section.highlight for one in shown if one.section.highlight is not None]
    worst = max(found, key=_severity, default=_NOTHING)
    return Summary(worst=worst, table=_table(run, shown))


def _severity(highlight: Highlight) -> float:
    return -math.inf if math.isnan(highlight.severity) else highlight.severity


def _table(run: StoredRun, shown: Sequence[Shown]) -> Table | None:
    measures = [measure for one in shown for measure in one.section.summary]
    lines = [(m.name, [m.values.get(name, plain(None)) for name in run.methods]) for m in measures]
    known = [line for line in lines if any(entry.value is not None for entry in line[1])]
    if not known:
        return None
    several = len(run.networks) > 1
    networks = "The networks and, beside them," if several else "The network and, beside it,"
    return Table(
        caption=f"{networks} the reference methods: means over the images.",
        columns=("Measure", *run.methods),
        rows=tuple((name, *entries) for name, entries in known),
    )
