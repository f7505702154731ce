"""The sparse methods: speed beside peers, batches, derivatives, worst cases, accuracy.

    python benchmarks/sparse.py speed --size 256 --python pyproximal=/path/to/python
    python benchmarks/sparse.py memory --size 256 --python ...
    python benchmarks/sparse.py batch | gradients | truncation | worst | accuracy

Run with one thread (``OMP_NUM_THREADS=1``). Sections print rows and store them when a problem, a map
and a method, is done: see `sparse_results`. Times are seconds of the processor, those of started programs
included. Peers may live in environments of their own: ``--python LIBRARY=INTERPRETER``.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from itertools import groupby, product
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))

import sparse_speed
from sparse_peer import LIBRARIES
from sparse_problems import KINDS, METHODS, Kind, Scene, others, scene, show, timed
from sparse_results import Row, problem_of, store

from shaketable import Search, worst_case_path
from shaketable.maps import filtered_back_projection
from shaketable.metrics import psnr
from shaketable.problem import Problem
from shaketable.search import Budget
from shaketable.sparse import SparseMethod, calibrate

FACTORS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)  # ascending, as `calibrate` has them
RADII = (0.005, 0.01, 0.02, 0.04, 0.06)


def batch(kind: Kind, name: str, size: int, n: int) -> Iterator[Row]:
    """Wall time per image of a batch on all threads, over that of images one by one.

    One by one on one thread, which is what a second processor and the batch save together, and on
    all threads, of which a large image keeps several busy by itself.
    """
    n_threads = torch.get_num_threads()
    given = scene(kind, size, n)
    method, data, A = given.suited(METHODS[name]), given.data, given.forward
    method.solve(data[:1], A)
    together: list[Tensor] = []
    alone: list[Tensor] = []

    def one_by_one() -> None:
        alone[:] = [method(data[k : k + 1], A)[0] for k in range(n)]

    def at_once() -> None:
        together[:] = [method(data, A)]

    times = []
    for _ in range(3):
        batched, many = timed(at_once)[1], timed(one_by_one)[1]
        torch.set_num_threads(1)
        times.append((batched, many, timed(one_by_one)[1]))
        torch.set_num_threads(n_threads)
    single = torch.stack(alone)
    change = torch.linalg.vector_norm(together[0] - single) / torch.linalg.vector_norm(single)
    yield {
        "map": kind, "penalty": name, "size": size, "images": n, "threads": n_threads,
        "milliseconds_alone_one_thread": 1e3 / n * median(one for _, _, one in times),
        "ratio_to_one_thread": median(b / one for b, _, one in times),
        "ratio_to_all_threads": median(b / many for b, many, _ in times),
        "relative_difference": float(change),
    }  # fmt: skip


def _direction(given: Scene, data: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    along = torch.randn(data.shape, dtype=data.dtype, generator=generator)
    if given.forward.sampled is not None:
        along = along * given.forward.sampled
    return along


def gradients(kind: Kind, name: str, size: int, n: int) -> Iterator[Row]:
    """A product with the derivative against central differences, in double precision."""
    given = scene(kind, size, n)
    data = given.data
    data = data.to(torch.complex128 if data.is_complex() else torch.float64)
    method = given.suited(METHODS[name])
    along = _direction(given, data)
    step = 1e-7 * float(data.norm() / along.norm())
    ahead, back = (method(data + s * step * along, given.forward) for s in (1, -1))
    expected = (ahead - back) / (2 * step)
    leaf = data.clone().requires_grad_()
    weights = expected / expected.norm()
    (gradient,) = torch.autograd.grad(method(leaf, given.forward), leaf, weights)
    ours = float((gradient.conj() * along).real.sum())
    theirs = float((weights.conj() * expected).real.sum())
    yield {
        "map": kind, "penalty": name, "size": size, "along_differences": theirs,
        "relative_error": abs(ours - theirs) / abs(theirs),
    }  # fmt: skip


def truncation(kind: Kind, name: str, size: int, n: int) -> Iterator[Row]:
    """How far the derivative through few iterations is from that through many: the reference.

    Those end at a gap of 1e-5, or after 3000; ``reference_gap`` is the largest gap there. A method
    of several problems has so many iterations for each.
    """
    given = scene(kind, size, n)
    data = given.data
    method = given.suited(METHODS[name])
    fine = replace(method, gap=1e-5, max_iterations=3000)
    long = fine.solve(data, given.forward)
    weights = given.forward.adjoint(_direction(given, data))

    def derivative(m: SparseMethod, count: int | None) -> Tensor:
        leaf = data.clone().requires_grad_()
        image = m.solve(leaf, given.forward, n_iterations=count).image
        return torch.autograd.grad(image, leaf, weights)[0]

    n_all = int(long.n_iterations.max())
    exact = derivative(fine, n_all)
    n_stopped = int(method.solve(data, given.forward).n_iterations.max())
    for count in (10, 20, 50, 100, 250, None):
        found = derivative(method, count)
        cosine = (found.conj() * exact).real.sum() / found.norm() / exact.norm()
        yield {
            "map": kind, "penalty": name, "size": size, "iterations": count or n_stopped,
            "of": n_all, "relative_difference": float((found - exact).norm() / exact.norm()),
            "cosine": float(cosine), "stopped_by_gap_1e-3": count is None,
            "reference_gap": float(long.gap.max()),
        }  # fmt: skip


def worst(kind: Kind, name: str, size: int, n: int) -> Iterator[Row]:
    """Amplification of the worst case found and of random noise of equal size, image domain."""
    search = Search(budget=Budget(n_gradients=15, n_starts=1))
    given = scene(kind, size, n)
    method = given.suited(METHODS[name])
    problem = Problem(forward=given.forward, reconstruct=method, real=kind == "radon")
    clean = method(given.data, given.forward)
    findings = worst_case_path(problem, given.images, radii=RADII, search=search, seed=0)
    generator = torch.Generator().manual_seed(2)
    draw = torch.randn(given.images.shape, dtype=given.images.dtype, generator=generator)
    for radius, finding in zip(RADII, findings, strict=True):
        sizes = torch.linalg.vector_norm(given.images, dim=(1, 2), keepdim=True) * radius
        noise = draw * sizes / torch.linalg.vector_norm(draw, dim=(1, 2), keepdim=True)
        moved = method(given.forward(given.images + noise), given.forward) - clean
        random = torch.linalg.vector_norm(moved, dim=(1, 2)) / sizes.flatten()
        yield {
            "map": kind, "penalty": name, "size": size, "images": n, "radius": radius,
            "worst": float(finding.amplification.median()),
            "random": float(random.median()),
            "clean_psnr": float(psnr(clean, given.images).mean()),
        }  # fmt: skip


def accuracy(kind: Kind, name: str, size: int, n: int) -> Iterator[Row]:
    """PSNR at the default strength, at one calibrated on other images, and at the best of them.

    Whatever library solves the same problem to its end has the same image, so that the best
    strength, chosen on the very images, is what the best library can reach with its best parameter.
    ``converged_...`` says whether all images of ``psnr_...`` reached their gap, without which a
    library could have another.
    """
    given = scene(kind, size, n)
    simple = given.forward.adjoint(given.data)
    if kind == "radon":
        simple = filtered_back_projection(given.data, given.forward)
    yield {"map": kind, "penalty": "linear", "psnr": float(psnr(simple, given.images).mean())}
    method = replace(given.suited(METHODS[name]), gap=5e-3)
    strengths = tuple(method.strength * f for f in FACTORS)
    calibrated = calibrate(
        method, others(kind, size), given.forward, strengths=strengths
    ).method.strength
    curve = calibrate(method, given.images, given.forward, strengths=strengths)
    means = dict(zip(strengths, curve.psnr.mean(1).tolist(), strict=True))
    converged = dict(zip(strengths, curve.converged.tolist(), strict=True))
    best = max(means, key=means.__getitem__)
    yield {
        "map": kind, "penalty": name, "size": size, "images": n,
        "psnr_default": means[method.strength], "psnr_calibrated": means[calibrated],
        "psnr_best": means[best], "strength": method.strength,
        "strength_calibrated": calibrated, "strength_best": best,
        "strength_smallest": strengths[0], "converged_default": converged[method.strength],
        "converged_calibrated": converged[calibrated], "converged_best": converged[best],
    }  # fmt: skip


SECTIONS = {
    "batch": batch, "gradients": gradients, "truncation": truncation, "worst": worst,
    "accuracy": accuracy,
}  # fmt: skip
DEFAULTS = {"batch": 16, "gradients": 1, "truncation": 1, "worst": 3, "accuracy": 4}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("section", choices=["speed", "memory", *SECTIONS])
    parser.add_argument("--size", type=int)
    parser.add_argument("--images", type=int)
    parser.add_argument("--maps", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--penalties", nargs="+", choices=METHODS)
    parser.add_argument("--python", nargs="*", default=[], metavar="LIBRARY=INTERPRETER")
    parser.add_argument("--seconds", type=float, default=40.0, help="per solver and problem")
    given = parser.parse_args()
    # Only a batch has work for more than one.
    torch.set_num_threads((os.cpu_count() or 1) if given.section == "batch" else 1)
    warnings.simplefilter("ignore")
    kinds = tuple(given.maps)
    size = given.size or (256 if given.section in ("speed", "memory") else 128)
    default = ("tv", "wavelets") if given.section in ("speed", "memory") else tuple(METHODS)
    penalties = tuple(given.penalties or default)
    run: Callable[[Kind, str], Iterator[Row]]
    if given.section in SECTIONS:
        n = given.images or DEFAULTS[given.section]
        settings: Row = {"images": n}
        run = partial(SECTIONS[given.section], size=size, n=n)
    else:
        pythons = {name: sys.executable for name in LIBRARIES if find_spec(name) is not None}
        pythons.update(dict(entry.split("=", 1) for entry in given.python))
        settings = {}
        run = partial(sparse_speed.memory, size=size, pythons=pythons)
        if given.section == "speed":
            settings = {"seconds_per_solver": given.seconds}
            run = partial(sparse_speed.race, size=size, pythons=pythons, limit=given.seconds)
    for kind, penalty in product(kinds, penalties):
        rows = []
        for row in run(kind, penalty):
            show(row)
            rows.append(row)
        for _, measured in groupby(rows, problem_of):
            store(f"{given.section}-{size}", list(measured), settings)


if __name__ == "__main__":
    main()
