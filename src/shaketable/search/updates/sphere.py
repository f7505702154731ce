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
    restart
        A random point to take the place of points where the gradient is zero.
    step
        ``(B,)`` first step in radii: smaller after a warm start.
    cold
        ``(B,)`` cold starts: only for them the sphere changes.
    """

    point: Tensor
    velocity: Tensor
    restart: Tensor
    step: Tensor
    cold: Tensor


@dataclass(frozen=True, kw_only=True)
class SphereAscent:
    """Normalised gradient ascent along the boundary of a ball, with a step that decays to zero.

    With P g the gradient without what leads out of the ball at z, and t = k / n the share of the
    budget that is spent::

        v <- m v + (1 - m) P g / ‖P g‖₂,    m from momentum[0] to momentum[1] with t
        z <- project(z + s · size · d(v)),  s = min(step · (1 - t), ‖P g‖ / |g_z|)

    d(v) is the direction of norm one along which ⟨v, ·⟩ rises most: ``v / ‖v‖₂`` on the l2 sphere,
    the signs of v in l-infinity. ``g_z`` is the gradient's component along z: the second limit of the
    step is what the power method would take (l2 only), so a search that has arrived stays. Only
    the direction of the gradient is used: nothing depends on the scale of network or images, and a
    global phase of complex images changes nothing. Networks have many local maxima. Early
    steps are long because a long step leaves the low ones, and the sphere is not that of the ball until
    ``t = 0.6``: what does damage out there often does inside, and is found more easily; nothing outside
    the ball counts. A search of fewer than 40 gradients begins out there (``overshoot``) and comes in; a
    longer one begins on the ball, swells until ``t = 0.25``, and comes in. Starts are never zero, where
    the gradient of the error is exactly zero; a point with a zero gradient is replaced by a random one.

    Parameters
    ----------
    step
        First step, in radii, from a random point or a linearisation.
    step_continued
        First step after a warm start, from the result of another search.
    momentum
        Share of the old direction that is kept, at the beginning and at the end.
    overshoot
        Radius of the largest sphere in radii of the ball, after a cold start; 1 keeps it on the ball.

    Examples
    --------
    >>> SphereAscent().step
    0.8
    """

    step: float = 0.8
    step_continued: float = 0.3
    momentum: tuple[float, float] = (0.3, 0.9)
    overshoot: float = 2.0

    def __post_init__(self) -> None:
        steps = self.step > 0 and self.step_continued > 0
        momentum = len(self.momentum) == 2 and all(0 <= m < 1 for m in self.momentum)
        if not (steps and momentum and self.overshoot >= 1):
            raise InputError(
                "Expected steps above 0, two momenta in [0, 1) and an overshoot of at least 1, got "
                f"{self.step}, {self.step_continued}, {self.momentum} and {self.overshoot}; the "
                "defaults need no tuning."
            )

    def start(
        self, ball: BoundBall, origin: Origin | None, generators: list[torch.Generator],
        n_iterations: int,
    ) -> SphereState:  # fmt: skip
        """A random point, or the origin, on the first sphere."""
        restart = ball.random(generators)
        cold = torch.ones_like(ball.size, dtype=torch.bool)
        if origin is not None and origin.warm_start:
            cold = norms(origin.point) == 0
        point = ball.to_boundary(ball.restrict(starting_point(origin, restart)))
        step = torch.where(cold, self.step, self.step_continued).to(ball.size)
        sphere = _sphere(ball, cold, self._radius(0.0, n_iterations))
        return SphereState(
            point=sphere.to_boundary(point), velocity=torch.zeros_like(point),
            restart=restart, step=step, cold=cold,
        )  # fmt: skip

    def advance(self, ball: BoundBall, state: SphereState, seen: Seen) -> SphereState:
        """One step along the sphere, and onto the next one."""
        n = seen.n_iterations
        here, there = self._radius(seen.iteration / n, n), self._radius((seen.iteration + 1) / n, n)
        sphere = _sphere(ball, state.cold, there)
        # Of a sphere that has swollen past the point, nothing leads out.
        tangent = sphere.tangent(state.point, seen.gradient)
        low, high = self.momentum
        kept = low + (high - low) * seen.share
        velocity = kept * state.velocity + (1 - kept) * normalise(tangent)
        length = state.step * (1 - seen.share)
        if ball.norm == "l2":
            length = torch.minimum(length, _power_step(state.point, seen.gradient, tangent))
        moved = sphere.project(state.point + sphere.scaled(sphere.steepest(velocity), length))
        if there > here:
            moved = torch.where(per_image(state.cold, moved), sphere.to_boundary(moved), moved)
        # Shifted, the same random numbers give another random point without a new draw.
        shifted = state.restart.flatten(1).roll(seen.iteration + 1, 1).view_as(moved)
        again = sphere.to_boundary(ball.restrict(shifted))
        flat = per_image(norms(seen.gradient) == 0, moved)
        return replace(state, point=torch.where(flat, again, moved), velocity=velocity)

    def _radius(self, share: float, n_iterations: int) -> float:
        """Of the sphere after a share of the budget, in radii of the ball."""
        if share >= _INSIDE:
            return 1.0
        if n_iterations < _LONG:
            return 1 + (self.overshoot - 1) * (1 - share / _INSIDE)
        rising, falling = share / _FARTHEST, (_INSIDE - share) / (_INSIDE - _FARTHEST)
        return float(self.overshoot ** min(rising, falling))


def _sphere(ball: BoundBall, cold: Tensor, radius: float) -> BoundBall:
    """The sphere of a radius in radii of the ball, for the rows where it changes."""
    return ball.enlarged(1 + (radius - 1) * cold.to(ball.size))


_INSIDE = 0.6  # share of the budget after which a search has come into the ball
_FARTHEST = 0.25  # share after which a long one is on its largest sphere
_LONG = 40  # gradients: shorter ones have no time to go out


def _power_step(point: Tensor, gradient: Tensor, tangent: Tensor) -> Tensor:
    """``(B,)`` the tangent of the angle between point and gradient."""
    radial = (dots(point, gradient) / norms(point).clamp_min(1e-300)).abs()
    return norms(tangent) / radial.clamp_min(1e-300)
