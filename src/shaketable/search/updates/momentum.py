"""The paper's own search: gradient ascent with momentum."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.real_vectors import from_real_parts, real_parts
from shaketable.search.ball import BoundBall
from shaketable.search.updates.update import Origin, Seen, starting_point


@dataclass(frozen=True, kw_only=True, eq=False)
class MomentumState:
    """A point and the velocity it was reached with."""

    point: Tensor
    velocity: Tensor


@dataclass(frozen=True, kw_only=True)
class MomentumAscent:
    """``v <- momentum · v + rate · ∇Q(r)``, ``r <- r + v``, kept in the ball by projection.

    Starts uniform on ``[0, start_size]``. With `PenalisedError` as objective ``Q`` this is the search
    of Antun et al. 2020 (Methods), where the perturbation grows until it is stopped;
    `Search.published` has the settings per network. Differences to the published programs: the
    gradient is that of Q, through the whole chain, and the radius bounds the perturbation.

    Parameters
    ----------
    rate
        Step size η; it has to fit the scale of network and images.
    momentum
        γ.
    start_size
        τ, in the unit of the perturbation; with 0 the search starts at r = 0, where the gradient
        vanishes.

    Examples
    --------
    >>> MomentumAscent().momentum
    0.9
    """

    rate: float = 1e-2
    momentum: float = 0.9
    start_size: float = 1e-2

    def __post_init__(self) -> None:
        if not (self.rate > 0 and 0 <= self.momentum < 1 and self.start_size >= 0):
            raise InputError(
                "Expected rate > 0, 0 <= momentum < 1 and start_size >= 0, got "
                f"{self.rate}, {self.momentum} and {self.start_size}; see Search.published."
            )

    def start(
        self, ball: BoundBall, origin: Origin | None, generators: list[torch.Generator],
        n_iterations: int,
    ) -> MomentumState:  # fmt: skip
        """Uniform on [0, start_size] in the real and the imaginary part, or the origin."""
        like = ball.template
        parts = real_parts(like)
        draws = [torch.rand(parts.shape[1:], generator=g, dtype=parts.dtype) for g in generators]
        uniform = self.start_size * torch.stack(draws).to(like.device)
        point = ball.project(starting_point(origin, from_real_parts(uniform, like)))
        return MomentumState(point=point, velocity=torch.zeros_like(point))

    def advance(self, ball: BoundBall, state: MomentumState, seen: Seen) -> MomentumState:
        """One step of momentum ascent, projected onto the ball."""
        velocity = self.momentum * state.velocity + self.rate * seen.gradient
        return MomentumState(point=ball.project(state.point + velocity), velocity=velocity)
