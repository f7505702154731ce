"""Re-execute what the probes that search nothing new have stored: noise, details, sampling rates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from shaketable.io import array_sha256
from shaketable.plan import Plan
from shaketable.probes import Record, Sampling
from shaketable.problem import Problem
from shaketable.protocols import ForwardMap
from shaketable.runs.replay import Replay, as_method, precision, unreadable
from shaketable.runs.run import load_run
from shaketable.runs.store import Store

PROBES = ("structural", "sampling", "neighbourhood")


def replay_others(
    directory: str | Path, problem: Problem, plan: Plan, *, probe: str | None = None
) -> tuple[Replay, ...]:
    """Execute again what was stored beside the worst cases that `replay` executes.

    Inserted details: ``‖f(A(x + s)) - f(A x)‖₂``. Sampling rates: ``‖f(A_rate x) - x‖₂``. Worst cases
    that noise was added to: ``‖f(A(x + r)) - f(A x)‖₂``; the noise is not stored and not drawn again.

    Parameters
    ----------
    directory
        The run.
    problem, plan
        What it was run on.
    probe
        One of `PROBES`; None for all of them.

    Raises
    ------
    RunError
        If the run or its arrays cannot be read, or a method of it is not given.
    """
    stored = load_run(directory)
    store = Store(Path(directory))
    methods = {problem.name: problem.reconstruct, **plan.baselines}
    entries = {entry["id"]: entry for entry in stored.results["problem"]["images"]}
    maps = next((dict(p.maps) for p in plan.probes if isinstance(p, Sampling)), {})
    wanted = [name for name in PROBES if probe in (None, name)]
    found: dict[tuple[str, str, str], Replay] = {}
    for record in stored.results["records"]:
        if record["probe"] not in wanted:
            continue
        what = _what(record)
        if (record["item"], record["method"], what) in found:
            continue  # every size of noise was added to the same worst case
        method = as_method(problem, methods, record)
        case = _stored(store, record, maps)
        entry = entries[record["image"]]
        found[record["item"], record["method"], what] = _execute(record, method, case, entry, what)
    return tuple(found.values())


@dataclass(frozen=True, kw_only=True)
class _Stored:
    """What the arrays say: image, what is added to it, what the output is compared with."""

    image: np.ndarray[Any, Any]
    added: np.ndarray[Any, Any] | None
    error: float
    forward: ForwardMap | None


def _what(record: Record) -> str:
    if record["probe"] == "structural":
        return str(record["detail"])
    if record["probe"] == "sampling":
        return f"{100 * record['rate']:.3g} % sampling"
    return "worst case"


def _stored(store: Store, record: Record, maps: Mapping[float, ForwardMap]) -> _Stored:
    import h5py

    base = f"methods/{record['method']}"
    try:
        with h5py.File(store.array_file(record["item"]), "r") as file:
            image = file["image"][()]
            if record["probe"] == "sampling":
                rates = file["rates"][()]
                output = file[f"{base}/reconstruction"][int(np.argmin(abs(rates - record["rate"])))]
                forward = maps[min(maps, key=lambda rate: abs(rate - record["rate"]))]
                return _Stored(
                    image=image, added=None, error=_distance(output, image), forward=forward
                )
            if record["probe"] == "neighbourhood":
                added = file[f"{base}/perturbation"][()]
                error = math.nan if record["error"] is None else record["error"]
                return _Stored(image=image, added=added, error=error, forward=None)
            index = [str(name) for name in file["names"].asstr()[()]].index(record["detail"])
            error = _distance(file[f"{base}/with_detail"][index], file[f"{base}/clean"][()])
            return _Stored(image=image, added=file["detail"][index], error=error, forward=None)
    except (OSError, KeyError, ValueError) as error:
        raise unreadable(record, error) from error


def _execute(
    record: Record, method: Problem, case: _Stored, entry: Mapping[str, Any], what: str
) -> Replay:
    image = torch.from_numpy(case.image)[None].to(getattr(torch, entry["dtype"]))
    if case.added is None:
        difference = _output(method, image, case.forward or method.forward) - image
    else:
        added = torch.from_numpy(case.added)[None]
        changed = image + added.to(precision(added, image))
        difference = _output(method, changed) - _output(method, image)
    return Replay(
        item=record["item"], method=record["method"], radius=record.get("radius", math.nan),
        stored_error=case.error if math.isfinite(case.error) else math.nan,
        error=float(torch.linalg.vector_norm(difference)), what=what,
        hash_matches=array_sha256(case.image) == entry["sha256"],
    )  # fmt: skip


def _output(method: Problem, image: Tensor, forward: ForwardMap | None = None) -> Tensor:
    A = forward or method.forward
    with torch.no_grad():
        return method.reconstruct(A(method.prepare(image)), A)


def _distance(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    return float(np.linalg.norm(np.asarray(a, dtype=np.complex128) - b))
