"""Re-execute stored perturbations: the counterexample that a run found, checked by somebody else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from shaketable.errors import RunError
from shaketable.io import array_sha256
from shaketable.probes import Record
from shaketable.problem import Problem
from shaketable.protocols import Reconstructor
from shaketable.runs.run import load_run
from shaketable.runs.store import Store
from shaketable.search import respond

_AGREE = 1e-3  # relative; other machines and thread counts round differently


@dataclass(frozen=True, kw_only=True)
class Replay:
    """One stored perturbation, executed again.

    Parameters
    ----------
    item, method, radius
        Which record; the radius is NaN where nothing of a stated size was added.
    stored_error, error
        What the record says and what came out now, ``‖f(A(x + r)) - f(A x)‖₂``; NaN where the
        reconstruction was not finite.
    hash_matches
        The stored image and perturbation are those that the record was made from.
    what
        In words what was executed, where it was no worst case.
    """

    item: str
    method: str
    radius: float
    stored_error: float
    error: float
    hash_matches: bool
    what: str = ""

    @property
    def agrees(self) -> bool:
        """Hashes and error (to 0.1 %, or not finite both times) are those of the record."""
        if math.isnan(self.stored_error):
            return self.hash_matches and not math.isfinite(self.error)
        scale = max(abs(self.stored_error), 1e-12)
        return self.hash_matches and abs(self.error - self.stored_error) <= _AGREE * scale


def replay(
    directory: str | Path, problem: Problem, baselines: Mapping[str, Reconstructor]
) -> tuple[Replay, ...]:
    """Execute every stored worst case of a run again.

    Parameters
    ----------
    directory
        The run.
    problem, baselines
        What it was run on.

    Raises
    ------
    RunError
        If the run or its arrays cannot be read, or a method of it is not given.
    """
    stored = load_run(directory)
    store = Store(Path(directory))
    methods = {problem.name: problem.reconstruct, **baselines}
    entries = {entry["id"]: entry for entry in stored.results["problem"]["images"]}
    result = []
    for record in stored.results["records"]:
        if record["probe"] != "worst_case":
            continue
        replaced = as_method(problem, methods, record)
        entry = entries[record["image"]]
        result.append(_replay_one(store, record, replaced, entry))
    return tuple(result)


def as_method(problem: Problem, methods: Mapping[str, Reconstructor], record: Record) -> Problem:
    """The problem with the method of a record in it.

    Raises
    ------
    RunError
        If that method is not given.
    """
    if record["method"] not in methods:
        raise RunError(
            f"Expected the method {record['method']!r} of the run, got {', '.join(methods)}; "
            "name it as in the plan."
        )
    method = methods[record["method"]]
    return Problem(forward=problem.forward, reconstruct=method, real=problem.real)


def unreadable(record: Record, error: Exception) -> RunError:
    """The error of arrays that cannot be read."""
    return RunError(
        f"Expected readable arrays of {record['item']}, got {type(error).__name__}; run the plan "
        "again with the same directory."
    )


def _replay_one(store: Store, record: Record, problem: Problem, entry: Mapping[str, Any]) -> Replay:
    import h5py
    import numpy as np

    try:
        with h5py.File(store.array_file(record["item"]), "r") as file:
            stored_image = file["image"][()]
            index = int(np.argmin(np.abs(file["radii"][()] - record["radius"])))
            stored = file[f"methods/{record['method']}/perturbation"][index]
    except (OSError, KeyError) as error:
        raise unreadable(record, error) from error
    # arrays are stored in single precision, the run may have been in double
    image = torch.from_numpy(stored_image)[None].to(getattr(torch, entry["dtype"]))
    perturbation = torch.from_numpy(stored)[None]
    perturbation = perturbation.to(precision(perturbation, image))
    with torch.no_grad():
        clean = problem.reconstruct(problem.forward(problem.prepare(image)), problem.forward)
    output = respond(problem, image, perturbation, domain=record["domain"])
    return Replay(
        item=record["item"],
        method=record["method"],
        radius=record["radius"],
        stored_error=math.nan if record["error"] is None else record["error"],
        error=float(torch.linalg.vector_norm(output - clean)),
        hash_matches=array_sha256(stored) == record["replay_sha256"]
        and array_sha256(stored_image) == entry["sha256"],
    )


def precision(values: torch.Tensor, like: torch.Tensor) -> torch.dtype:
    """The dtype of ``values`` in the precision of ``like``."""
    real = like.dtype.to_real()
    return real.to_complex() if values.is_complex() else real
