"""The alternating direction method of multipliers, its adjoint and its tangent.

Problem: ``min_x D(x) + λ ‖K x‖`` with a quadratic data term ``D``. Splitting: ``z = K x``. With the
scaled multiplier ``u`` and over-relaxation ``α`` the iteration is

    x ← argmin_x D(x) + ρ/2 ‖K x - z + u‖²
    v ← α K x + (1 - α) z + u
    z ← shrink(v, λ/ρ),  u ← v - z

Only ``v`` need be kept, since ``z`` and ``u`` follow from it: one iteration is the map

    v ↦ v + α (K x(K*(2 z - v)) - z),  z = shrink(v, λ/ρ)

which starts at ``v = 0``.

References
----------
Boyd, Parikh, Chu, Peleato, Eckstein: "Distributed optimization and statistical learning via the
alternating direction method of multipliers", Found. Trends Mach. Learn. 3 (2011), sections 3.1.1
(scaled form) and 3.4.3 (over-relaxation). For total variation: Goldstein and Osher, "The split
Bregman method for l1-regularized problems", SIAM J. Imaging Sci. 2 (2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.sparse.penalties import Penalty, shrink, shrink_derivative
from shaketable.sparse.quadratic import DiagonalMinimiser

OVER_RELAXATION = 1.7
"""``α``; values between 1.5 and 1.8 are the usual recommendation, 1.7 was measured best here."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Splitting:
    """One iteration as a map of ``v`` (see the module), and its derivatives.

    Parameters
    ----------
    penalty
        ``K`` and its groups.
    minimiser
        The x-update.
    strength
        ``λ``.
    over_relaxation
        ``α``.
    """

    penalty: Penalty
    minimiser: DiagonalMinimiser
    strength: float
    over_relaxation: float = OVER_RELAXATION

    @property
    def threshold(self) -> float:
        """``λ / ρ``."""
        return self.strength / self.minimiser.rho

    def start(self, target: Tensor) -> Tensor:
        """``v = 0`` for a batch: ``(B, C, R, H, W)``."""
        planes = 1 if self.minimiser.values == "real" else 2
        batch, height, width = target.shape
        image = target.real.new_zeros(batch, planes, height, width)
        return torch.zeros_like(self.penalty.analyse(image))

    def field(self, v: Tensor) -> Tensor:
        """``d = K*(2 z - v)``: all that the x-update takes from ``v``."""
        z = shrink(v, self.threshold, self.penalty.group)
        return self.penalty.adjoint(z.mul_(2).sub_(v))

    def image(self, v: Tensor, target: Tensor) -> Tensor:
        """``x`` as planes ``(B, R, H, W)``."""
        return self.minimiser.minimise(self.field(v), target)

    def advance(self, v: Tensor, target: Tensor) -> Tensor:
        """One iteration."""
        z = shrink(v, self.threshold, self.penalty.group)
        field = self.penalty.adjoint(2 * z - v)
        step = self.penalty.analyse(self.minimiser.minimise(field, target)).sub_(z)
        return torch.add(v, step, alpha=self.over_relaxation)

    def image_adjoint(self, v: Tensor, cotangent: Tensor) -> tuple[Tensor, Tensor]:
        """Cotangent of ``x`` ``(B, R, H, W)`` -> those of ``v`` and of the target."""
        field, target = self.minimiser.minimise_adjoint(cotangent)
        change = self.penalty.analyse(field)
        return self._shrink_derivative(v, 2 * change).sub_(change), target

    def advance_adjoint(self, v: Tensor, cotangent: Tensor) -> tuple[Tensor, Tensor]:
        """Cotangent of the next ``v`` -> those of this ``v`` and of the target."""
        step = self.over_relaxation * cotangent
        field, target = self.minimiser.minimise_adjoint(self.penalty.adjoint(step))
        change = self.penalty.analyse(field)
        through_shrinkage = self._shrink_derivative(v, 2 * change - step)
        return cotangent + through_shrinkage - change, target

    def image_tangent(self, v: Tensor, direction: Tensor, target_direction: Tensor) -> Tensor:
        """Directional derivative of `image`."""
        z_direction = self._shrink_derivative(v, direction)
        field = self.penalty.adjoint(2 * z_direction - direction)
        return self.minimiser.minimise(field, target_direction)

    def advance_tangent(self, v: Tensor, direction: Tensor, target_direction: Tensor) -> Tensor:
        """Directional derivative of `advance`."""
        z_direction = self._shrink_derivative(v, direction)
        field = self.penalty.adjoint(2 * z_direction - direction)
        image = self.minimiser.minimise(field, target_direction)
        return direction + self.over_relaxation * (self.penalty.analyse(image) - z_direction)

    def _shrink_derivative(self, v: Tensor, direction: Tensor) -> Tensor:
        return shrink_derivative(v, direction, self.threshold, self.penalty.group)
