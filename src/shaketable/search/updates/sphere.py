"""The default: normalised ascent along the boundary of the ball, with a decaying step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.search.ball import BoundBall
from shaketable.search.updates.update import Origin, Seen, starting_point
from shaketable.search.vectors import dots, normalise, norms, per_image


@dataclass(frozen=True, kw_only=True, eq=False)
class SphereState:
    """Where the search is, how it got there, and how far it may go.

    Parameters
    ----------
    point, velocity
        The point and the averaged direction.
    spare
        Random numbers for points without a slope.
    step
        ``(B,)`` first step in radii: smaller where the search continues another one.
    """

    point: Tensor
    velocity: Tensor
    spare: Tensor
    step: Tensor


@dataclass(frozen=True, kw_only=True)
class SphereAscent:
    """Normalised gradient ascent along ``‖z‖ = size``, with a step that decays to zero.

    With P the projection onto the directions along the boundary at z, and t = k / n the share of the
    budget that is spent::

        v <- m v + (1 - m) P g / ‖P g‖₂,    m from momentum[0] to momentum[1] with t
        z <- retract(z + s · ‖z‖ · d(v)),   s = min(step · (1 - t), ‖P g‖ / |g_z|)

    d(v) is the direction of norm one along which ⟨v, ·⟩ rises most: ``v / ‖v‖₂`` on the l2 sphere,
    the signs of v in l-infinity. ``g_z`` is the gradient's component along z: the second limit of the
    step is what the power method would take (l2 only), so a search that has arrived stays. Only
    the direction of the gradient is used: nothing depends on the scale of network or images, and a
    global phase of complex images changes nothing. Early steps are long because networks have many
    local maxima, and a long step leaves the poor ones. Starts are never zero, where the gradient of
    the error is exactly zero; a point with a zero gradient is replaced by a random one.

    Parameters
    ----------
    step
        First step, in radii, from a random point or a linearisation.
    step_continued
        First step where the search continues from another one's result.
    momentum
        Share of the old direction that is kept, at the beginning and at the end.

    Examples
    --------
    >>> SphereAscent().step
    0.8
    """

    step: float = 0.8
    step_continued: float = 0.3
    momentum: tuple[float, float] = (0.3, 0.9)

    def __post_init__(self) -> None:
        steps = self.step > 0 and self.step_continued > 0
        momentum = len(self.momentum) == 2 and all(0 <= m < 1 for m in self.momentum)
        if not (steps and momentum):
            raise InputError(
                "Expected steps above 0 and two momenta in [0, 1), got "
                f"{self.step}, {self.step_continued} and {self.momentum}; the defaults need no tuning."
            )

    def start(
        self, ball: BoundBall, origin: Origin | None, generators: list[torch.Generator]
    ) -> SphereState:
        """A random point on the boundary, or the origin scaled to it."""
        spare = ball.random(generators)
        point = ball.to_boundary(ball.restrict(starting_point(origin, spare)))
        step = torch.full_like(ball.size, self.step)
        if origin is not None and origin.settled:
            step = torch.where(norms(origin.point) > 0, self.step_continued, step)
        return SphereState(point=point, velocity=torch.zeros_like(point), spare=spare, step=step)

    def advance(self, ball: BoundBall, state: SphereState, seen: Seen) -> SphereState:
        """One step along the boundary."""
        tangent = ball.tangent(state.point, seen.gradient)
        low, high = self.momentum
        kept = low + (high - low) * seen.share
        velocity = kept * state.velocity + (1 - kept) * normalise(tangent)
        length = state.step * (1 - seen.share)
        if ball.norm == "l2":
            length = torch.minimum(length, _power_step(state.point, seen.gradient, tangent))
        moved = ball.retract(state.point + ball.scaled(ball.steepest(velocity), length))
        # Shifted, the same random numbers give another random point without a new draw.
        shifted = state.spare.flatten(1).roll(seen.iteration + 1, 1).view_as(moved)
        again = ball.to_boundary(ball.restrict(shifted))
        flat = per_image(norms(seen.gradient) == 0, moved)
        return replace(state, point=torch.where(flat, again, moved), velocity=velocity)


def _power_step(point: Tensor, gradient: Tensor, tangent: Tensor) -> Tensor:
    """``(B,)`` the tangent of the angle between point and gradient."""
    radial = (dots(point, gradient) / norms(point).clamp_min(1e-300)).abs()
    return norms(tangent) / radial.clamp_min(1e-300)
