"""How a search moves: each update turns a point and its gradient into the next point."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.search.ball import Ball, norms, per_image


@dataclass(frozen=True, kw_only=True)
class State:
    """Where a search stands: the point whose gradient is taken next, and what the update remembers."""

    point: Tensor
    velocity: Tensor
    generators: list[torch.Generator] = field(repr=False)


class Update(Protocol):
    """A way to move. New ones need these two methods and the two numbers; nothing is inherited."""

    @property
    def n_gradients(self) -> int:
        """Gradients per image and start."""
        ...

    @property
    def n_starts(self) -> int:
        """Independent starts; the best counts."""
        ...

    @property
    def max_seconds(self) -> float | None:
        """Wall time after which a search ends with what it has."""
        ...

    def start(self, ball: Ball, generators: list[torch.Generator], origin: Tensor | None) -> State:
        """The first point; ``origin``, where given, is a point to continue from."""
        ...

    def advance(self, ball: Ball, state: State, gradient: Tensor, iteration: int) -> State:
        """The next point, from the gradient of the squared error at ``state.point``."""
        ...


def _check_numbers(n_gradients: int, n_starts: int, max_seconds: float | None) -> None:
    if n_gradients < 1 or n_starts < 1:
        raise InputError(
            f"Expected at least one gradient and one start, got n_gradients={n_gradients} and "
            f"n_starts={n_starts}; raise them."
        )
    if max_seconds is not None and not max_seconds > 0:
        raise InputError(
            f"Expected max_seconds above 0, got {max_seconds}; leave it out for no limit."
        )


@dataclass(frozen=True, kw_only=True)
class SphereAscent:
    """Normalised gradient ascent on the sphere ``‖r‖₂ = radius``, with a decaying step.

    With ``u = r / radius`` and ``P`` the projection onto the tangent space of the sphere at u::

        v <- momentum · v + (1 - momentum) · P g / ‖P g‖
        u <- normalise(u + s_k · v / ‖v‖),    s_k = step · (1 + cos(π k / n)) / 2

    Only the direction of the gradient is used, so nothing depends on the scale of network or
    images, and a global phase of complex images changes nothing. Starts are random and non-zero:
    the gradient of the error at r = 0 is exactly zero. A point with a zero gradient is replaced by
    a new random one.

    Parameters
    ----------
    n_gradients
        Gradients per image and start.
    n_starts
        Independent random starts; the best counts.
    step
        First step, in radii.
    momentum
        Share of the old direction that is kept.
    max_seconds
        Wall time after which the search ends with status "budget spent".

    Examples
    --------
    >>> SphereAscent(n_gradients=50).step
    0.8
    """

    n_gradients: int = 100
    n_starts: int = 1
    step: float = 0.8
    momentum: float = 0.5
    max_seconds: float | None = None

    def __post_init__(self) -> None:
        _check_numbers(self.n_gradients, self.n_starts, self.max_seconds)
        if not (self.step > 0 and 0 <= self.momentum < 1):
            raise InputError(
                f"Expected step > 0 and 0 <= momentum < 1, got {self.step} and {self.momentum}; "
                "the defaults need no tuning."
            )

    def start(self, ball: Ball, generators: list[torch.Generator], origin: Tensor | None) -> State:
        """A random point on the sphere, or the origin scaled to it."""
        point = ball.random(generators)
        if origin is not None:
            usable = per_image((norms(origin) > 0).double(), point) > 0
            point = torch.where(usable, ball.to_size(ball.restrict(origin)), point)
        return State(point=point, velocity=torch.zeros_like(point), generators=generators)

    def advance(self, ball: Ball, state: State, gradient: Tensor, iteration: int) -> State:
        """One step along the tangential gradient, back onto the sphere."""
        unit = _normalise(state.point)
        radial = (unit.conj() * gradient).real.flatten(1).sum(1).to(torch.float64)
        tangent = _normalise(gradient - per_image(radial, unit) * unit)
        velocity = self.momentum * state.velocity + (1 - self.momentum) * tangent
        length = self.step * 0.5 * (1 + math.cos(math.pi * iteration / self.n_gradients))
        moved = ball.to_size(unit + length * _normalise(velocity))
        flat = norms(gradient) == 0
        if bool(flat.any()):
            fresh = ball.random(state.generators)
            moved = torch.where(per_image(flat.double(), moved) > 0, fresh, moved)
        return replace(state, point=moved, velocity=velocity)


@dataclass(frozen=True, kw_only=True)
class MomentumAscent:
    """The paper's own search: gradient ascent with momentum on a penalised objective.

    Maximises ``Q(r) = ‖f(A(x + r)) - f(A x)‖² - penalty · ‖r‖²`` by ``v <- momentum · v + rate ·
    ∇Q(r)``, ``r <- r + v``, from a start that is uniform on ``[0, start]`` (Antun et al. 2020,
    Methods). The perturbation grows until it meets the radius and is kept there by projection.
    Differences to the published programs: the gradient is that of Q, through the whole chain.

    Parameters
    ----------
    rate
        Step size η.
    penalty
        λ.
    start_size
        τ, in units of the image; with 0 the search starts at r = 0, where the gradient vanishes.
    momentum
        γ.
    n_gradients, n_starts, max_seconds
        As in `SphereAscent`.

    Examples
    --------
    >>> MomentumAscent.published("deep-mri").penalty
    0.001
    """

    rate: float = 1e-2
    penalty: float = 1e-3
    start_size: float = 1e-2
    momentum: float = 0.9
    n_gradients: int = 6000
    n_starts: int = 1
    max_seconds: float | None = None

    def __post_init__(self) -> None:
        _check_numbers(self.n_gradients, self.n_starts, self.max_seconds)
        if not (self.rate > 0 and self.penalty >= 0 and self.start_size >= 0):
            raise InputError(
                f"Expected rate > 0, penalty >= 0 and start_size >= 0, got {self.rate}, "
                f"{self.penalty} and {self.start_size}; see MomentumAscent.published."
            )

    @classmethod
    def published(cls, network: str) -> MomentumAscent:
        """The paper's settings for one of its networks.

        Raises
        ------
        InputError
            If the paper states no settings for that name.
        """
        if network not in _PUBLISHED:
            raise InputError(
                f"Expected one of {', '.join(_PUBLISHED)}, got {network!r}; the paper states settings "
                "for these networks only."
            )
        penalty, start_size, rate, n_gradients = _PUBLISHED[network]
        return cls(rate=rate, penalty=penalty, start_size=start_size, n_gradients=n_gradients)

    def start(self, ball: Ball, generators: list[torch.Generator], origin: Tensor | None) -> State:
        """Uniform on [0, start_size] in the real and the imaginary part, or the origin."""
        like = ball.images if ball.domain == "image" else ball.data
        if origin is None:
            real = like.real.dtype if like.is_complex() else like.dtype
            parts = (2,) if like.is_complex() else (1,)
            draws = torch.stack(
                [torch.rand((*like.shape[1:], *parts), generator=g, dtype=real) for g in generators]
            )
            uniform = torch.view_as_complex(draws) if like.is_complex() else draws[..., 0]
            origin = self.start_size * ball.restrict(uniform.to(like.device))
        point = ball.project(origin)
        return State(point=point, velocity=torch.zeros_like(point), generators=generators)

    def advance(
        self,
        ball: Ball,
        state: State,
        gradient: Tensor,
        iteration: int,  # noqa: ARG002  constant step
    ) -> State:
        """One step of momentum ascent, projected onto the ball."""
        slope = gradient - 2 * self.penalty * state.point
        velocity = self.momentum * state.velocity + self.rate * slope
        return replace(state, point=ball.project(state.point + velocity), velocity=velocity)


# network: (lambda, tau, eta, iterations) as published
_PUBLISHED = {
    "automap": (0.1, 1e-5, 1e-3, 24),
    "deep-mri": (1e-3, 1e-2, 1e-2, 6000),
    "mri-vn": (1.0, 1e-3, 5e-3, 25),
    "med-50": (20.0, 5e-3, 5e-3, 100),
}


def _normalise(x: Tensor) -> Tensor:
    """Every image's tensor divided by its norm; zero stays zero."""
    norm = norms(x)
    return x * per_image(torch.where(norm > 0, 1 / norm.clamp_min(1e-300), 0.0), x)
