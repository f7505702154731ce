"""Time to a relative objective gap of 1e-3, ours and peers' side by side, and to the proven gap.

Every solver is run for a growing number of iterations on the same data, and each of its images is
put into the same objective in double precision. A solver's time is that of its shortest run whose
objective is within 1e-3 of the best that any of them reached: nobody pays for knowing when to stop.
What ours pays for that, the proof of the gap, stands in a column of its own.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from sparse_peer import ITERATIONS, LIBRARIES, Stored, differences, read
from sparse_problems import METHODS, ROOT, Kind, Scene, scene, show, timed
from torch import Tensor

from shaketable.maps import RadonMap
from shaketable.maps.projection import Geometry, line_weights
from shaketable.sparse import SparseMethod, WaveletL1

GAP = 1e-3
OURS = (5, 10, 15, 20, 25, 30, 35, 40, 50, 60, 70, 80, 100, 120, 150, 200)
Run = tuple[int, float, float]
"""Iterations, cpu seconds, objective."""


@dataclass(frozen=True, kw_only=True)
class Raced:
    """The runs of one solver on one problem."""

    solver: str
    runs: list[Run]
    note: str = ""


def objective(stored: Stored, image: np.ndarray) -> float:
    """In double precision, by NumPy alone."""
    x = image.astype(np.result_type(image.dtype, np.float64))
    value = 0.5 * float(np.sum(np.abs(stored.forward(x) - stored.data) ** 2))
    if stored.penalty == "tv":
        return value + stored.strength * float(np.sqrt((np.abs(differences(x)) ** 2).sum(0)).sum())
    return value + stored.strength * float(np.abs(stored.analyse(x)).sum())


def save(path: Path, given: Scene, method: SparseMethod, penalty: str) -> None:
    """The problem with the map scaled to norm 1: ``y / root``, ``A / root``, ``lambda / root²``."""
    held: dict[str, object] = {"kind": given.kind, "penalty": penalty, "wavelet": "", "levels": 0}
    held["shape"] = given.forward.image_shape
    strength = float(method.solve(given.data, given.forward).strength)
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
    held["strength"] = strength / root**2
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

    runs = []
    for n in OURS:
        times = [timed(lambda n=n: run(n))[0] for _ in range(3)]
        image = run(n).numpy()
        runs.append((n, median(times), objective(stored, image)))
    return Raced(solver="shaketable", runs=runs)


def bart(stored: Stored) -> Raced:
    """Total variation only: its wavelets are shifted at random. Backward differences."""
    sys.path.insert(0, str(ROOT / "tests" / "sparse"))
    import peers

    if stored.mask is None or stored.penalty != "tv":
        return Raced(solver="BART", runs=[], note="not the same problem")
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for n in ITERATIONS[:10]:
            found: list[np.ndarray] = []
            seconds, _ = timed(
                lambda n=n, found=found: found.append(
                    peers.bart_total_variation(
                        stored.data, stored.mask, stored.strength, Path(folder), n,
                        20 * stored.strength, stored.coils,
                    )
                )
            )  # fmt: skip
            runs.append((n, seconds, _mirrored(stored, found[0])))
    return Raced(solver="BART", runs=runs)


def _mirrored(stored: Stored, image: np.ndarray) -> float:
    """BART's objective: its differences look back."""
    x = image.astype(complex)
    back = np.stack([x - np.roll(x, 1, 0), x - np.roll(x, 1, 1)])
    value = 0.5 * float(np.sum(np.abs(stored.forward(x) - stored.data) ** 2))
    return value + stored.strength * float(np.sqrt((np.abs(back) ** 2).sum(0)).sum())


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
    long = replace(method, gap=3e-5, max_iterations=1500).solve(given.data, given.forward)
    best = min(
        [objective(stored, long.image[0].numpy())] + [run[2] for r in raced for run in r.runs]
    )
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
