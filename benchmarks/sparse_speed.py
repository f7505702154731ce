"""Time to a relative objective gap of 1e-3, ours and peers' side by side, and to the proven gap.

Every solver is run for a growing number of iterations on the same data, and each of its images is
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

import numpy as np
import torch
from sparse_peer import (
    GAP,
    ITERATIONS,
    LIBRARIES,
    Stored,
    forget_peak,
    objective,
    read,
    resident,
)
from sparse_problems import METHODS, ROOT, Kind, Scene, scene, show, timed
from torch import Tensor

from shaketable.maps import RadonMap
from shaketable.maps.projection import Geometry, line_weights
from shaketable.sparse import SparseMethod, WaveletL1

OURS = (5, 10, 15, 20, 25, 30, 35, 40, 50, 60, 70, 80, 100, 120, 150, 200)
Run = tuple[int, float, float]
"""Iterations, cpu seconds, objective."""


@dataclass(frozen=True, kw_only=True)
class Raced:
    """The runs of one solver on one problem."""

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


def ours(stored: Stored, given: Scene, method: SparseMethod) -> Raced:
    # Any certificate will do here, so that none is waited for.
    quick = replace(method, gap=1e9)

    def run(n: int) -> Tensor:
        return quick._solve(quick._scaled(given.data, given.forward), None, n).image[0]

    runs: list[Run] = []
    for n in OURS:
        value = objective(stored, run(n).numpy())
        if value <= stored.best * (1 + GAP):
            times = [timed(lambda n=n: run(n))[0] for _ in range(3)]
            runs.append((n, median(times), value))
            break
    return Raced(solver="shaketable", runs=runs)


def bart(stored: Stored) -> Raced:
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
    runs: list[Run] = []
    with tempfile.TemporaryDirectory() as folder:
        for n in ITERATIONS[:10]:
            found: list[np.ndarray] = []

            def run(n: int = n, out: list[np.ndarray] = found) -> None:
                where, rho = Path(folder), 20 * stored.strength
                out[:] = [
                    peers.bart_total_variation(data, mask, stored.strength, where, n, rho, coils)
                ]

            seconds, _ = timed(run)
            runs.append((n, seconds, objective(stored, _mirrored(found[0]))))
            if runs[-1][2] <= stored.best * (1 + GAP):
                break
    return Raced(solver="BART", runs=runs)


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
        runs = [
            (int(n), float(seconds), objective(stored, np.load(Path(folder) / f"{n}.npy")))
            for n, seconds in (line for line in lines if len(line) == 2 and line[0].isdigit())
        ]
    note = "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["failed"])[-1]
    return Raced(solver=library, runs=runs, note=note)


def memory(
    kind: Kind, penalty: str, size: int, pythons: Mapping[str, str]
) -> Iterator[dict[str, object]]:
    """Megabytes that a solve takes beyond the problem; each solver in a process of its own."""
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
            lines = done.stdout.splitlines()
            found = [float(x.split()[1]) for x in lines if x.startswith("megabytes")]
            row: dict[str, object] = {"map": kind, "penalty": penalty, "size": size}
            yield {**row, "solver": solver, "megabytes": found[0] if found else "not run"}


def memory_of_ours(kind: Kind, penalty: str, size: int) -> None:
    """The worker of `memory` for Shaketable: a whole solve, its proof included."""
    given = scene(kind, size)
    method = given.suited(METHODS[penalty])
    data = given.data
    replace(method, max_iterations=2).solve(data, given.forward)
    at_rest = forget_peak()
    method.solve(data, given.forward)
    print("megabytes", resident("VmHWM") - at_rest)


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
        raced = [ours(stored, given, method), bart(stored)]
        for library in LIBRARIES:
            if library in pythons:
                raced.append(peer(library, pythons[library], path, stored, limit))
            else:
                raced.append(Raced(solver=library, runs=[], note="not installed"))
    best = min([stored.best] + [run[2] for found in raced for run in found.runs])
    solution = method.solve(given.data, given.forward)
    proof = median(timed(lambda: method.solve(given.data, given.forward))[0] for _ in range(3))
    for found in raced:
        row = _row(found, best)
        if found.solver == "shaketable":
            row["seconds_to_proof"] = proof
            row["iterations_to_proof"] = int(solution.n_iterations)
        label: dict[str, object] = {"map": kind, "penalty": penalty, "size": size}
        yield {**label, **row}


def _row(found: Raced, best: float) -> dict[str, object]:
    reached = [run for run in found.runs if run[2] <= best * (1 + GAP)]
    row: dict[str, object] = {"solver": found.solver}
    if reached:
        row["seconds"], row["iterations"] = reached[0][1], reached[0][0]
    elif found.runs:
        row["seconds"], row["iterations"] = f"> {found.runs[-1][1]:.1f}", f"> {found.runs[-1][0]}"
    if found.runs:
        row["least_objective_above_best"] = min(run[2] for run in found.runs) / best - 1
    if found.note:
        row["note"] = found.note[:160]
    return row


def main(
    kinds: tuple[Kind, ...], penalties: tuple[str, ...], size: int, pythons: Mapping[str, str],
    limit: float,
) -> list[dict[str, object]]:  # fmt: skip
    rows = []
    for kind in kinds:
        for penalty in penalties:
            for row in race(kind, penalty, size, pythons, limit):
                show(row)
                rows.append(row)
    return rows


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    memory_of_ours(sys.argv[1], sys.argv[2], int(sys.argv[3]))  # type: ignore[arg-type]
