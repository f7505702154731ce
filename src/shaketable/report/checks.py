"""Checks of the problem, outcomes of the searches, and warnings of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shaketable.report.quantities import plain, readable
from shaketable.report.stored import Record, StoredRun, number, text
from shaketable.report.stored import sequence as items_of
from shaketable.report.tables import Entry, Table
from shaketable.report.views import worst_case_rows
from shaketable.report.words import STATUSES


@dataclass(frozen=True, kw_only=True)
class ChecksSection:
    """What was checked, how the searches ended, what the run warned of."""

    verdict: str
    checks: Table | None
    searches: Table | None
    warnings: tuple[str, ...]
    failed: tuple[str, ...]


def build_checks(run: StoredRun) -> ChecksSection:
    """Return the section on how far the run itself can be relied on."""
    checks = [c for c in items_of(run.results, "checks") if hasattr(c, "get")]
    ordered = sorted(checks, key=lambda check: check.get("passed") is True)
    n_failed = sum(check.get("passed") is not True for check in checks)
    verdict = "The run holds no checks."
    if checks:
        verdict = f"All {len(checks)} checks passed."
    if n_failed:
        verdict = f"{n_failed} of {len(checks)} checks did not pass; they stand first."
    return ChecksSection(
        verdict=verdict,
        checks=_table(ordered) if ordered else None,
        searches=_searches(run),
        warnings=tuple(str(note) for note in items_of(run.results, "notes")),
        failed=_failed_items(run),
    )


def _table(checks: Sequence[Record]) -> Table:
    entries: list[tuple[Entry, ...]] = [
        (
            "✓ passed" if check.get("passed") is True else "✕ not passed",
            text(check, "name", "unnamed").replace("_", " "),
            plain(number(check, "value")),
            plain(number(check, "limit")),
            text(check, "sentence"),
        )
        for check in checks
    ]
    return Table(
        caption="Checks of the forward map, the network and the stable methods before the search.",
        columns=("Result", "Check", "Value", "Limit", "What it says"),
        rows=tuple(entries),
    )


def _searches(run: StoredRun) -> Table | None:
    rows = worst_case_rows(run)
    if not rows:
        return None
    counts = Counter((row.source.method, row.status) for row in rows)
    gaps = {
        method: max((r.solver_gap or 0.0 for r in rows if r.source.method == method), default=0.0)
        for method in run.methods
    }
    entries: list[tuple[Entry, ...]] = []
    for method in run.methods:
        for status in sorted(status for name, status in counts if name == method):
            meaning = STATUSES.get(status, "a status that this version of the report does not know")
            count = counts[method, status]
            gap = readable(gaps[method]) if gaps[method] else "–"
            entries.append((method, status, plain(float(count)), meaning, gap))
    return Table(
        caption="How the searches for worst cases ended: one search per image, domain and size.",
        columns=("Method", "Ended", "Searches", "Meaning", "Largest solver gap"),
        rows=tuple(entries),
    )


def _failed_items(run: StoredRun) -> tuple[str, ...]:
    failed = []
    for entry in items_of(run.results, "failed"):
        if hasattr(entry, "get"):
            failed.append(
                f"{text(entry, 'item', 'an item')}: {text(entry, 'error', 'no reason stored')}"
            )
        else:
            failed.append(str(entry))
    unreadable = sorted(run.unreadable.items())
    failed += [f"arrays/{item}.h5: {why}, so its pictures are left out" for item, why in unreadable]
    return tuple(failed)
