"""What share of the gradient search's damage is found by asking only, on published Deep MRI weights.

The yardstick problem of `benchmarks/search.py`, treated as a black box. Every row is a strategy, the
columns are queries; numbers are amplifications, and shares of what the default search finds with 100
gradients.

    python benchmarks/black_box.py --weights d5_c5.npz [--queries 2000] [--radius 0.031]
        [--masks 19 133] [--strategies default places-off ...]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

import shaketable as st
from shaketable.maps.sampling import cartesian_variable_density
from shaketable.search import Ball, BlackBox, Finding, LowFrequencies, Step
from shaketable.zoo.images.bundled import axial_slice
from shaketable.zoo.images.training import square_image

MARKS = (100, 250, 500, 1000, 1500, 2000, 3000, 5000, 7500, 10000)

Strategy = Callable[[st.Problem, Tensor, float, int, "Progress"], Finding]


class Progress:
    """Prints the amplification whenever a mark is passed, so that long runs can be watched."""

    def __init__(self, name: str, size: float) -> None:
        self._name, self._size = name, size
        self._marks = list(MARKS)
        self._began = time.monotonic()

    def __call__(self, step: Step) -> None:
        while self._marks and step.iteration >= self._marks[0]:
            amplification = float(step.damage[0]) / self._size
            seconds = time.monotonic() - self._began
            print(f"  {self._name:16} {self._marks.pop(0):6} queries  {amplification:6.2f}"
                  f"  {seconds:6.0f} s", flush=True)  # fmt: skip


def yardstick(weights: str, seed: int) -> tuple[st.Problem, Tensor]:
    """The published network on a 64x64 brain slice at a third of the lines, 6 of them central."""
    network = st.zoo.load("deep-mri", weights=weights)
    stored = square_image(axial_slice(95).T[:, ::-1], 64)
    image = torch.from_numpy(stored).to(torch.complex64)[None]
    sampling = cartesian_variable_density((64, 64), seed=seed, acceleration=3.0, n_center=6)
    forward = st.FourierMap(sampling.mask(1 / 3))
    return st.Problem(forward=forward, reconstruct=network.reconstruct, name="published"), image


def with_settings(**settings: object) -> Strategy:
    """The search with some settings in place of the default ones."""

    def strategy(
        problem: st.Problem, image: Tensor, radius: float, n: int, progress: Progress
    ) -> Finding:
        search = replace(BlackBox(n_queries=n), **settings)
        return st.worst_case_black_box(
            problem, image, radius=radius, search=search, on_step=progress
        )

    return strategy


def transferred(
    problem: st.Problem, image: Tensor, radius: float, n: int, progress: Progress
) -> Finding:
    """Start from the worst case of the same architecture with weights of our own."""
    surrogate = st.zoo.load("deep-mri").reconstruct
    return st.worst_case_black_box(
        problem, image, radius=radius, search=BlackBox(n_queries=n), surrogate=surrogate,
        on_step=progress,
    )  # fmt: skip


STRATEGIES: dict[str, Strategy] = {
    "default": with_settings(),
    "places-off": with_settings(within=1.0),
    "strict-places": with_settings(within=0.95),
    "low-frequencies": with_settings(ball=Ball(support=LowFrequencies((64, 64), 24))),
    "transfer": transferred,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--weights", required=True, help="the authors' published file d5_c5.npz")
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--radius", type=float, default=0.031)
    parser.add_argument("--masks", type=int, nargs="+", default=[19, 133])
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=["default"])
    arguments = parser.parse_args()
    for seed in arguments.masks:
        problem, image = yardstick(arguments.weights, seed)
        known = st.worst_case(problem, image, radius=arguments.radius)
        print(f"mask {seed}, radius {arguments.radius:.1%}: {int(known.n_gradients)} gradients find "
              f"{float(known.amplification):.2f}", flush=True)  # fmt: skip
        box = replace(problem, differentiable=False)
        size = arguments.radius * float(image.norm())
        for name in arguments.strategies:
            found = STRATEGIES[name](
                box, image, arguments.radius, arguments.queries, Progress(name, size)
            )
            share = float(found.damage / known.damage)
            print(f"  {name:16} {arguments.queries:6} queries  {float(found.amplification):6.2f}"
                  f"  share {share:.0%}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
