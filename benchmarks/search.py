"""How much damage a search finds per gradient, beside other searches in the same run.

    python benchmarks/search.py yardstick DATA     10 seeds at three radii, 100 gradients
    python benchmarks/search.py together DATA      the three radii in one path, 300 gradients in all
    python benchmarks/search.py masks DATA         yardstick with ten other masks
    python benchmarks/search.py paper DATA         gradients to the damage of the paper's search
    python benchmarks/search.py peers DATA         Adam, PGD, Auto-PGD at 10, 30, 100, 300 gradients
    python benchmarks/search.py plateau DATA       what ending early saves and loses
    python benchmarks/search.py path DATA          six radii of one 256x256 image
    python benchmarks/search.py reference DATA     10 restarts of 1000 gradients; an hour; stored
    python benchmarks/search.py figure             damage against gradients, from what was stored
    python benchmarks/search.py overhead DATA      time per step beside a bare forward and backward

DATA is the folder that `benchmarks/deep_mri.py` describes. The yardstick problem: the published
Deep MRI, MNI152 T1 template, axial slice 95, 64x64, Cartesian variable density 33 % with 6 centre
lines, complex perturbation in the image domain, clean PSNR 28.1 dB. Results are added to
`benchmarks/results/search.json`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from search_figure import figure
from search_problems import (
    YARDSTICK_MASK,
    Case,
    cases,
    fitting_masks,
    published,
    store,
    stored,
    yardstick_image,
    yardstick_problem,
)
from torch import Tensor

import shaketable as st
from shaketable.maps.sampling import cartesian_variable_density
from shaketable.metrics import psnr
from shaketable.search import (
    AdaptiveProjectedGradient,
    Budget,
    MomentumAscent,
    PenalisedError,
    ProjectedAdam,
    ProjectedGradient,
    Search,
    Update,
)
from shaketable.zoo.images.bundled import axial_slice
from shaketable.zoo.images.training import square_image

RADII = (0.019, 0.031, 0.06)
PATH = (0.003, 0.0045, 0.007, 0.01, 0.014, *RADII[:2], 0.043, RADII[2], 0.085)
ADAM_RATES = (0.03, 0.1, 0.3, 1.0, 3.0)


def search_of(update: Update[Any] | None, n: int, n_starts: int = 1) -> Search:
    """A search of n gradients; the default where no update is given."""
    budget = Budget(n_gradients=n, n_starts=n_starts, plateau=0 if update else Budget.plateau)
    if update is None:
        return Search(budget=budget)
    return Search(update=update, budget=budget, local_start=False)


def amplification(
    problem: st.Problem, image: Tensor, radius: float, search: Search, seed: int
) -> float:
    return float(
        st.worst_case(problem, image, radius=radius, search=search, seed=seed).amplification.max()
    )


def yardstick(data: Path) -> None:
    network, image = published(data), yardstick_image()
    result: dict[str, Any] = {}
    problem = yardstick_problem(network, YARDSTICK_MASK)
    for radius in RADII:
        found = [amplification(problem, image, radius, Search(), seed) for seed in range(10)]
        print(f"radius {radius:.1%}, mask {YARDSTICK_MASK}, 10 seeds: {summary(found, radius)}",
              flush=True)  # fmt: skip
        result[f"{radius}"] = found
        store("yardstick", result)


def together(data: Path) -> None:
    """What three searches of 100 gradients find in one path over the three radii."""
    problem, image = yardstick_problem(published(data), YARDSTICK_MASK), yardstick_image()
    paths = [
        st.worst_case_path(problem, image, radii=RADII, search=search_of(None, 100), seed=seed)
        for seed in range(10)
    ]
    n_gradients = [sum(int(finding.n_gradients) for finding in path) for path in paths]
    print(
        f"one path over {len(RADII)} radii, at most {max(n_gradients)} gradients in all", flush=True
    )
    result: dict[str, Any] = {"n_gradients": n_gradients}
    for index, radius in enumerate(RADII):
        found = [float(path[index].amplification) for path in paths]
        print(f"radius {radius:.1%}, mask {YARDSTICK_MASK}, 10 seeds: {summary(found, radius)}")
        result[f"{radius}"] = found
    store("together", result)


def spread(found: list[float]) -> str:
    return f"median {np.median(found):.2f} ({min(found):.2f} to {max(found):.2f})"


def summary(found: list[float], radius: float) -> str:
    """Median and range, and the share of the reference if there is one."""
    best = stored().get("reference", {}).get(f"{radius}", {}).get("best")
    if best is None:
        return spread(found)
    return f"{spread(found)}, {np.median(found) / best:.1%} of the reference {best:.2f}"


def masks(data: Path) -> None:
    network, image = published(data), yardstick_image()
    chosen = list(islice(fitting_masks(network), 10))
    result: dict[str, Any] = {}
    for radius in RADII:
        found = [
            amplification(yardstick_problem(network, m), image, radius, Search(), m) for m in chosen
        ]
        print(f"radius {radius:.1%}, 10 masks, one seed each: {spread(found)}", flush=True)
        result[f"{radius}"] = found
        store("masks", result)


def paper(data: Path) -> None:
    """The published program: mean of squares, so rate and penalty are divided and multiplied by N."""
    network, image = published(data), yardstick_image()
    problem = yardstick_problem(network, YARDSTICK_MASK)
    n = image[0].numel()
    norm = float(torch.linalg.vector_norm(image))
    search = replace(
        Search.published("deep-mri"),
        objective=PenalisedError(penalty=1e-3 * n),
        update=MomentumAscent(rate=1e-2 / n),
        budget=Budget(n_gradients=2500, plateau=0),
    )
    finding = st.worst_case(problem, image, radius=1.0, search=search, seed=0)
    size, reached = float(finding.perturbation_norm) / norm, float(finding.amplification)
    print(f"the published search after 2500 gradients: amplification {reached:.2f} at {size:.1%}"
          + ("" if size > 0 else ", no point better than none"))  # fmt: skip
    rows = [("measured here after 2500 gradients", size, reached)] if size > 0 else []
    rows += [
        ("known after 2500, 5000, 6000", r, a)
        for r, a in zip(RADII, (2.35, 3.73, 3.79), strict=True)
    ]
    result = []
    for label, radius, wanted in rows:
        needed = first_budget(problem, image, radius, wanted)
        print(f"{label}: amplification {wanted:.2f} at {radius:.1%}; ours within {needed} gradients",
              flush=True)  # fmt: skip
        result.append({"what": label, "radius": radius, "amplification": wanted, "ours": needed})
    store("paper", result)


def first_budget(problem: st.Problem, image: Tensor, radius: float, wanted: float) -> int | None:
    """The smallest budget whose median over three seeds reaches an amplification."""
    for n in (2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100):
        found = [amplification(problem, image, radius, search_of(None, n), s) for s in range(3)]
        if np.median(found) >= wanted:
            return n
    return None


def reference(data: Path, n_restarts: int) -> None:
    """The best that restarts of 1000 gradients find: each update at one radius, and the path.

    The path spends 1000 gradients on ten radii together, the three of the yardstick among them, and
    stands apart: it is a way to use an update at several radii. Results are added to what is stored.
    """
    network, image = published(data), yardstick_image()
    problem = yardstick_problem(network, YARDSTICK_MASK)
    updates: dict[str, Update[Any] | None] = {
        "default": None,
        "Auto-PGD": AdaptiveProjectedGradient(),
    }
    result: dict[str, Any] = stored().get("reference", {})
    rows = {radius: result.setdefault(f"{radius}", {"best": 0.0}) for radius in RADII}
    for seed in range(n_restarts):
        for name, update in updates.items():
            for radius, row in rows.items():
                found = row.setdefault(name, [])
                if seed >= len(found) and (name == "default" or seed == 0):
                    search = search_of(update, 1000)
                    found.append(amplification(problem, image, radius, search, 100 + seed))
                    row["best"] = max(row["best"], *found)
                    store("reference", result)
        if seed >= len(rows[RADII[0]].get("path", [])):
            findings = st.worst_case_path(problem, image, radii=PATH, search=search_of(None, 100),
                                          seed=100 + seed)  # fmt: skip
            for radius, finding in zip(PATH, findings, strict=True):
                if radius in rows:
                    rows[radius].setdefault("path", []).append(float(finding.amplification))
            store("reference", result)
    for radius, row in rows.items():
        for name in ("path", *updates):
            found = row[name]
            print(f"{radius:.1%}, {name}, {len(found)} restarts: {spread(found)}", flush=True)


def peers(
    data: Path, budgets: tuple[int, ...], prefix: str, n_seeds: int, only: str | None
) -> None:
    """Every update on every case; with ``only``, one update anew beside the others as stored."""
    result: dict[str, Any] = stored().get("peers", {})
    for case in cases(data):
        if not case.name.startswith(prefix):
            continue
        started = time.monotonic()
        measures: dict[str, Callable[[], list[float]]] = {
            "default": partial(scheduled, case, None, budgets, n_seeds),
            "Auto-PGD": partial(scheduled, case, AdaptiveProjectedGradient(), budgets, n_seeds),
            "PGD": partial(unscheduled, case, ProjectedGradient(), budgets, n_seeds),
        }
        for rate in ADAM_RATES:
            adam = ProjectedAdam(rate=rate)
            measures[f"Adam {rate}"] = partial(unscheduled, case, adam, budgets, n_seeds)
        kept = result.get(case.name, {})
        if only is not None and list(kept.get("budgets", ())) != list(budgets):
            raise SystemExit(f"Expected stored rows of {case.name} with budgets {budgets}.")
        rows = {
            name: measure() if only in (None, name) else kept["rows"][name]
            for name, measure in measures.items()
        }
        result[case.name] = {"radius": case.radius, "budgets": budgets, "rows": rows}
        store("peers", result)
        print(f"\n{case.name}, radius {case.radius:.1%}, median of {n_seeds} seeds, "
              f"{time.monotonic() - started:.0f} s; gradients {budgets}")  # fmt: skip
        for rival, values in rows.items():
            print(f"  {rival:10}" + " ".join(f"{v:7.2f}" for v in values), flush=True)


def scheduled(
    case: Case, update: Update[Any] | None, budgets: tuple[int, ...], n_seeds: int
) -> list[float]:
    """A search whose steps depend on its budget is run once for each."""
    return [
        float(np.median([
            amplification(case.problem, case.image, case.radius, search_of(update, n), seed)
            for seed in range(n_seeds)
        ]))
        for n in budgets
    ]  # fmt: skip


def unscheduled(
    case: Case, update: Update[Any], budgets: tuple[int, ...], n_seeds: int
) -> list[float]:
    """A search of fixed steps is run once, for the largest budget."""
    traces = [fixed_trace(case, update, max(budgets), seed) for seed in range(n_seeds)]
    return [float(np.median([trace[n - 1] for trace in traces])) for n in budgets]


def fixed_trace(case: Case, update: Update[Any], n: int, seed: int) -> list[float]:
    """Best amplification within the first k gradients, for every k; the size is that of the ball."""
    search = search_of(update, n)
    finding = st.worst_case(case.problem, case.image, radius=case.radius, search=search, seed=seed)
    size = case.radius * float(torch.linalg.vector_norm(case.image))
    best = finding.trace[0].nan_to_num(0).cummax(0).values / size
    return [float(v) for v in best]


def path(data: Path) -> None:
    network = published(data)
    heart = torch.from_numpy(np.load(data / "cardiac" / "slices.npz")["images"][3] / 65535.0)
    image = (heart / heart.max()).to(torch.complex64)[None]
    sampling = cartesian_variable_density((256, 256), seed=0)
    problem = st.Problem(
        forward=st.FourierMap(sampling.mask(1 / 3)), reconstruct=network.reconstruct
    )
    started = time.monotonic()
    radii = (0.0025, 0.005, 0.01, 0.02, 0.04, 0.06)
    findings = st.worst_case_path(problem, image, radii=radii, search=search_of(None, 50))
    seconds = time.monotonic() - started
    n_gradients = sum(int(f.n_gradients) for f in findings)
    print(f"six radii, {n_gradients} gradients, {seconds:.0f} s, {torch.get_num_threads()} threads")
    for radius, finding in zip(radii, findings, strict=True):
        print(f"  {radius:.2%}: amplification {float(finding.amplification):.2f}, PSNR "
              f"{float(psnr(finding.reconstruction, image)):.1f} dB")  # fmt: skip
    store("path", {"seconds": seconds, "n_gradients": n_gradients, "radii": radii,
                   "amplification": [float(f.amplification) for f in findings]})  # fmt: skip


def overhead(data: Path) -> None:
    """Time of a search over that of the network alone on the same data, interleaved.

    The same data, because a network can take a tenth longer where it is perturbed: the smallest floats
    are slow on a CPU.
    """
    network = published(data)
    for size in (64, 256):
        A = st.FourierMap(cartesian_variable_density((size, size), seed=0).mask(1 / 3))
        image = torch.from_numpy(square_image(axial_slice(95), size)).to(torch.complex64)[None]
        problem = st.Problem(forward=A, reconstruct=network.reconstruct)
        n = 40 if size == 64 else 8
        search = replace(search_of(None, n), local_start=False)
        seen: list[Tensor] = []
        recorded = replace(problem, reconstruct=lambda y, A, seen=seen: seen.append(y.detach())
                           or network.reconstruct(y, A))  # fmt: skip
        st.worst_case(recorded, image, radius=0.02, search=search)
        times: list[tuple[float, float]] = []
        for _ in range(7):
            ends = [time.process_time()]
            bare(network, A, seen)
            ends.append(time.process_time())
            st.worst_case(problem, image, radius=0.02, search=search)
            ends.append(time.process_time())
            bare_time, search_time = np.diff(ends) / n
            times.append((bare_time, search_time))
        bare_time, step_time = np.median(np.array(times), axis=0)
        print(f"{size}x{size}: bare {bare_time * 1e3:.1f} ms, step {step_time * 1e3:.1f} ms, "
              f"{step_time / bare_time - 1:+.1%}", flush=True)  # fmt: skip


def bare(network: Any, A: st.FourierMap, seen: list[Tensor]) -> None:
    """Forward and backward of the network alone; the first and the last data are not differentiated."""
    with torch.no_grad():
        clean = network.reconstruct(seen[0], A)
        network.reconstruct(seen[-1], A)
    for data in seen[1:-1]:
        y = data.clone().requires_grad_()
        error = network.reconstruct(y, A) - clean
        torch.autograd.grad((error.conj() * error).real.sum(), y)


def plateau(data: Path) -> None:
    """What the plateau rule saves and what it loses, beside the same search without it."""
    for case in cases(data):
        if "256" in case.name:
            continue
        for radius in (case.radius / 100, case.radius):
            found = [
                st.worst_case(case.problem, case.image, radius=radius,
                              search=Search(budget=Budget(plateau=p)))
                for p in (Budget.plateau, 0.0)
            ]  # fmt: skip
            (early, early_n), (whole, whole_n) = (
                (float(f.amplification), int(f.n_gradients)) for f in found
            )
            print(f"{case.name}, radius {radius:.2%}: {early_n} gradients instead of {whole_n}, "
                  f"damage {early / whole - 1:+.2%}", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parts = {f.__name__: f for f in (yardstick, together, masks, paper, path, overhead, plateau)}
    parser.add_argument("part", choices=[*parts, "peers", "reference", "figure"])
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--budgets", type=int, nargs="+", default=[10, 30, 100, 300])
    parser.add_argument("--seeds", type=int, default=3, help="of the peers")
    parser.add_argument("--restarts", type=int, default=10, help="of the reference")
    parser.add_argument("--only", help="of the peers: measure this one, keep the others as stored")
    parser.add_argument("--case", default="", help="beginning of the names of the peers' cases")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.part == "figure":
        figure()
    elif arguments.data is None:
        parser.error("this part needs DATA")
    elif arguments.part == "reference":
        reference(arguments.data, arguments.restarts)
    elif arguments.part == "peers":
        peers(arguments.data, tuple(arguments.budgets), arguments.case, arguments.seeds,
              arguments.only)  # fmt: skip
    else:
        parts[arguments.part](arguments.data)


if __name__ == "__main__":
    main()
