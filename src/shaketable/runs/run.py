"""Run a plan: check, work through the items, resume where an earlier run stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from torch import Tensor

from shaketable.checks import Check, CheckReport, preflight
from shaketable.errors import MapError, PreflightError, RunError
from shaketable.maps import check_map
from shaketable.plan import Plan
from shaketable.probes import Item, Probe, Subject
from shaketable.problem import Problem
from shaketable.runs.answers import compare_answers
from shaketable.runs.complete import require_complete
from shaketable.runs.events import Clock, Event, OnEvent
from shaketable.runs.identity import identity
from shaketable.runs.results import SCHEMA, assemble, exit_code
from shaketable.runs.store import Store, to_json
from shaketable.settings import require_whole


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run on disk.

    Parameters
    ----------
    directory
        Where it is.
    results
        The content of ``results.json``.
    """

    directory: Path
    results: Mapping[str, Any]

    @property
    def verdicts(self) -> tuple[Mapping[str, Any], ...]:
        """One per probe."""
        return tuple(self.results["verdicts"])

    @property
    def exit_code(self) -> int:
        """0: all stable; 1: something unstable; 3: nothing unstable, something inconclusive."""
        return exit_code(self.verdicts)

    def report(self, out: str | Path | None = None) -> Path:
        """Write the report, one self-contained HTML file, and return its path."""
        from shaketable.report import build_report

        return build_report(self.directory, None if out is None else Path(out))


def run(
    problem: Problem,
    images: Tensor,
    plan: Plan,
    *,
    out: str | Path,
    seed: int = 0,
    image_ids: Sequence[str] | None = None,
    on_event: OnEvent | None = None,
) -> Run:
    """Run every probe of a plan on every image; resume if the directory holds the same run.

    Parameters
    ----------
    problem
        Forward map and network.
    images
        ``(N, *image_shape)``.
    plan
        Probes and stable methods.
    out
        The run directory. Items finished there by an earlier run of the same problem, images, plan
        and seed are kept; failed ones are tried again. Map and methods are the same if they answer
        the same to the first image.
    seed
        Every item derives its own seed from this one and its key.
    image_ids
        Names of the images; numbered when left out.
    on_event
        Called with an `Event` at every step.

    Returns
    -------
    Run
        Directory and results; ``.report()`` writes the report.

    Raises
    ------
    PreflightError
        If a check fails; nothing is written then.
    ShapeError, InputError
        If images, their names, problem and stable methods do not fit together.
    RunError
        If the directory holds something else, another process works in it, or the forward map or a
        method answers otherwise to the first image than when the run was begun.
    KeyboardInterrupt
        After Ctrl-C, when what is finished has been saved.

    Examples
    --------
    >>> import tempfile, torch
    >>> from shaketable import FourierMap, Plan, Problem, Structural
    >>> problem = Problem(forward=FourierMap(torch.ones(64, 64)), reconstruct=lambda y, A: A.adjoint(y))
    >>> images = torch.zeros(1, 64, 64)
    >>> images[:, 12:52, 12:52] = 1
    >>> plan = Plan(probes=(Structural(details=("heart",)),))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = run(problem, images, plan, out=folder)
    >>> round(result.results["records"][0]["contrast_recovery"], 3)
    1.0
    """
    require_whole("seed", seed, at_least=0)
    seed = int(seed)
    images = problem.prepare(images)
    names = tuple(map(str, image_ids)) if image_ids is not None else _numbered(len(images))
    subject = Subject(problem=problem, images=images, image_ids=names, baselines=plan.baselines)
    store, same = Store(Path(out)), identity(subject, plan, seed)
    store.match(same)  # before the checks, which take their time
    emit = on_event or _silent
    emit(Event(kind="checks", message="checking forward map, network and stable methods"))
    checks = _check(subject, plan, seed)
    with store.opened(same):
        compare_answers(store, subject)
        source = dict(plan.source) or {"made_in": "python", "seed": seed, **plan.describe()}
        store.write("plan.yaml", yaml.safe_dump(source, sort_keys=False, allow_unicode=True))
        worker = _Worker(subject=subject, plan=plan, seed=seed, store=store, emit=emit)
        try:
            worker.work()
        finally:
            results = worker.settle(checks)
    emit(Event(kind="done", n_done=len(worker.done), n_items=len(worker.order)))
    return Run(directory=store.directory, results=results)


