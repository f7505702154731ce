"""From finished items to ``results.json``: the whole of what a run found, as plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from shaketable.checks import Check
from shaketable.plan import Plan
from shaketable.probes import Record, Subject, Verdict
from shaketable.runs.environment import environment
from shaketable.runs.identity import describe_problem
from shaketable.version import __version__

SCHEMA = "shaketable.results/1"


def assemble(
    subject: Subject,
    plan: Plan,
    *,
    seed: int,
    checks: Sequence[Check],
    finished: Mapping[str, Sequence[Record]],
    failures: Mapping[str, str],
) -> dict[str, object]:
    """Everything that ``results.json`` holds.

    Parameters
    ----------
    subject, plan, seed
        What was run.
    checks
        All checks, passed, failed and not run.
    finished
        Records by item key.
    failures
        Error sentence by item key.
    """
    records: list[Record] = []
    verdicts = []
    missing = 0
    for probe in plan.probes:
        keys = [item.key for item in probe.items(subject)]
        mine = [record for key in keys for record in finished.get(key, ())]
        n_missing = sum(key not in finished for key in keys)
        missing += n_missing
        records += mine
        verdict = probe.verdict(subject, mine, checks)
        verdicts.append(_verdict_entry(_partial(verdict, n_missing, len(keys))))
    notes = []
    if missing:
        notes.append(
            f"{missing} of the planned items are not finished; the verdicts rest on the others."
        )
    return {
        "schema": SCHEMA,
        "tool": {"name": "shaketable", "version": __version__},
        "environment": environment(subject.images.device),
        "plan": {**plan.describe(), "seed": seed},
        "problem": describe_problem(subject),
        "checks": [_check_entry(check) for check in checks],
        "records": records,
        "verdicts": verdicts,
        "failed": [{"item": key, "error": sentence} for key, sentence in failures.items()],
        "notes": notes,
    }


def exit_code(verdicts: Sequence[Mapping[str, object]]) -> int:
    """0: all stable; 1: something is unstable; 3: nothing unstable, something inconclusive."""
    words = {verdict["verdict"] for verdict in verdicts}
    if "unstable" in words:
        return 1
    return 3 if "inconclusive" in words or not words else 0


def _partial(verdict: Verdict, n_missing: int, n_planned: int) -> Verdict:
    """A verdict on a part of the plan: an instability stays one, stability needs the whole."""
    if n_planned and n_missing == n_planned:
        statement = f"Nothing can be said: none of the {n_planned} planned items is finished."
        return replace(
            verdict, verdict="inconclusive", statement=statement, estimate=None, interval=None,
            n_images=0,
        )  # fmt: skip
    if n_missing == 0 or verdict.verdict != "stable":
        return verdict
    statement = (
        f"{verdict.statement.removesuffix('.')}, but {n_missing} of {n_planned} planned items are "
        "not finished."
    )
    return replace(verdict, verdict="inconclusive", statement=statement)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _check_entry(check: Check) -> dict[str, object]:
    entry = asdict(check)
    return entry | {"value": _finite(check.value), "limit": _finite(check.limit)}


def _verdict_entry(verdict: Verdict) -> dict[str, object]:
    entry = asdict(verdict)
    interval = verdict.interval
    return entry | {
        "estimate": _finite(verdict.estimate),
        "interval": None if interval is None else [_finite(interval[0]), _finite(interval[1])],
    }
