"""Auto-PGD: projected gradient whose step halves where it stops paying, to compare with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.search.ball import BoundBall
from shaketable.search.updates.update import Origin, Seen, starting_point
from shaketable.search.vectors import per_image


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaptiveState:
    """A point, the one before, the best so far, and the counters of the step rule, per image."""

    point: Tensor
    before: Tensor
    best: Tensor
    best_gradient: Tensor
    best_value: Tensor
    last_value: Tensor
    step: Tensor
    n_risen: Tensor
    checked_step: Tensor
    checked_value: Tensor
    last_check: int


@dataclass(frozen=True, kw_only=True)
class AdaptiveProjectedGradient:
    """Auto-PGD of Croce and Hein ("Reliable evaluation of adversarial robustness", ICML 2020, Alg. 1).

    ``w = project(z + s d)``, ``z <- project(z + 0.75 (w - z) + 0.25 (z - z_before))`` with d the
    steepest direction. At checkpoints the step s halves, and the search goes back to its best point,
    where the objective rose in fewer than ``share`` of the steps, or neither step nor best value
    changed since the checkpoint before.

    Parameters
    ----------
    step
        First step in radii.
    share
        ρ.

    Examples
    --------
    >>> AdaptiveProjectedGradient().step
    2.0
    """

    step: float = 2.0
    share: float = 0.75

    def __post_init__(self) -> None:
        if not (self.step > 0 and 0 < self.share <= 1):
            raise InputError(
                f"Expected step > 0 and 0 < share <= 1, got {self.step} and {self.share}."
            )

    def start(
        self, ball: BoundBall, origin: Origin | None, generators: list[torch.Generator],
        n_iterations: int,
    ) -> AdaptiveState:  # fmt: skip
        """A random point of the boundary, or the origin."""
        point = ball.project(starting_point(origin, ball.random(generators)))
        lowest = torch.full_like(ball.size, -torch.inf)
        step = torch.full_like(ball.size, self.step)
        return AdaptiveState(
            point=point, before=point, best=point, best_gradient=torch.zeros_like(point),
            best_value=lowest, last_value=lowest, step=step, n_risen=torch.zeros_like(step),
            checked_step=step, checked_value=lowest, last_check=0,
        )  # fmt: skip

    def advance(self, ball: BoundBall, state: AdaptiveState, seen: Seen) -> AdaptiveState:
        """Take note of the value, halve the step where it is due, and move."""
        state = _noted(state, seen)
        gradient = seen.gradient
        if seen.iteration > 0 and seen.iteration in _checkpoints(seen.n_iterations):
            state, halved = self._checked(state, seen)
            choose = per_image(halved, gradient)
            gradient = torch.where(choose, state.best_gradient, gradient)
            state = replace(state, point=torch.where(choose, state.best, state.point))
        move = ball.scaled(ball.steepest(gradient), state.step)
        ahead = ball.project(state.point + move)
        if seen.iteration > 0:
            drift = 0.75 * (ahead - state.point) + 0.25 * (state.point - state.before)
            ahead = ball.project(state.point + drift)
        return replace(state, point=ahead, before=state.point)

    def _checked(self, state: AdaptiveState, seen: Seen) -> tuple[AdaptiveState, Tensor]:
        length = seen.iteration - state.last_check
        few = state.n_risen < self.share * length
        still = (state.step == state.checked_step) & (state.best_value <= state.checked_value)
        halved = few | still
        after = replace(
            state, checked_step=state.step, checked_value=state.best_value,
            step=torch.where(halved, state.step / 2, state.step),
            n_risen=torch.zeros_like(state.n_risen), last_check=seen.iteration,
        )  # fmt: skip
        return after, halved


def _noted(state: AdaptiveState, seen: Seen) -> AdaptiveState:
    better = seen.value > state.best_value
    choose = per_image(better, state.point)
    return replace(
        state,
        best=torch.where(choose, state.point, state.best),
        best_gradient=torch.where(choose, seen.gradient, state.best_gradient),
        best_value=torch.where(better, seen.value, state.best_value),
        last_value=seen.value,
        n_risen=state.n_risen + (seen.value > state.last_value),
    )


def _checkpoints(n_iterations: int) -> set[int]:
    """``w_j = ⌈p_j N⌉`` with ``p_0 = 0``, ``p_1 = 0.22`` and periods shrinking by 0.03 to 0.06."""
    shares = [0.0, 0.22]
    while shares[-1] < 1:
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - 0.03, 0.06))
    return {-int(-share * n_iterations // 1) for share in shares}
