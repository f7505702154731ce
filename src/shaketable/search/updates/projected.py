"""Projected gradient and projected Adam: what most published searches use, to compare with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.real_vectors import from_real_parts, real_parts
from shaketable.search.ball import BoundBall
from shaketable.search.updates.update import Origin, Seen, starting_point


@dataclass(frozen=True, kw_only=True, eq=False)
class PointState:
    """A point; nothing is remembered."""

    point: Tensor


@dataclass(frozen=True, kw_only=True)
class ProjectedGradient:
    """``z <- project(z + step · size · d)`` with d the steepest direction of norm one.

    In l2 the normalised gradient, in l-infinity its signs (Madry et al., "Towards deep learning
    models resistant to adversarial attacks", ICLR 2018). Starts at a random point of the boundary.

    Parameters
    ----------
    step
        In radii.

    Examples
    --------
    >>> ProjectedGradient(step=0.1).step
    0.1
    """

    step: float = 0.25

    def __post_init__(self) -> None:
        if not self.step > 0:
            raise InputError(f"Expected step > 0, got {self.step}; 0.25 is usual.")

    def start(
        self, ball: BoundBall, origin: Origin | None, generators: list[torch.Generator],
        n_iterations: int,
    ) -> PointState:  # fmt: skip
        """A random point of the boundary, or the origin."""
        return PointState(point=ball.project(starting_point(origin, ball.random(generators))))

    def advance(self, ball: BoundBall, state: PointState, seen: Seen) -> PointState:
        """One step of fixed length."""
        step = ball.scaled(ball.steepest(seen.gradient), self.step)
        return PointState(point=ball.project(state.point + step))


@dataclass(frozen=True, kw_only=True, eq=False)
class AdamState:
    """A point and the running first and second moments of the gradient's real entries."""

    point: Tensor
    first: Tensor
    second: Tensor


@dataclass(frozen=True, kw_only=True)
class ProjectedAdam:
    """Adam on real and imaginary parts, projected onto the ball after every step.

    The search of Genzel, Macdonald and März (IEEE TPAMI 45, 2023). Element-wise steps do not fit an l2
    ball and are not invariant to a global phase of complex data; ``rate`` has to be tuned.

    Parameters
    ----------
    rate
        Step size, relative to the root mean square entry of a point on the boundary.
    decay
        Of the first and the second moment.

    Examples
    --------
    >>> ProjectedAdam(rate=0.1).decay
    (0.9, 0.999)
    """

    rate: float = 0.1
    decay: tuple[float, float] = (0.9, 0.999)

    def __post_init__(self) -> None:
        if not (self.rate > 0 and all(0 <= d < 1 for d in self.decay)):
            raise InputError(
                f"Expected rate > 0 and decays in [0, 1), got {self.rate} and {self.decay}."
            )

    def start(
        self, ball: BoundBall, origin: Origin | None, generators: list[torch.Generator],
        n_iterations: int,
    ) -> AdamState:  # fmt: skip
        """A random point at a tenth of the radius, or the origin."""
        point = ball.project(starting_point(origin, ball.random(generators, 0.1)))
        zeros = torch.zeros_like(real_parts(point))
        return AdamState(point=point, first=zeros, second=zeros)

    def advance(self, ball: BoundBall, state: AdamState, seen: Seen) -> AdamState:
        """One step of Adam, projected."""
        gradient = real_parts(seen.gradient)
        b1, b2 = self.decay
        first = b1 * state.first + (1 - b1) * gradient
        second = b2 * state.second + (1 - b2) * gradient.square()
        k = seen.iteration + 1
        root = (second / (1 - b2**k)).sqrt()
        direction = first / (1 - b1**k) / root.clamp_min(torch.finfo(root.dtype).tiny)
        step = self.rate * ball.typical_entry() * from_real_parts(direction, state.point)
        point = ball.project(state.point + step)
        return AdamState(point=point, first=first, second=second)
