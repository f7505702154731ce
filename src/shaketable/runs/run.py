"""Run a plan: check, work through the tasks, resume where an earlier run stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from torch import Tensor

from shaketable.devices import require_device
from shaketable.errors import InputError
from shaketable.io import LoadedImage, provenance_of, stacked
from shaketable.plan import Plan
from shaketable.probes.probe import Subject
from shaketable.problem import Problem
from shaketable.runs.answers import compare_answers
from shaketable.runs.cache import Cache, Keys
from shaketable.runs.check_rows import check_from_row, check_to_row
from shaketable.runs.checking import Checks, make_checks
from shaketable.runs.cluster import Cluster, Machines, library
from shaketable.runs.devices import on_device
from shaketable.runs.engine import Engine, OnTaskProgress, Serial
from shaketable.runs.events import Event, OnEvent
from shaketable.runs.identity import identity
from shaketable.runs.measuring import Bench
from shaketable.runs.results import assemble
from shaketable.runs.rows import to_json
from shaketable.runs.store import Store
from shaketable.runs.stored_run import Run
from shaketable.runs.working import Work
from shaketable.settings import require_whole


def run(
    problem: Problem | Sequence[Problem],
    images: Tensor | Sequence[LoadedImage],
    plan: Plan,
    *,
    out: str | Path,
    seed: int = 0,
    image_ids: Sequence[str] | None = None,
    provenance: Sequence[Mapping[str, Any]] = (),
    workers: int | None = None,
    scheduler: str | None = None,
    device: str | Sequence[str] = "cpu",
    store: str | Path | None = None,
    on_event: OnEvent | None = None,
) -> Run:
    """Run every probe of a plan on every image; resume if the directory holds the same run.

    Parameters
    ----------
    problem
        Forward map and network; several networks on the same map are measured beside the same
        reference methods, which are searched once, and compared with each other.
    images
        ``(N, *image_shape)``, or what `shaketable.load_images` gives, which brings names and origins.
    plan
        Probes and reference methods.
    out
        The run directory. Tasks finished there by an earlier run of the same problem, images, plan
        and seed are kept; failed ones are tried again. Map and methods are the same if they answer
        the same to the first image.
    seed
        Every task derives its own seed from this one, its probe and its image; all methods have the
        same.
    image_ids
        Names of the images in place of their own; numbered where they have none.
    provenance
        Where every image comes from, in their order (file, slice, subject), for ``results.json``; loaded
        images say so themselves.
    workers
        Processes on this machine; None measures in this one. Needs dask.distributed.
    scheduler
        Address of a Dask scheduler whose workers measure.
    device
        What torch computes on, ``"cuda"`` for example; with several, one worker each, in turn.
    store
        A folder of results that runs share: what has been measured there, with the same method, map,
        image, settings and seed, is not measured again.
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
        If images, their names, problem and reference methods do not fit together.
    MissingDependencyError
        If workers or a scheduler are asked for without dask.distributed.
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
    machines = _machines(workers, scheduler, device)
    problems = (problem,) if isinstance(problem, Problem) else tuple(problem)
    if not problems:
        raise InputError("Expected at least one problem, got none; give the network's.")
    batch, names, provenance = _taken(images, image_ids, provenance)
    prepared = problems[0].prepare(batch)
    subject = Subject(problems=problems, images=prepared, image_ids=names, baselines=plan.baselines)
    bench = Bench(subject=subject, probes=plan.probes, seed=int(seed))
    if workers is None and scheduler is None:
        bench = on_device(bench, machines.devices[0])
    runner = _Runner(
        bench=bench, plan=plan, store=Store(Path(out)), machines=machines,
        cache=Cache(None if store is None else Path(store)), emit=on_event or _silent,
        provenance=provenance,
    )  # fmt: skip
    return Run(directory=Path(out), results=runner.results())


def _machines(workers: int | None, scheduler: str | None, device: str | Sequence[str]) -> Machines:
    if workers is not None:
        require_whole("workers", workers, at_least=1)
    if workers is not None and scheduler is not None:
        raise InputError(
            "Expected workers or a scheduler, got both; the scheduler has workers of its own."
        )
    if workers is not None or scheduler is not None:
        library()
    devices = (device,) if isinstance(device, str) else tuple(device)
    if not devices:
        raise InputError("Expected at least one device, got none; cpu always works.")
    if scheduler is None:
        for name in devices:
            require_device(name)
    return Machines(workers=workers, scheduler=scheduler, devices=devices)


