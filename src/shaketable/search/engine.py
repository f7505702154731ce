"""The engine: climb an objective inside a ball from several starts, keep the best point.

The update proposes points; the engine evaluates them, owns gradient, best point, clock and status.
Rows of the batch are pairs (image, start), so that restarts cost no more than images do. Nothing in
the loop waits for a GPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from shaketable.chain import Chain
from shaketable.search.ball import BoundBall
from shaketable.search.budget import Budget, Plateau
from shaketable.search.finding import Status
from shaketable.search.objectives import Objective, Reference
from shaketable.search.updates import Seen, Update
from shaketable.search.vectors import norms, per_image


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a search reports after every gradient: how far it is and the best damage per image.

    ``damage`` lies on the device of the search; reading it waits for the device.
    """

    iteration: int
    n_iterations: int
    damage: Tensor


OnStep = Callable[[Step], None]

# On its way back a gradient passes through numbers that are too small to be stored normally, which a
# CPU takes a quarter longer for. A power of two lifts them and changes no digit; this one is small
# enough for networks in half precision.
_SCALE = 2.0**8

_ON_BOUNDARY = 1 + 1e-5  # a point counts as inside up to rounding


@dataclass(frozen=True, kw_only=True, eq=False)
class Hill:
    """What is climbed, and where: chain, ball, objective and reference of the same rows."""

    chain: Chain
    ball: BoundBall
    objective: Objective
    reference: Reference

    def value(self, coordinates: Tensor) -> tuple[Tensor, Tensor]:
        """Reconstruction and objective ``(B,)`` at a point."""
        perturbation = self.ball.perturbation(coordinates)
        output = self.chain.reconstruct(perturbation)
        return output, self.objective(output, perturbation, self.reference)

    def slope(self, coordinates: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruction, objective and its gradient in coordinates."""
        variable = coordinates.detach().requires_grad_()
        with torch.enable_grad():
            output, value = self.value(variable)
            total = value.sum()
        if not total.requires_grad:  # nothing of the chain depends on the perturbation
            return output, value.double(), torch.zeros_like(coordinates)
        (gradient,) = torch.autograd.grad(total * _SCALE, variable)
        return output.detach(), value.detach().double(), gradient / _SCALE

    def rows(self, index: Tensor) -> Hill:
        """The hill of some rows."""
        return Hill(
            chain=self.chain.rows(index), ball=self.ball.rows(index), objective=self.objective,
            reference=self.reference.rows(index),
        )  # fmt: skip


class Best:
    """The best point of every row so far, what it does, and what is needed to judge the end."""

    def __init__(self, hill: Hill) -> None:
        clean = hill.reference.clean
        n = len(clean)
        self._limit = hill.ball.size * _ON_BOUNDARY
        self._clean = clean
        zero = torch.zeros_like(hill.ball.template)
        self.point = zero
        self.output = clean.clone()
        nothing = hill.ball.perturbation(zero)
        self.value = hill.objective(clean, nothing, hill.reference).detach().double()
        false = torch.zeros(n, dtype=torch.bool, device=clean.device)
        self.finite = torch.isfinite(norms(clean))
        self.moved, self.sloped, self.changed = false, false, false
        self.n_gradients = torch.zeros(n, dtype=torch.int64, device=clean.device)
        self.trace: list[Tensor] = []
        self.counted: list[Tensor] = []

    def see(
        self, hill: Hill, point: Tensor, output: Tensor, value: Tensor, running: Tensor,
        slope: Tensor | None = None,
    ) -> None:  # fmt: skip
        """Take a point into account, for the rows that are still running.

        ``slope`` is the norm of the gradient, where one was taken.
        """
        size = hill.ball.norms(point)
        inside = running & (size <= self._limit)
        change = norms(output - self._clean)
        finite = torch.isfinite(value) & torch.isfinite(change)
        if slope is not None:
            counts = self.finite & running
            self.trace.append(torch.where(counts & (size <= self._limit), value, torch.nan))
            self.counted.append(counts)
            self.n_gradients = self.n_gradients + counts
            finite = finite & torch.isfinite(slope)
            self.sloped = self.sloped | (slope > 0)
        self.moved = self.moved | (inside & (size > 0))
        self.changed = self.changed | (inside & (change > 0))
        # a point that breaks the network is a counterexample of its own: keep it
        broke = self.finite & inside & ~finite
        better = (self.finite & inside & finite & (value > self.value)) | broke
        self.finite = self.finite & (finite | ~inside)
        self.point = torch.where(per_image(better, point), point, self.point)
        choose = per_image(better, output)
        self.output = torch.where(choose, output.to(self.output.dtype), self.output)
        self.value = torch.where(better, value, self.value)

    @classmethod
    def of_starts(cls, hill: Hill, climbed: list[tuple[Tensor, Best]], n_images: int) -> Best:
        """The best start of every image; row ``s · n_images + i`` is start s of image i."""
        result = cls(hill)
        for rows, best in climbed:
            start = rows // n_images
            for number in sorted(set(start.tolist())):
                chosen = (start == number).nonzero().flatten()
                result._merge(best, chosen, rows[chosen] % n_images)
        return result

    def _merge(self, other: Best, rows: Tensor, images: Tensor) -> None:
        mine, its = self.finite[images], other.finite[rows]
        better = (mine & ~its) | (mine & its & (other.value[rows] > self.value[images]))
        target, source = images[better], rows[better]
        self.point[target] = other.point[source]
        self.output = self.output.to(torch.promote_types(self.output.dtype, other.output.dtype))
        self.output[target] = other.output[source].to(self.output.dtype)
        self.value[target] = other.value[source]
        self.finite[images] = mine & its
        for name in ("moved", "changed", "sloped"):
            flags = getattr(self, name).clone()
            flags[images] |= getattr(other, name)[rows]
            setattr(self, name, flags)
        self.n_gradients[images] += other.n_gradients[rows]
        for value, counted in zip(other.trace, other.counted, strict=True):
            self.trace.append(
                torch.full_like(self.value, torch.nan).scatter(0, images, value[rows])
            )
            here = torch.zeros_like(self.finite).scatter(0, images, counted[rows])
            self.counted.append(here)

    def traces(self) -> Tensor:
        """``(B, n)`` value at every gradient, start by start; NaN outside the ball and after the last."""
        if not self.trace:
            return self.value.new_zeros((len(self.value), 0))
        trace, counted = torch.stack(self.trace, 1), torch.stack(self.counted, 1)
        order = (~counted).to(torch.int8).argsort(dim=1, stable=True)
        return trace.gather(1, order)[:, : int(counted.sum(1).max())]

    def statuses(self, ended: Status) -> tuple[Status, ...]:
        """The status of every row, given how the loop ended."""
        # without a single gradient nothing is known of the slope
        sloped = self.sloped | (self.n_gradients == 0)
        flags = torch.stack([self.finite, self.moved, self.changed, sloped]).T.tolist()
        return tuple(_status(ended, *row) for row in flags)


def climb(
    hill: Hill, update: Update[Any], budget: Budget, n_iterations: int, state: Any,
    best: Best, deadline: float | None, on_gradient: Callable[[], None],
) -> bool:  # fmt: skip
    """One climb of all rows; False when the time ran out before the update's schedule ended."""
    plateau = Plateau(budget, len(best.value), best.value.device)
    try:
        for iteration in range(n_iterations):
            if deadline is not None and time.monotonic() > deadline:
                return False
            output, value, gradient = hill.slope(state.point)
            slope = norms(gradient)
            best.see(hill, state.point, output, value, plateau.running, slope)
            plateau.see(best.trace[-1])
            on_gradient()
            if plateau.all_ended(best.finite):
                break
            # outside the ball a network may break without that being a counterexample: start afresh
            usable = best.finite & torch.isfinite(slope)
            gradient = torch.where(per_image(usable, gradient), gradient, 0)
            seen = Seen(
                value=value, gradient=gradient, iteration=iteration, n_iterations=n_iterations
            )
            state = update.advance(hill.ball, state, seen)
    finally:  # the last point, brought into the ball: all that an interrupted search may have
        point = hill.ball.project(state.point)
        with torch.no_grad():
            output, value = hill.value(point)
        best.see(hill, point, output, value.double(), plateau.running)
    return True


def _status(ended: Status, finite: bool, moved: bool, changed: bool, sloped: bool) -> Status:
    if ended is Status.INTERRUPTED:  # first, so that callers see the interrupt
        return ended
    if not finite:
        return Status.NOT_FINITE
    if moved and not changed:
        return Status.NO_RESPONSE
    return ended if sloped else Status.STUCK
