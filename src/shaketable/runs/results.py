"""From finished tasks to ``results.json``: the whole of what a run found, as plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from shaketable.plan import Plan
from shaketable.probes.probe import (
    Giving,
    Measured,
    Probe,
    Subject,
    Verdict,
)
from shaketable.records import Record, from_row, to_row
from shaketable.runs.check_rows import check_to_row
from shaketable.runs.checking import Checks, evidence_name
from shaketable.runs.comparing import compare_networks
from shaketable.runs.environment import environment
from shaketable.runs.identity import describe_problem
from shaketable.runs.store import Rows
from shaketable.runs.tasks import Task, tasks_of
from shaketable.version import __version__

SCHEMA = "shaketable.results/1"


def assemble(
    subject: Subject,
    plan: Plan,
    *,
    seed: int,
    checks: Mapping[str, Checks],
    finished: Mapping[str, Rows],
    failures: Mapping[str, str],
    provenance: Sequence[Mapping[str, Any]] = (),
) -> dict[str, object]:
    """Everything that ``results.json`` holds.

    Parameters
    ----------
    subject, plan, seed
        What was run.
    checks
        All checks, passed, failed and not run, by what was checked.
    finished
        Records by task key.
    failures
        Error sentence by task key.
    provenance
        Where the images come from, in their order; empty where nobody said.
    """
    records: list[Record] = []
    verdicts: list[Verdict] = []
    comparisons: list[dict[str, Any]] = []
    missing = 0
    for probe in plan.probes:
        body = _Body.read(probe, subject, finished, checks.get(evidence_name(probe), ()))
        missing += len(body.missing)
        records += body.records()
        verdicts += [body.verdict(problem.name) for problem in subject.problems]
        comparisons += compare_networks(
            probe, {problem.name: body.of(problem.name) for problem in subject.problems}
        )
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
        "problem": describe_problem(subject, provenance),
        "checks": _check_entries(plan.probes, checks),
        "records": [to_row(record) for record in records],
        "verdicts": [_verdict_entry(verdict) for verdict in verdicts],
        "comparisons": comparisons,
        "failed": [{"item": key, "error": sentence} for key, sentence in failures.items()],
        "notes": notes,
    }


@dataclass(frozen=True, kw_only=True)
class _Body:
    """What is known of one probe.

    Parameters
    ----------
    probe, subject
        Whose.
    tasks
        All that were planned.
    done
        Typed records of those that are finished, by key.
    evidence
        Checks of the probe's search.
    """

    probe: Probe
    subject: Subject
    tasks: tuple[Task, ...]
    done: Mapping[str, tuple[Any, ...]]
    evidence: Checks

    @classmethod
    def read(
        cls, probe: Probe, subject: Subject, finished: Mapping[str, Rows], evidence: Checks
    ) -> _Body:
        tasks = tasks_of(probe, subject)
        done = {
            task.key: tuple(from_row(record_type(probe, task), row) for row in finished[task.key])
            for task in tasks
            if task.key in finished
        }
        return cls(probe=probe, subject=subject, tasks=tasks, done=done, evidence=evidence)

    @property
    def missing(self) -> list[Task]:
        return [task for task in self.tasks if task.key not in self.done]

    def of(self, method: str) -> list[Any]:
        """Records of one method as it was measured, image by image."""
        own = (task for task in self.tasks if task.method == method and not task.network)
        return [record for task in own for record in self.done.get(task.key, ())]

    def records(self, only: str | None = None) -> list[Any]:
        """Records in the order of the images: networks first, then what stands beside them.

        Parameters
        ----------
        only
            A network: its records, and the reference methods with what it gave them. None for all.
        """
        networks = [problem.name for problem in self.subject.problems]
        chosen = networks if only is None else [only]
        found: list[Any] = []
        for task in self.tasks:
            if task.network or (task.method in networks and task.method not in chosen):
                continue
            records = self.done.get(task.key, ())
            if task.method not in networks and isinstance(self.probe, Giving):
                records = tuple(self.probe.with_given(records, self._given(task, chosen)))
            found += records
        return found

    def _given(self, task: Task, networks: Sequence[str]) -> dict[str, tuple[Any, ...]]:
        keys = {name: replace(task, network=name).key for name in networks}
        return {name: self.done[key] for name, key in keys.items() if key in self.done}

    def verdict(self, network: str) -> Verdict:
        """The verdict on one network, with what is not finished taken into account."""
        baselines = self.subject.baselines
        concerned = [
            task for task in self.tasks
            if task.method == network
            or (task.method in baselines and task.network in ("", network))
        ]  # fmt: skip
        measured: Measured[Any] = Measured(
            network=network, reference=self.subject.primary_baseline,
            records=tuple(self.records(network)), evidence=self.evidence,
        )  # fmt: skip
        verdict = replace(self.probe.verdict(measured), network=network)
        n_missing = sum(task.key not in self.done for task in concerned)
        return _partial(verdict, n_missing, len(concerned))


def record_type(probe: Probe, task: Task) -> type[Any]:
    """The type of a task's records."""
    if task.network and isinstance(probe, Giving):
        return probe.given_type
    return probe.record_type


def _check_entries(probes: Sequence[Probe], checks: Mapping[str, Checks]) -> list[dict[str, Any]]:
    """All checks; those of a search say which probe and domain it belongs to."""
    whose = {evidence_name(probe): probe for probe in probes}
    entries = []
    for name, made in checks.items():
        probe = whose.get(name)
        about = (
            {}
            if probe is None
            else {"probe": probe.name, "domain": str(getattr(probe, "domain", ""))}
        )
        entries += [check_to_row(check) | about for check in made]
    return entries


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


def _verdict_entry(verdict: Verdict) -> dict[str, object]:
    entry = asdict(verdict)
    interval = verdict.interval
    return entry | {
        "estimate": _finite(verdict.estimate),
        "interval": None if interval is None else [_finite(interval[0]), _finite(interval[1])],
    }
