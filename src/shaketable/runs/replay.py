"""Re-execute what a run has stored: its counterexamples, checked by somebody else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

from shaketable.errors import RunError
from shaketable.plan import Plan
from shaketable.probes.probe import Case, Method, Probe, Subject
from shaketable.probes.replaying import Replay, Replayable, StoredCase
from shaketable.problem import Problem
from shaketable.records import Record, from_row
from shaketable.runs.stored_run import load_run
from shaketable.runs.tasks import Task
from shaketable.stored import StoredRun
from shaketable.stored import load_run as load_stored

__all__ = ["Replay", "replay"]

_COMMON = {field.name for field in fields(Record)}


def replay(
    directory: str | Path,
    problem: Problem | tuple[Problem, ...],
    plan: Plan,
    *,
    probe: str | None = None,
) -> tuple[Replay, ...]:
    """Execute what is stored of every probe again, for all methods and images.

    Worst cases: ``‖f(A(x + r)) - f(A x)‖₂``. Inserted details: ``‖f(A(x + s)) - f(A x)‖₂``. Sampling
    rates: ``‖f(A_rate x) - x‖₂``. Probes that do not say how they replay are measured once more, and
    the number of their records that differs most is compared.

    Parameters
    ----------
    directory
        The run.
    problem, plan
        What it was run on; several problems where there were several networks.
    probe
        Only the probe of this name; None for all.

    Raises
    ------
    RunError
        If the run or its arrays cannot be read, or a method of it is not given.
    """
    results = load_run(directory).results
    stored = load_stored(Path(directory))
    problems = (problem,) if isinstance(problem, Problem) else tuple(problem)
    found: list[Replay] = []
    for each in plan.probes:
        if probe in (None, each.name):
            found += _replayed(results, stored, each, _methods(problems, plan))
    return tuple(found)


def _methods(problems: tuple[Problem, ...], plan: Plan) -> Mapping[str, Method]:
    """The methods by name; no images are needed for that."""
    first = problems[0]
    blank = torch.ones((1, *first.forward.image_shape))
    subject = Subject(
        problems=problems,
        images=first.prepare(blank),
        image_ids=("none",),
        baselines=plan.baselines,
    )
    return {method.name: method for method in subject.methods}


def _replayed(
    results: Mapping[str, Any], stored: StoredRun, probe: Probe, methods: Mapping[str, Method]
) -> Iterator[Replay]:
    domain = getattr(probe, "domain", None)
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in results["records"]:
        if row["probe"] == probe.name and (domain is None or row.get("domain") == domain):
            groups.setdefault((row["item"], row["method"]), []).append(row)
    entries = {entry["id"]: entry for entry in results["problem"]["images"]}
    for (item, name), rows in groups.items():
        if name not in methods:
            raise RunError(
                f"Expected the method {name!r} of the run, got {', '.join(methods)}; "
                "name it as in the plan."
            )
        entry = entries[rows[0]["image"]]
        case = StoredCase(
            item=item, records=[from_row(probe.record_type, row) for row in rows],
            method=methods[name], find=_finder(stored, item),
            dtype=getattr(torch, entry["dtype"]), image_sha256=entry["sha256"],
            seed=Task(probe="", item=item, image=0, method=name).seed(int(results["plan"]["seed"])),
        )  # fmt: skip
        if isinstance(probe, Replayable):
            yield from probe.replay(case)
        else:
            yield _measured_again(probe, case)


def _finder(stored: StoredRun, item: str) -> Any:
    return lambda name: stored.array(item, name)


def _measured_again(probe: Probe, stored: StoredCase[Any]) -> Replay:
    """Measure once more with the same seed; the number that differs most stands for all."""

    def quiet(message: str, share: float) -> None:
        """Nothing is drawn."""

    case = Case(method=stored.method, image=stored.image, seed=stored.seed, on_progress=quiet)
    again = probe.measure(case).records
    worst, what = (0.0, 0.0), "measured again"
    largest = -1.0
    if len(again) != len(stored.records):
        worst = (float(len(stored.records)), float(len(again)))
    else:
        for before, now in zip(stored.records, again, strict=True):
            for name, was, is_now in _numbers(before, now):
                apart = abs(is_now - was) / max(abs(was), 1e-12)
                if not apart <= largest:  # NaN too
                    largest, worst, what = apart, (was, is_now), f"measured again: {name}"
    return Replay(
        item=stored.item, method=stored.method.name, radius=math.nan, stored_error=worst[0],
        error=worst[1], hash_matches=stored.image_matches, what=what,
    )  # fmt: skip


def _numbers(before: Any, now: Any) -> Iterator[tuple[str, float, float]]:
    for field in fields(before):
        was, is_now = getattr(before, field.name), getattr(now, field.name)
        if field.name not in _COMMON and isinstance(was, int | float):
            yield field.name, float(was), math.nan if is_now is None else float(is_now)
