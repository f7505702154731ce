"""Time to a relative objective gap of 1e-3, ours and peers' side by side, and to the proven gap.

Every solver, ours too, is run by `sparse_peer.search` on the same data, and each of its images is
put into the same objective in double precision. A solver's time is that of its shortest run whose
objective is within 1e-3 of the best that any of them reached: nobody pays for knowing when to stop.
What ours pays for that, the proof of the gap, stands in a column of its own.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import numpy as np
import torch
from sparse_peer import (
    LIBRARIES,
    Run,
    Stored,
    cpu_seconds,
    forget_peak,
    objective,
    read,
    resident,
    search,
)
from sparse_problems import METHODS, ROOT, Kind, Scene, scene
from torch import Tensor

from shaketable.maps import RadonMap
from shaketable.maps.projection import Geometry, line_weights
from shaketable.sparse import SparseMethod, WaveletL1, iterations
from shaketable.sparse.admm import Problem, Splitting
from shaketable.sparse.certificate import Certificate
from shaketable.sparse.data_terms import State

N_WATCHED = 20
"""Iterations that the memory of ours is read of; more of them hold no more."""


@dataclass(frozen=True, kw_only=True)
class Raced:
    """The runs of one solver on one problem, in the order of `search`."""

    solver: str
    runs: list[Run]
    note: str = ""


def save(path: Path, given: Scene, method: SparseMethod, penalty: str) -> None:
    """The problem with the map scaled to norm 1: ``y / root``, ``A / root``, ``lambda / root²``.

    The best objective known is that of our own long run.
    """
    long = replace(method, gap=3e-5, max_iterations=700).solve(given.data, given.forward)
    held: dict[str, object] = {"kind": given.kind, "penalty": penalty, "wavelet": "", "levels": 0}
    held["shape"] = given.forward.image_shape
    root = 1.0
    if isinstance(given.forward, RadonMap):
        matrix = _matrix(given.forward)
        root = _norm(given)
        held["values"] = matrix.data / np.float32(root)
        held["indices"], held["pointers"] = matrix.indices, matrix.indptr
        held["matrix_shape"] = matrix.shape
    else:
        held["mask"] = given.forward.mask.numpy().astype(np.float32)
        if given.kind == "coils":
            held["coils"] = given.forward.coils.numpy().astype(np.complex64)
    if isinstance(method, WaveletL1):
        held.update(wavelet=method.wavelet, levels=method.levels)
    held["data"] = given.data[0].numpy() / np.float32(root)
    held["strength"] = float(long.strength) / root**2
    held["best"] = float(long.objective) / root**2
    np.savez(path, **held)


def _matrix(forward: RadonMap) -> Any:
    """Our projection matrix for SciPy."""
    geometry = Geometry(
        angles=tuple(forward.angles.tolist()),
        image_shape=forward.image_shape,
        n_detectors=forward.data_shape[1],
    )
    return line_weights(geometry, np.float32)


def _norm(given: Scene) -> float:
    x = torch.ones_like(given.images)
    for _ in range(20):
        x = given.forward.adjoint(given.forward(x / x.norm()))
    return math.sqrt(float(x.norm()))


def ours(stored: Stored, given: Scene, method: SparseMethod, limit: float) -> Raced:
    """Each run has a first certificate at its end, which a solve cannot leave out."""
    # Any certificate will do here, so that none is waited for.
    quick = replace(method, gap=1e9)

    data = given.data  # computed anew each time it is asked for, which is no part of a solve

    def run(n: int) -> np.ndarray:
        return quick.solve(data, given.forward, n_iterations=n).image[0].numpy()

    return Raced(solver="shaketable", runs=list(search(run, stored, limit)))


def bart(stored: Stored, limit: float) -> Raced:
    """Total variation only: its wavelets are shifted at random.

    Its differences look back, so that it is given the mirrored problem.
    """
    sys.path.insert(0, str(ROOT / "tests" / "sparse"))
    import peers

    if stored.mask is None or stored.penalty != "tv":
        return Raced(solver="BART", runs=[], note="not the same problem")
    if shutil.which("bart") is None:
        return Raced(solver="BART", runs=[], note="not installed")
    data, mask = _mirrored(stored.data), _mirrored(stored.mask)
    coils = None if stored.coils is None else _mirrored(stored.coils)
    strength = stored.strength
    with tempfile.TemporaryDirectory() as folder:
        where, rho = Path(folder), 20 * strength

        def run(n: int) -> np.ndarray:
            image = peers.bart_total_variation(data, mask, strength, where, n, rho, coils)
            return _mirrored(image)

        return Raced(solver="BART", runs=list(search(run, stored, limit)))


def _mirrored(array: np.ndarray) -> np.ndarray:
    """Along the last two axes, about the first pixel; its Fourier transform is mirrored alike."""
    return np.roll(array[..., ::-1, ::-1], (1, 1), (-2, -1))


def peer(library: str, python: str, path: Path, stored: Stored, limit: float) -> Raced:
    """Run a library in its interpreter; a refusal or a failure becomes a note."""
    with tempfile.TemporaryDirectory() as folder:
        worker = Path(__file__).with_name("sparse_peer.py")
        command = [python, str(worker), library, str(path), folder, str(limit)]
        done = subprocess.run(command, capture_output=True, text=True)
        lines = [line.split() for line in done.stdout.splitlines()]
        runs = [_told(line[1:], Path(folder), stored) for line in lines if line[:1] == ["run"]]
    note = "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["failed"])[-1]
    return Raced(solver=library, runs=runs, note=note)


def _told(words: list[str], folder: Path, stored: Stored) -> Run:
    """A run by a line of `sparse_peer`; the objective anew, of data that no library has touched."""
    image = np.load(folder / f"{words[0]}.npy")
    return Run(
        iterations=int(words[0]), seconds=float(words[1]), timed=int(words[2]),
        megabytes=float(words[3]), objective=objective(stored, image), image=image,
    )  # fmt: skip


def memory(
    kind: Kind, penalty: str, size: int, pythons: Mapping[str, str]
) -> Iterator[dict[str, object]]:
    """Megabytes that a solve takes beyond the problem; each solver in a process of its own.

    Peers prove nothing; ours stands without its proof beside them, and with it.
    """
    given = scene(kind, size)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problem.npz"
        save(path, given, given.suited(METHODS[penalty]), penalty)
        here = Path(__file__)
        commands = {"shaketable": [sys.executable, str(here), kind, penalty, str(size)]}
        for library, python in pythons.items():
            worker = here.with_name("sparse_peer.py")
            commands[library] = [python, str(worker), library, str(path), folder, "1"]
        for solver, command in commands.items():
            # What is freed goes back at once, so that the peak is what was held at one time.
            environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            lines = [line.split() for line in done.stdout.splitlines()]
            found = {x[0]: float(x[1]) for x in lines if x and x[0].startswith("megabytes")}
            row: dict[str, object] = {"map": kind, "penalty": penalty, "size": size}
            yield {**row, "solver": solver, **(found or {"megabytes": "not run"})}


def memory_of_ours(kind: Kind, penalty: str, size: int) -> None:
    """The worker of `memory` for Shaketable: iterations and image alone, then a whole solve."""
    given = scene(kind, size)
    method = given.suited(METHODS[penalty])
    data = given.data
    replace(method, max_iterations=2).solve(data, given.forward)
    with mock.patch.object(iterations, "certify", _unproven):
        at_rest = forget_peak()
        method.solve(data, given.forward, n_iterations=N_WATCHED)
        print("megabytes", resident("VmHWM") - at_rest)
    at_rest = forget_peak()
    method.solve(data, given.forward)
    print("megabytes_with_proof", resident("VmHWM") - at_rest)


def _unproven(splitting: Splitting, state: State, problem: Problem, _: float) -> Certificate:
    """In the place of `certify`: the image of a state, of which nothing is proven."""
    planes = splitting.image(state, problem)
    nothing = planes.new_zeros(len(planes), dtype=torch.float64)
    return Certificate(planes=planes, primal=nothing, dual=nothing)


def race(
    kind: Kind, penalty: str, size: int, pythons: Mapping[str, str], limit: float
) -> Iterator[dict[str, object]]:
    """One row per solver of one problem."""
    given = scene(kind, size)
    method = given.suited(METHODS[penalty])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problem.npz"
        save(path, given, method, penalty)
        stored = read(str(path))
        raced = [ours(stored, given, method, limit), bart(stored, limit)]
        for library in LIBRARIES:
            if library in pythons:
                raced.append(peer(library, pythons[library], path, stored, limit))
            else:
                raced.append(Raced(solver=library, runs=[], note="not installed"))
    # What diverged has no objective, and is no minimum.
    values = [run.objective for found in raced for run in found.runs]
    best = min([stored.best, *(value for value in values if math.isfinite(value))])
    data = given.data
    solution = method.solve(data, given.forward)
    proof = median(_seconds_to_proof(given, method, data) for _ in range(3))
    for found in raced:
        row = _row(found, stored.best, best)
        if found.solver == "shaketable":
            row["seconds_to_proof"] = proof
            row["iterations_to_proof"] = int(solution.n_iterations)
        label: dict[str, object] = {"map": kind, "penalty": penalty, "size": size}
        yield {**label, **row}


def _seconds_to_proof(given: Scene, method: SparseMethod, data: Tensor) -> float:
    start = cpu_seconds()
    method.solve(data, given.forward)
    return cpu_seconds() - start


def _row(found: Raced, known: float, best: float) -> dict[str, object]:
    """The shortest run that is near the best of all, or the longest where none is.

    Runs were searched by the best known before, ``known``; a run that is near that one only does
    not count, and the next longer one does, timed once.
    """
    # Of equal numbers the timed run is the last.
    runs = sorted({run.iterations: run for run in found.runs}.values(), key=lambda r: r.iterations)
    reached = [run for run in runs if run.good(best)]
    row: dict[str, object] = {"solver": found.solver}
    notes = [found.note] if found.note else []
    if reached:
        shortest = reached[0]
        row.update(seconds=shortest.seconds, iterations=shortest.iterations, timed=shortest.timed)
    elif runs:
        row.update(seconds=f"> {runs[-1].seconds:.1f}", iterations=f"> {runs[-1].iterations}")
    if runs:
        row["least_objective_above_best"] = min(run.objective for run in runs) / best - 1
        searched = min((run.iterations for run in runs if run.good(known)), default=None)
        if searched is not None and row["iterations"] != searched:
            notes.append(f"{searched} iterations are near the best known before the race only")
    if notes:
        row["note"] = "; ".join(notes)[:160]
    return row


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    memory_of_ours(sys.argv[1], sys.argv[2], int(sys.argv[3]))  # type: ignore[arg-type]
