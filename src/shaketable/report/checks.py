"""Checks of the problem, and warnings of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shaketable.blocks import Entry, Table, plain
from shaketable.blocks.quantities import counted, listed
from shaketable.report.strength import strength_table
from shaketable.stored import Record, StoredRun, number, text
from shaketable.stored import sequence as items_of

LONGEST_LIST = 60
RESULTS = {
    False: "✕\N{NO-BREAK SPACE}not\N{NO-BREAK SPACE}passed",
    None: "–\N{NO-BREAK SPACE}not\N{NO-BREAK SPACE}made",
    True: "✓\N{NO-BREAK SPACE}passed",
}


@dataclass(frozen=True, kw_only=True)
class ChecksSection:
    """What was checked, and what the run warned of."""

    verdict: str
    checks: Table | None
    strength: Table | None
    warnings: tuple[str, ...]
    failed: tuple[str, ...]
    unreadable: tuple[str, ...]


def build_checks(run: StoredRun) -> ChecksSection:
    """Return the section on how far the run itself can be relied on."""
    ordered = sorted(run.checks, key=lambda check: list(RESULTS).index(_passed(check)))
    return ChecksSection(
        verdict=_verdict(run.checks),
        checks=_table(ordered) if ordered else None,
        strength=strength_table(run.checks),
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
        caption="Checks of the forward map, the network, the reference methods and the searches, made "
        "before the test. Whether a value must lie below or above its limit is said in the sentence.",
        columns=("Result", "Check", "Value", "Limit", "What it says"),
        rows=tuple(entries),
    )


def _failed(run: StoredRun) -> tuple[str, ...]:
    entries = [entry for entry in items_of(run.results, "failed") if isinstance(entry, Mapping)]
    return _shortened(
        [
            f"{text(entry, 'item', 'an item')}: {text(entry, 'error', 'no reason stored')}"
            for entry in entries
        ],
        "failures.jsonl",
    )


def _unreadable(run: StoredRun) -> tuple[str, ...]:
    found = sorted(run.unreadable.items())
    return tuple(f"arrays/{stem}.h5: {why}, so its pictures are left out" for stem, why in found)


def _shortened(lines: list[str], where: str) -> tuple[str, ...]:
    n_left = len(lines) - LONGEST_LIST
    rest = [f"{n_left} more are in {where} of the run directory"] if n_left > 0 else []
    return (*lines[:LONGEST_LIST], *rest)
