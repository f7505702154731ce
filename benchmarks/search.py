"""How much damage a search finds per gradient, on the published Deep MRI weights.

The yardstick problem: MNI152 T1 template, axial slice 95, 64x64, Cartesian variable density 33 % with
6 centre lines, complex perturbation in the image domain, clean PSNR 28.1 dB. Every row of the table
is a median over masks, each with a random start of its own.

Beside the default stand the paper's momentum ascent and projected Adam, written here as an update,
at the same budgets.

    python benchmarks/search.py --weights d5_c5.npz [--radius 0.031] [--masks 5]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, islice

import numpy as np
import torch
from torch import Tensor

import shaketable as st
from shaketable.maps.sampling import cartesian_variable_density
from shaketable.metrics import psnr
from shaketable.search import State, Update
from shaketable.search.ball import Ball
from shaketable.zoo.bundled import axial_slice
from shaketable.zoo.training_images import square_image

BUDGETS = (10, 20, 50, 100)


YARDSTICK_PSNR = 28.1


def yardstick(weights: str) -> Iterator[tuple[int, st.Problem, Tensor]]:
    """The published network on a 64x64 brain slice at a third of the lines, 6 of them central.

    The whole slice at index 95 of the 1 mm MNI152 template as it is stored (rows run from left to
    right), padded to a square and resampled with anti-aliasing. The known figures go with a clean
    PSNR of 28.1 dB and an unknown mask, and masks decide more than starts do. So all masks are
    taken that have this PSNR within 0.1 dB. With the front at the top, amplifications are lower.

    Yields
    ------
    Seed of the mask, problem and ``(1, 64, 64)`` image, for each such mask.
    """
    network = st.zoo.load("deep-mri", weights=weights)
    stored = square_image(axial_slice(95).T[:, ::-1], 64)
    image = torch.from_numpy(stored).to(torch.complex64)[None]
    for seed in count():
        sampling = cartesian_variable_density((64, 64), seed=seed, acceleration=3.0, n_center=6)
        forward = st.FourierMap(sampling.mask(1 / 3))
        clean = psnr(network.reconstruct(forward(image), forward), image)
        if abs(float(clean) - YARDSTICK_PSNR) <= 0.1:
            problem = st.Problem(forward=forward, reconstruct=network.reconstruct, name="published")
            yield seed, problem, image


@dataclass(frozen=True, kw_only=True)
class ProjectedAdam:
    """Adam on real and imaginary parts, projected onto the ball after every step."""

    rate: float = 0.003
    n_gradients: int = 100
    n_starts: int = 1
    max_seconds: float | None = None

    def start(self, ball: Ball, generators: list[torch.Generator], origin: Tensor | None) -> State:
        point = 0.1 * ball.random(generators) if origin is None else ball.project(origin)
        moments = torch.zeros(2, *torch.view_as_real(point).shape)
        return State(point=point, velocity=moments, generators=generators)

    def advance(self, ball: Ball, state: State, gradient: Tensor, iteration: int) -> State:
        g = torch.view_as_real(gradient)
        first = 0.9 * state.velocity[0] + 0.1 * g
        second = 0.999 * state.velocity[1] + 0.001 * g * g
        k = iteration + 1
        step = first / (1 - 0.9**k) / ((second / (1 - 0.999**k)).sqrt() + 1e-12)
        point = ball.project(state.point + self.rate * torch.view_as_complex(step.contiguous()))
        return replace(state, point=point, velocity=torch.stack([first, second]))


def measure(
    problem: st.Problem, image: Tensor, radius: float, update: Update, seed: int
) -> list[float]:
    """Best amplification within the first 10, 20, 50 and 100 gradients."""
    finding = st.worst_case(problem, image, radius=radius, search=update, seed=seed)
    trace = finding.trace[0].cummax(0).values / finding.perturbation_norm[0]
    return [float(trace[min(n, len(trace)) - 1]) for n in BUDGETS]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--weights", required=True, help="the authors' published file d5_c5.npz")
    parser.add_argument("--radius", type=float, default=0.031)
    parser.add_argument("--masks", type=int, default=5)
    arguments = parser.parse_args()
    updates: dict[str, Update] = {
        "SphereAscent (default)": st.SphereAscent(),
        "SphereAscent, 20 gradients": st.SphereAscent(n_gradients=20),
        "MomentumAscent (paper)": replace(st.MomentumAscent.published("deep-mri"), n_gradients=100),
        "projected Adam 0.001": ProjectedAdam(rate=0.001),
        "projected Adam 0.003": ProjectedAdam(rate=0.003),
    }
    print(f"radius {arguments.radius:.1%}, masks with seeds", end="")
    rows: dict[str, list[list[float]]] = {name: [] for name in updates}
    for seed, problem, image in islice(yardstick(arguments.weights), arguments.masks):
        print(f" {seed}", end="", flush=True)
        for name, update in updates.items():
            rows[name].append(measure(problem, image, arguments.radius, update, seed))
    print("\namplification, median over masks (range), within")
    print(f"{'':28}" + "".join(f"{n:>6} gradients  " for n in BUDGETS))
    for name, values in rows.items():
        table = np.array(values)
        cells = [f"{np.median(c):6.2f} ({c.min():.1f}-{c.max():.1f})" for c in table.T]
        print(f"{name:28}" + " ".join(f"{cell:>17}" for cell in cells))


if __name__ == "__main__":
    main()
