"""A proof of how far an image is from the minimum: the duality gap.

For ``min_x 1/2 Σ_k w_k |(F x)_k - Y_k|² + λ ‖K x‖`` every pair ``(p, h)`` with

    K* p = -F* (w h)      (p belongs to the data)
    ‖p‖_dual <= λ         (p lies in the dual ball)

bounds the minimum from below by ``-1/2 Σ w |h|² - Re Σ w conj(h) Y``. The first condition is
homogeneous, so any pair that meets it can be scaled into the ball. The iteration offers
``p = ρ (K x - z + u)``, which meets the first condition exactly; its worst group overshoots the
ball long after the objective has converged, so a few over-relaxed alternating projections between
the two conditions bring it close to both before it is scaled.

References
----------
Boyd and Vandenberghe, "Convex Optimization" (2004), sections 5.5 and 5.9, for the dual bound.
Bauschke and Borwein, "On projection algorithms for solving convex feasibility problems", SIAM
Review 38 (1996), for relaxed alternating projections.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.sparse.admm import Splitting
from shaketable.sparse.penalties import (
    dual_norm,
    penalty_value,
    project_to_ball,
    shrink,
    sum_per_image,
)

N_PROJECTIONS = 10
_RELAXATION = 1.9


@dataclass(frozen=True, kw_only=True, eq=False)
class Certificate:
    """An image with the two bounds of its objective, without the unexplained part of the data.

    Parameters
    ----------
    planes
        ``(B, R, H, W)``: the image.
    primal, dual
        ``(B,)`` float64: the objective at the image, and a lower bound of its minimum.
    """

    planes: Tensor
    primal: Tensor
    dual: Tensor

    @property
    def gap(self) -> Tensor:
        """``(B,)`` float64: (primal - dual) / primal; 0 for an objective of 0."""
        difference = (self.primal - self.dual).clamp(min=0)
        positive = self.primal > 0
        return torch.where(positive, difference / torch.where(positive, self.primal, 1), 0)


def certify(splitting: Splitting, v: Tensor, target: Tensor, gap: float) -> Certificate:
    """Bound the objective at the image of ``v``; stop projecting when all gaps are small enough.

    The bound of an image is frozen once its own gap is reached, so it does not depend on how long
    its neighbours in the batch take.
    """
    penalty, minimiser = splitting.penalty, splitting.minimiser
    field = splitting.field(v)
    planes = minimiser.minimise(field, target)
    residual = minimiser.residual(field, target)
    coefficients = penalty.analyse(planes)
    primal = _energy(residual, minimiser.weight) + splitting.strength * penalty_value(
        coefficients, penalty.group
    )
    z = shrink(v, splitting.threshold, penalty.group)
    multiplier = (coefficients + v - 2 * z).mul_(minimiser.rho)
    best = _dual_value(splitting, multiplier, residual, target)
    for _ in range(N_PROJECTIONS):
        reached = primal - best <= gap * primal
        if bool(reached.all()):
            break
        inside = project_to_ball(multiplier, splitting.strength, penalty.group)
        relaxed = torch.lerp(multiplier, inside, _RELAXATION)
        multiplier, residual = minimiser.make_feasible(relaxed, penalty)
        value = _dual_value(splitting, multiplier, residual, target)
        best = torch.where(reached, best, torch.maximum(best, value))
    return Certificate(planes=planes, primal=primal, dual=best)


def _energy(residual: Tensor, weight: Tensor) -> Tensor:
    return sum_per_image(residual.abs().square() * weight) / 2


def _dual_value(
    splitting: Splitting, multiplier: Tensor, residual: Tensor, target: Tensor
) -> Tensor:
    """``max_t t b - t² a`` over the scales ``t >= 0`` that put the multiplier into the ball."""
    weight = splitting.minimiser.weight
    quadratic = _energy(residual, weight)
    linear = -sum_per_image((residual.conj() * target).real * weight)
    size = dual_norm(multiplier, splitting.penalty.group).to(torch.float64)
    largest = splitting.strength / size.clamp(min=torch.finfo(torch.float64).tiny)
    best = linear / (2 * quadratic).clamp(min=torch.finfo(torch.float64).tiny)
    scale = torch.minimum(best.clamp(min=0), largest)
    return scale * linear - scale.square() * quadratic
