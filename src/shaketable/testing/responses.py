"""Nonlinear maps of a few numbers, each with its largest value over the unit ball.

A response takes ``(B, k)`` components t of a perturbation, in units of the searched radius, to
``(B, m)`` amplitudes. What a plant leaves alone is amplified at most b times, ``b < G`` with G the
largest value. Then ``‖response(t)‖² + b² (1 - ‖t‖²)`` over the unit ball has the maximum G² as well,
for each of them by the argument in its docstring, so the quiet part of a network changes no answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import torch
from torch import Tensor


class Response(Protocol):
    """A map of components with a known maximum."""

    @property
    def n_directions(self) -> int:
        """Length of t."""
        ...

    @property
    def n_pictures(self) -> int:
        """Number of amplitudes."""
        ...

    @property
    def largest(self) -> float:
        """``max ‖response(t)‖`` over ``‖t‖ <= 1``."""
        ...

    def worst(self) -> Tensor:
        """``(k,)`` float64: where it is attained, ``‖t‖ = 1``."""
        ...

    def __call__(self, t: Tensor, amount: Tensor) -> Tensor:
        """``(B, k) -> (B, m)``; ``amount`` ``(B,)`` is the size of the whole change of the data."""
        ...


@dataclass(frozen=True, kw_only=True)
class Gains:
    """``t_i -> g_i t_i``: linear, with the spectrum given; the maximum is ``max g_i``.

    With b below it: ``Σ g_i² t_i² + b² (1 - Σ t_i²)`` is a weighted mean of ``g_i²`` and ``b²``.
    """

    gains: tuple[float, ...]

    @property
    def n_directions(self) -> int:
        """One per gain."""
        return len(self.gains)

    @property
    def n_pictures(self) -> int:
        """One per gain."""
        return len(self.gains)

    @property
    def largest(self) -> float:
        """The largest gain."""
        return max(self.gains)

    def worst(self) -> Tensor:
        """The direction of the largest gain."""
        return _axis(len(self.gains), self.gains.index(self.largest))

    def __call__(self, t: Tensor, amount: Tensor) -> Tensor:  # noqa: ARG002
        """Multiply."""
        return t * t.new_tensor(self.gains)


@dataclass(frozen=True, kw_only=True)
class Saturated:
    """``(t_1, t_2) -> (h clip(t_1, -τ, τ), g t_2)``: steep for small changes, flat for large ones.

    With ``s = t_1²`` the squared norm is at most ``h² min(s, τ²) + g² (1 - s)``. It rises up to
    ``s = τ²``, as h > g, and falls beyond: the maximum is ``sqrt(h² τ² + g² (1 - τ²))``. A change
    outside both directions gains only b² < g² per unit.
    """

    steep: float = 100.0
    limit: float = 0.03
    gain: float = 10.0
    n_directions: int = 2
    n_pictures: int = 2

    @property
    def largest(self) -> float:
        """``sqrt(h² τ² + g² (1 - τ²))``."""
        return math.hypot(self.steep * self.limit, self.gain * math.sqrt(1 - self.limit**2))

    def worst(self) -> Tensor:
        """``(τ, sqrt(1 - τ²))``."""
        return torch.tensor([self.limit, math.sqrt(1 - self.limit**2)], dtype=torch.float64)

    def __call__(self, t: Tensor, amount: Tensor) -> Tensor:  # noqa: ARG002
        """Clip the first, multiply the second."""
        clipped = self.steep * t[:, 0].clamp(-self.limit, self.limit)
        return torch.stack([clipped, self.gain * t[:, 1]], 1)


@dataclass(frozen=True, kw_only=True)
class Beyond:
    """``t -> g t · gate``: nothing while the data change little, linear beyond.

    The gate rises from 0 to 1 while the change of the data, in units of the worst perturbation's at
    the full radius, goes from ``closed`` to ``open``. It never exceeds 1 and is 1 at t = 1, where the
    change of the data is 1: the maximum is g, and ``g² t² + b² (1 - t²)`` does not exceed it.
    """

    gain: float = 10.0
    closed: float = 0.2
    open: float = 0.4
    n_directions: int = 1
    n_pictures: int = 1

    @property
    def largest(self) -> float:
        """The gain."""
        return self.gain

    def worst(self) -> Tensor:
        """The only direction."""
        return _axis(1, 0)

    def __call__(self, t: Tensor, amount: Tensor) -> Tensor:
        """Multiply, where the gate is open."""
        gate = ((amount - self.closed) / (self.open - self.closed)).clamp(0, 1)
        return self.gain * t * gate.unsqueeze(1).to(t.dtype)


@dataclass(frozen=True, kw_only=True)
class DeadZone:
    """``t -> g max(|t| - δ, 0) sign t``: along one direction nothing happens below δ.

    The maximum is ``g (1 - δ)`` at t = 1. On ``[δ, 1]`` ``g² (t - δ)² + b² (1 - t²)`` is convex, as
    g > b, so it is largest at an end: ``g² (1 - δ)²``, or less than b² < ``g² (1 - δ)²``. A random
    perturbation of n pixels has ``t`` near ``n^-1/2``, far below δ, where the plant has no slope in
    any direction: nothing that follows gradients is led to it.
    """

    gain: float = 20.0
    width: float = 0.5
    n_directions: int = 1
    n_pictures: int = 1

    @property
    def largest(self) -> float:
        """``g (1 - δ)``."""
        return self.gain * (1 - self.width)

    def worst(self) -> Tensor:
        """The only direction."""
        return _axis(1, 0)

    def __call__(self, t: Tensor, amount: Tensor) -> Tensor:  # noqa: ARG002
        """Shrink by δ, multiply."""
        return self.gain * (t - t.clamp(-self.width, self.width))


@dataclass(frozen=True, kw_only=True)
class Rectified:
    """``t -> max(W t, 0)``: a layer of ReLU units, piecewise linear.

    ``F(t) = Σ_j max(⟨w_j, t⟩, 0)²`` is continuously differentiable and homogeneous of degree two.
    So a maximiser on the sphere is an eigenvector of ``Σ_{j in S} w_j w_jᵀ``, with S the units that
    are active there. All eigenvectors, with both signs, of all ``2^m`` sets S are tried: the largest
    F among them is the maximum. It is attained on the sphere and is homogeneous, so a share of the
    radius spent elsewhere at b² < F gains nothing.

    Parameters
    ----------
    weights
        ``(m, k)`` rows of W.
    """

    weights: tuple[tuple[float, ...], ...]

    @property
    def n_directions(self) -> int:
        """Length of t."""
        return len(self.weights[0])

    @property
    def n_pictures(self) -> int:
        """Number of amplitudes."""
        return len(self.weights)

    @property
    def largest(self) -> float:
        """Over all pieces."""
        W = torch.tensor(self.weights, dtype=torch.float64)
        return float(torch.linalg.vector_norm((W @ self.worst()).clamp_min(0)))

    def worst(self) -> Tensor:
        """The best eigenvector of all pieces."""
        W = torch.tensor(self.weights, dtype=torch.float64)
        sets = torch.tensor(list(product((0.0, 1.0), repeat=len(W)))[1:], dtype=torch.float64)
        forms = torch.einsum("sj,ja,jb->sab", sets, W, W)
        vectors = torch.linalg.eigh(forms).eigenvectors.mT.reshape(-1, W.shape[1])
        vectors = torch.cat([vectors, -vectors])
        values = (vectors @ W.T).clamp_min(0).square().sum(1)
        return vectors[int(values.argmax())]

    def __call__(self, t: Tensor, amount: Tensor) -> Tensor:  # noqa: ARG002
        """Apply the layer."""
        return (t @ t.new_tensor(self.weights).T).clamp_min(0)


def _axis(n: int, index: int) -> Tensor:
    return torch.eye(n, dtype=torch.float64)[index]