def load_run(directory: str | Path) -> Run:
    """Read a stored run.

    Raises
    ------
    RunError
        If there is no readable and complete ``results.json`` of this schema.
    """
    path = Path(directory) / "results.json"
    try:
        results = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RunError(
            f"Expected a run with a readable results.json in {directory}, got "
            f"{type(error).__name__}; run the plan again with the same directory to finish it."
        ) from error
    schema = results.get("schema") if isinstance(results, dict) else None
    if schema != SCHEMA:
        raise RunError(
            f"Expected results of schema {SCHEMA!r}, got {schema!r} in {path}; use the version of "
            "Shaketable that wrote them."
        )
    require_complete(results, path)
    return Run(directory=Path(directory), results=results)


def _numbered(n: int) -> tuple[str, ...]:
    return tuple(f"image-{index:03d}" for index in range(n))


def _silent(event: Event) -> None:
    """Nobody listens."""


def _check(subject: Subject, plan: Plan, seed: int) -> list[Check]:
    """Forward map, network, stable methods, and that the probes can find what they look for.

    Failed checks of the first three kinds stop the run; a weak search only keeps it from calling
    anything stable.
    """
    checks = [_map_check(subject)]
    for method in subject.methods:
        report = preflight(method.problem, subject.images, seed=seed)
        prefix = "" if method.role == "network" else f"{method.name}: "
        checks += [replace(check, name=prefix + check.name) for check in report.checks]
    CheckReport(checks=tuple(checks)).raise_if_failed()
    for probe in plan.probes:
        checks += probe.evidence(subject, seed)
    return checks


def _map_check(subject: Subject) -> Check:
    dtype = subject.images.dtype
    try:
        report = check_map(subject.problem.forward, dtype=dtype)
    except MapError as error:
        raise PreflightError(f"Check 'forward map' failed: {error}") from error
    limit = next(check.limit for check in report.checks if check.name == "adjoint")
    return Check(
        name="adjoint",
        value=report.adjoint_gap,
        limit=limit,
        passed=True,
        sentence="The forward map is linear and its adjoint is its adjoint; its norm is "
        f"{report.norm:.3g}.",
    )


class _Worker:
    """Works through the items that are not done yet."""

    def __init__(
        self, *, subject: Subject, plan: Plan, seed: int, store: Store, emit: OnEvent
    ) -> None:
        self.subject, self.plan, self.seed, self.store, self.emit = subject, plan, seed, store, emit
        self.todo = [(probe, item) for probe in plan.probes for item in probe.items(subject)]
        self.order = [item.key for _, item in self.todo]
        self.failures: dict[str, str] = {}
        self.done = set(store.finished())
        remaining: dict[str, int] = {}
        for probe, item in self.todo:
            remaining[_kind(probe)] = remaining.get(_kind(probe), 0) + (item.key not in self.done)
        self.clock = Clock(remaining=remaining)

    def work(self) -> None:
        for probe, item in self.todo:
            if item.key in self.done:
                self._say("skipped", probe, item, 1.0, "done before")
            else:
                self._measure(probe, item)

    def _measure(self, probe: Probe, item: Item) -> None:
        self.clock.begin()
        self._say("started", probe, item, 0.0, probe.name.replace("_", " "))

        def progress(message: str, share: float) -> None:
            self._say("progress", probe, item, share, message)

        try:
            outcome = probe.measure(self.subject, item, item.seed(self.seed), progress)
        except (KeyboardInterrupt, MemoryError):
            raise
        except Exception as error:  # one bad item must not cost the others
            sentence = str(error).splitlines()[0] if str(error) else "no message"
            self.failures[item.key] = f"{type(error).__name__}: {sentence}"
            self.clock.end(_kind(probe))
            self._say("failed", probe, item, 1.0, self.failures[item.key])
            return
        self.store.finish(item.key, outcome, self.clock.end(_kind(probe)))
        self.done.add(item.key)
        self._say("finished", probe, item, 1.0, probe.name.replace("_", " "))

    def _say(self, kind: Any, probe: Probe, item: Item, share: float, message: str) -> None:
        left = self.clock.seconds_left(_kind(probe), share if kind == "progress" else 0.0)
        self.emit(
            Event(
                kind=kind, item=item.key, n_done=len(self.done), n_items=len(self.order),
                share=share, message=message, seconds_left=left,
            )
        )  # fmt: skip

    def settle(self, checks: Sequence[Check]) -> dict[str, object]:
        """Bring records and results into their final order, whatever has been finished."""
        finished = self.store.settle(self.order, self.failures)
        results = assemble(
            self.subject, self.plan, seed=self.seed, checks=checks,
            finished=finished, failures=self.failures,
        )  # fmt: skip
        self.store.write("results.json", json.dumps(json.loads(to_json(results)), indent=1) + "\n")
        return results


def _kind(probe: Probe) -> str:
    """Items of one kind take about the same time."""
    return f"{probe.name} {probe.describe().get('domain', '')}"
