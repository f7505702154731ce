"""Checks of the problem, outcomes of the searches, and warnings of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shaketable.report.quantities import counted, listed, plain, readable
from shaketable.report.strength import strength_table
from shaketable.report.tables import Entry, Table
from shaketable.report.views import worst_case_rows
from shaketable.report.words import STATUSES
from shaketable.stored import Record, StoredRun, number, text
from shaketable.stored import sequence as items_of

RESULTS = {
    False: "✕\N{NO-BREAK SPACE}not\N{NO-BREAK SPACE}passed",
    None: "–\N{NO-BREAK SPACE}not\N{NO-BREAK SPACE}made",
    True: "✓\N{NO-BREAK SPACE}passed",
}


@dataclass(frozen=True, kw_only=True)
class ChecksSection:
    """What was checked, how the searches ended, what the run warned of."""

    verdict: str
    checks: Table | None
    strength: Table | None
    searches: Table | None
    has_gaps: bool
    warnings: tuple[str, ...]
    failed: tuple[str, ...]
    unreadable: tuple[str, ...]


def build_checks(run: StoredRun) -> ChecksSection:
    """Return the section on how far the run itself can be relied on."""
    checks = [c for c in items_of(run.results, "checks") if hasattr(c, "get")]
    ordered = sorted(checks, key=lambda check: list(RESULTS).index(_passed(check)))
    return ChecksSection(
        verdict=_verdict(checks),
        checks=_table(ordered) if ordered else None,
        strength=strength_table(checks),
        searches=_searches(run),
        has_gaps=any(row.solver_gap is not None for row in worst_case_rows(run)),
        warnings=tuple(str(note) for note in items_of(run.results, "notes")),
        failed=_failed(run),
        unreadable=_unreadable(run),
    )


def _passed(check: Record) -> bool | None:
    passed = check.get("passed")
    return passed if isinstance(passed, bool) else None


def _verdict(checks: Sequence[Record]) -> str:
    if not checks:
        return "The run holds no checks."
    n_failed = sum(_passed(check) is False for check in checks)
    n_missing = sum(_passed(check) is None for check in checks)
    if not n_failed and not n_missing:
        return f"All {len(checks)} checks passed."
    parts = [
        f"{n_failed} did not pass" if n_failed else "",
        f"{n_missing} could not be made" if n_missing else "",
    ]
    return f"Of {counted(len(checks), 'check')}, {listed(filter(None, parts))}; they stand first."


def _table(checks: Sequence[Record]) -> Table:
    entries: list[tuple[Entry, ...]] = [
        (
            RESULTS[_passed(check)],
            text(check, "name", "unnamed").replace("_", " "),
            plain(number(check, "value")),
            plain(number(check, "limit")),
            text(check, "sentence"),
        )
        for check in checks
    ]
    return Table(
        caption="Checks of the forward map, the network, the stable methods and the searches, made "
        "before the test. Whether a value must lie below or above its limit is said in the sentence.",
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


def _failed(run: StoredRun) -> tuple[str, ...]:
    entries = [entry for entry in items_of(run.results, "failed") if isinstance(entry, Mapping)]
    return tuple(
        f"{text(entry, 'item', 'an item')}: {text(entry, 'error', 'no reason stored')}"
        for entry in entries
    )


def _unreadable(run: StoredRun) -> tuple[str, ...]:
    found = sorted(run.unreadable.items())
    return tuple(f"arrays/{item}.h5: {why}, so its pictures are left out" for item, why in found)
