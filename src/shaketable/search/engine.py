"""The engine: climb an objective inside a ball, keep the best point.

The update proposes points; the engine evaluates them, and owns gradient, best point and clock. Nothing
in the loop waits for a GPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from shaketable.search.best import Best, Evaluated
from shaketable.search.budget import Budget, Plateau
from shaketable.search.tracking import Tracker
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
OnBest = Callable[[Best], None]


def climb(
    tracker: Tracker, update: Update[Any], state: Any, budget: Budget, n_iterations: int,
    *, deadline: float | None = None, on_gradient: OnBest | None = None,
) -> bool:  # fmt: skip
    """One climb of all rows of a landscape.

    Parameters
    ----------
    tracker
        Of the landscape; it has the result, also of a climb that an exception ends.
    update, state
        How to move, and where it stands at the beginning.
    budget
        Its plateau ends rows early.
    n_iterations
        Gradients, at most.
    deadline
        Value of the monotonic clock after which no gradient is taken.
    on_gradient
        Called with the best points after every gradient.

    Returns
    -------
    bool
        False when the time ran out before the update's schedule ended.
    """
    landscape = tracker.landscape
    plateau = Plateau(budget, len(tracker.best.value), tracker.best.value.device)
    try:
        for iteration in range(n_iterations):
            if deadline is not None and time.monotonic() > deadline:
                return False
            output, value, gradient = landscape.gradient(state.point)
            norm = norms(gradient)
            seen = Evaluated(point=state.point, output=output, value=value, gradient_norm=norm)
            plateau.see(tracker.gradient_taken(seen, plateau.running))
            if on_gradient is not None:
                on_gradient(tracker.best)
            if plateau.all_ended(tracker.best.finite):
                break
            # outside the ball a network may break without that being a counterexample: start afresh
            usable = tracker.best.finite & torch.isfinite(norm)
            gradient = torch.where(per_image(usable, gradient), gradient, 0)
            state = update.advance(landscape.ball, state, Seen(
                value=value, gradient=gradient, iteration=iteration, n_iterations=n_iterations
            ))  # fmt: skip
    finally:  # the last point, brought into the ball: all that an interrupted search may have
        point = landscape.ball.project(state.point)
        with torch.no_grad():
            output, value = landscape.value(point)
        last = Evaluated(point=point, output=output, value=value.double())
        tracker.point_tried(last, plateau.running)
    return True
