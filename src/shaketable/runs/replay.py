"""Re-execute stored perturbations: the counterexample that a run found, checked by somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from shaketable.errors import RunError
from shaketable.probes import Record
from shaketable.probes.probe import array_sha256
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
        Which record.
    stored_error, error
        What the record says and what came out now, ``‖f(A(x + r)) - f(A x)‖₂``.
    hash_matches
        The stored perturbation is the one that the record was made from.
    """

    item: str
    method: str
    radius: float
    stored_error: float
    error: float
    hash_matches: bool

    @property
    def agrees(self) -> bool:
        """Hash and error (to 0.1 %) are those of the record."""
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
    result = []
    for record in stored.results["records"]:
        if record["probe"] != "worst_case" or record["error"] is None:
            continue
        if record["method"] not in methods:
            raise RunError(
                f"Expected the method {record['method']!r} of the run, got {', '.join(methods)}; "
                "name it as in the plan."
            )
        replaced = Problem(
            forward=problem.forward, reconstruct=methods[record["method"]], real=problem.real
        )
        result.append(_replay_one(store, record, replaced))
    return tuple(result)


def _replay_one(store: Store, record: Record, problem: Problem) -> Replay:
    import h5py
    import numpy as np

    try:
        with h5py.File(store.array_file(record["item"]), "r") as file:
            image = torch.from_numpy(file["image"][()])[None]
            radii = file["radii"][()]
            index = int(np.argmin(np.abs(radii - record["radius"])))
            perturbation = file[f"methods/{record['method']}/perturbation"][index]
    except (OSError, KeyError) as error:
        raise RunError(
            f"Expected readable arrays of {record['item']}, got {type(error).__name__}; run the plan "
            "again with the same directory."
        ) from error
    given = torch.from_numpy(perturbation)[None]
    with torch.no_grad():
        clean = problem.reconstruct(problem.forward(problem.prepare(image)), problem.forward)
    output = respond(problem, image, given, domain=record["domain"])
    return Replay(
        item=record["item"],
        method=record["method"],
        radius=record["radius"],
        stored_error=record["error"],
        error=float(torch.linalg.vector_norm(output - clean)),
        hash_matches=array_sha256(perturbation) == record["replay_sha256"],
    )