def _taken(
    images: Tensor | Sequence[LoadedImage], ids: Sequence[str] | None,
    provenance: Sequence[Mapping[str, Any]],
) -> tuple[Tensor, tuple[str, ...], Sequence[Mapping[str, Any]]]:  # fmt: skip
    """Images as a batch, with names and origins."""
    if isinstance(images, Sequence):
        loaded = tuple(images)
        if not loaded or not all(isinstance(image, LoadedImage) for image in loaded):
            raise InputError(
                "Expected images as one torch tensor, or loaded by load_images, got a "
                f"{type(images).__name__} of something else; use torch.stack."
            )
        ids = [image.id for image in loaded] if ids is None else ids
        if not provenance:
            provenance = [provenance_of(image, Path.cwd()).describe() for image in loaded]
        images = stacked(loaded)
    elif not isinstance(images, Tensor):
        raise InputError(
            f"Expected images as one torch tensor, got {type(images).__name__}; use "
            "torch.as_tensor(images)."
        )
    names = tuple(map(str, ids)) if ids is not None else _numbered(len(images))
    return images, names, provenance


def _numbered(n: int) -> tuple[str, ...]:
    return tuple(f"image-{index:03d}" for index in range(n))


def _silent(event: Event) -> None:
    """Nobody listens."""


class _Runner:
    """One run, from the checks to ``results.json``."""

    def __init__(
        self, *, bench: Bench, plan: Plan, store: Store, machines: Machines, cache: Cache,
        emit: OnEvent, provenance: Sequence[Mapping[str, Any]],
    ) -> None:  # fmt: skip
        self.bench, self.plan, self.store, self.machines = bench, plan, store, machines
        self.cache, self.emit, self.provenance = cache, emit, provenance

    def results(self) -> dict[str, object]:
        subject, seed = self.bench.subject, self.bench.seed
        same = identity(subject, self.plan, seed)
        self.store.match(same)  # before the checks, which take their time
        keys = Keys.of(self.bench) if self.cache.keeps else Keys.none(self.bench)
        self.emit(
            Event(kind="checks", message="checking forward map, network and reference methods")
        )
        checks = make_checks(
            subject, self.plan.probes, seed, known=self._known_checks(), keys=keys, cache=self.cache
        )
        with self.store.opened(same):
            compare_answers(self.store, subject)
            self._keep_checks(checks)
            source = dict(self.plan.source) or {
                "made_in": "python",
                "seed": seed,
                **self.plan.describe(),
            }
            self.store.write(
                "plan.yaml", yaml.safe_dump(source, sort_keys=False, allow_unicode=True)
            )
            return self._work(keys, checks)

    def _work(self, keys: Keys, checks: Mapping[str, Checks]) -> dict[str, object]:
        work = Work(bench=self.bench, store=self.store, keys=keys, cache=self.cache, emit=self.emit)
        work.say_what_is_kept()
        try:
            if not work.is_done:
                work.work(self._engine(work.progress))
        finally:
            results = assemble(
                self.bench.subject, self.plan, seed=self.bench.seed, checks=checks,
                finished=work.settle(), failures=work.failures, provenance=self.provenance,
            )  # fmt: skip
            text = json.dumps(json.loads(to_json(results)), indent=1) + "\n"
            self.store.write("results.json", text)
        self.emit(Event(kind="done", n_done=work.n_done, n_items=work.n_tasks))
        return results

    def _engine(self, on_progress: OnTaskProgress) -> Engine:
        if self.machines.workers is None and self.machines.scheduler is None:
            return Serial(self.bench, on_progress)
        return Cluster(self.bench, self.machines)

    def _known_checks(self) -> dict[str, Checks]:
        stored = self.store.checks()
        return {name: tuple(check_from_row(row) for row in rows) for name, rows in stored.items()}

    def _keep_checks(self, checks: Mapping[str, Checks]) -> None:
        stored = self.store.checks()
        for name, made in checks.items():
            if name not in stored:
                self.store.keep_checks(name, [check_to_row(check) for check in made])
