"""What an update is: a start and a step, in coordinates of a ball."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from shaketable.search.ball import BoundBall
from shaketable.search.vectors import norms, per_image


class State(Protocol):
    """Where a search stands; each update adds what it remembers."""

    @property
    def point(self) -> Tensor:
        """``(B, ...)`` the coordinates whose gradient is taken next."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """What was seen at a point.

    Parameters
    ----------
    value
        ``(B,)`` the objective, float64.
    gradient
        ``(B, ...)`` its gradient in coordinates; zero where the search of an image has ended.
    iteration
        Number of the gradient, from 0.
    n_iterations
        How many there will be: schedules end with them.
    """

    value: Tensor
    gradient: Tensor
    iteration: int
    n_iterations: int

    @property
    def share(self) -> float:
        """How much of the budget is spent, from 0 to below 1."""
        return self.iteration / self.n_iterations


AnyState = TypeVar("AnyState", bound=State)


@dataclass(frozen=True, kw_only=True, eq=False)
class Origin:
    """Where to start.

    Parameters
    ----------
    point
        ``(B, ...)`` coordinates; rows of zeros mean a start of the update's own choice.
    warm_start
        Stay near it, because it is the result of another search and not just a promising direction.
    """

    point: Tensor
    warm_start: bool


class Update(Protocol[AnyState]):
    """A way to move. New ones need these two methods; nothing is inherited.

    The engine judges every point itself: a point counts only where it lies in the ball, and the best
    one is kept.
    """

    def start(
        self, ball: BoundBall, origin: Origin | None, generators: list[torch.Generator],
        n_iterations: int,
    ) -> AnyState:  # fmt: skip
        """The first point.

        Parameters
        ----------
        ball
            Where to search.
        origin
            Where to start; None for the update's own choice.
        generators
            One per row, for random starts.
        n_iterations
            How many gradients there will be: schedules end with them.
        """
        ...

    def advance(self, ball: BoundBall, state: AnyState, seen: Seen) -> AnyState:
        """The next point, from what was seen at ``state.point``."""
        ...


def starting_point(origin: Origin | None, own: Tensor) -> Tensor:
    """The origin where there is one, elsewhere the update's own start."""
    if origin is None:
        return own
    return torch.where(per_image(norms(origin.point) > 0, own), origin.point, own)
