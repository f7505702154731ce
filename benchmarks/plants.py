"""What searches find of problems whose worst case is known, side by side, and at what cost.

    python benchmarks/plants.py [--seeds 10] [--domain image|data] [--out plants.json]

Every search looks for every plant of ``shaketable.testing`` on three maps: single-coil Fourier
(48 x 48, complex, every third line), parallel beam (48 x 48, real, 40 angles) and a random matrix
(16 x 16, real, 100 data). A cell shows the median share of the known answer over maps and seeds, the
smallest, the runs that found it, and the median number of gradients. "scan" chooses the
parameter of an update with hindsight, for each plant, map and seed.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from pathlib import Path

import torch
from torch import Tensor

from shaketable import Budget, FourierMap, MatrixMap, Problem, RadonMap, Search
from shaketable.protocols import ForwardMap
from shaketable.search import AdaptiveProjectedGradient, ProjectedAdam, ProjectedGradient
from shaketable.testing import StrengthReport, Trial, strength

RATES = (0.01, 0.03, 0.1, 0.3, 1.0)


def adjoint(y: Tensor, A: ForwardMap) -> Tensor:
    return A.adjoint(y)


def blob(size: int) -> Tensor:
    line = torch.linspace(-1, 1, size)
    return torch.exp(-2 * (line[:, None] ** 2 + 1.5 * line**2))[None]


def problems() -> list[tuple[Problem, Tensor]]:
    lines = torch.zeros(48, dtype=torch.bool)
    lines[::3] = lines[:5] = lines[-5:] = True
    angles = torch.linspace(0, math.pi, 41)[:-1]
    matrix = torch.randn(100, 256, generator=torch.Generator().manual_seed(0))
    maps: list[tuple[ForwardMap, int, bool]] = [
        (FourierMap(lines[:, None].expand(48, 48)), 48, False),
        (RadonMap(angles, (48, 48)), 48, True),
        (MatrixMap(matrix, image_shape=(16, 16)), 16, True),
    ]
    return [
        (Problem(forward=forward, reconstruct=adjoint, real=real), blob(size))
        for forward, size, real in maps
    ]


def searches() -> dict[str, list[Search]]:
    """Each name with the searches among which the best is taken."""
    plain = Budget()
    return {
        "default": [Search()],
        "default, 30 gradients": [Search(budget=Budget(n_gradients=30))],
        "default, 4 starts": [Search(budget=Budget(n_starts=4))],
        "ProjectedGradient": [Search(update=ProjectedGradient(), local_start=False)],
        "AdaptiveProjectedGradient": [
            Search(update=AdaptiveProjectedGradient(), local_start=False, budget=plain)
        ],
        "ProjectedAdam": [Search(update=ProjectedAdam(), local_start=False)],
        "ProjectedAdam, scan": [
            Search(update=ProjectedAdam(rate=rate), local_start=False) for rate in RATES
        ],
        "published (deep-mri), 500": [Search.published("deep-mri")],
        "published (med-50)": [Search.published("med-50")],
    }


def best_of(reports: list[StrengthReport]) -> list[Trial]:
    rows = zip(*(report.trials for report in reports), strict=True)
    return [max(row, key=lambda trial: trial.share) for row in rows]


def measure(choices: list[Search], n_seeds: int, domain: str) -> dict[str, list[Trial]]:
    found: dict[str, list[Trial]] = {}
    for problem, images in problems():
        for seed in range(n_seeds):
            reports = [strength(s, problem, images, domain=domain, seed=seed) for s in choices]
            for trial in best_of(reports):
                found.setdefault(trial.name, []).append(trial)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--domain", choices=("image", "data"), default="image")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    table = {}
    for name, choices in searches().items():
        print(f"\n{name}\n  {'planted':<29}{'median':>8}{'least':>8}{'found':>9}{'gradients':>11}")
        table[name] = {}
        for plant, trials in measure(choices, options.seeds, options.domain).items():
            shares = [trial.share for trial in trials]
            row = {
                "median": statistics.median(shares), "least": min(shares),
                "found": sum(trial.found for trial in trials), "of": len(trials),
                "gradients": statistics.median(trial.n_gradients for trial in trials),
            }  # fmt: skip
            table[name][plant] = row
            print(f"  {plant:<29}{row['median']:>8.1%}{row['least']:>8.1%}"
                  f"{row['found']:>6}/{row['of']}{row['gradients']:>11.0f}", flush=True)  # fmt: skip
    if options.out is not None:
        options.out.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
