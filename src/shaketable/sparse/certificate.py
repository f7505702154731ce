"""A proof of how far an image is from the minimum: the duality gap.

For ``min_x 1/2 ‖A x - y‖² + Σ_g λ_g ‖(K x)_g‖`` every pair ``(p, h)`` with

    K* p = -A* h          (p belongs to the data)
    ‖p_g‖ <= λ_g          (p lies in the dual ball)

bounds the minimum from below by ``-1/2 ‖h‖² - Re ⟨h, y⟩``. The first condition is homogeneous, so
any pair that meets it can be scaled into the ball. The iteration offers ``p = ρ (K x - z + u)`` and
``h = A x - y``, and the image is long good enough when this pair, scaled, is not yet: what counts is
the single longest ``p_g``. So the pair is brought close to both conditions first, by over-relaxed
alternating projections: on the ball group by group, on the first condition in Fourier space. For
Fourier sampling ``h`` follows ``p`` at sampled frequencies; for other maps a few conjugate gradients
move both (`shaketable.sparse.dual_pairs`).

An image for which this is hopeless yet is given up after `N_TRIED` projections.

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

from shaketable.sparse.admm import Problem, Splitting
from shaketable.sparse.circulant import apply_symbol
from shaketable.sparse.data_terms import State
from shaketable.sparse.dual_pairs import Residual, first_residual
from shaketable.sparse.penalties import dual_norm, penalty_value, project_to_ball, shrink

N_PROJECTIONS = 10
N_TRIED = 2
HOPELESS = 10.0
"""Times the gap asked for: what is above it after `N_TRIED` projections stays above it."""

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
        """``(B,)`` float64: (primal - dual) / primal; 0 for an objective of 0.

        What is not finite has proven nothing: its gap is infinite.
        """
        difference = (self.primal - self.dual).clamp(min=0)
        zero = self.primal == 0
        gap = torch.where(zero, 0, difference / torch.where(zero, 1, self.primal))
        return torch.where(torch.isfinite(gap), gap, torch.inf)


def certify(splitting: Splitting, state: State, problem: Problem, gap: float) -> Certificate:
    """Bound the objective at the image of a state; stop projecting when all gaps are small enough.

    The bound of an image is frozen once its own gap is reached or given up, so it does not depend
    on how long its neighbours in the batch take.
    """
    penalty, level = splitting.penalty, problem.level
    planes, multiplier, roughness = _offered(splitting, state, problem)
    residual, energy = first_residual(splitting, planes, multiplier, problem)
    primal = energy + roughness
    best = torch.full_like(primal, -torch.inf)
    goes_on = torch.ones_like(primal, dtype=torch.bool)
    for number in range(N_PROJECTIONS + 1):
        residual, multiplier = residual.approach(splitting, multiplier)
        multiplier, value = _bound(splitting, residual, multiplier, level)
        best = torch.where(goes_on, torch.maximum(best, value), best)
        goes_on &= primal - best > gap * primal
        if number == N_TRIED:
            goes_on &= primal - best <= HOPELESS * gap * primal
        if not bool(goes_on.any()):
            break
        inside = project_to_ball(multiplier, level, penalty.group)
        multiplier = torch.lerp(multiplier, inside, _RELAXATION, out=inside)
    return Certificate(planes=planes, primal=primal, dual=best)


def _offered(splitting: Splitting, state: State, problem: Problem) -> tuple[Tensor, Tensor, Tensor]:
    """What the iteration offers: the image as planes, ``p``, and the penalty of the image."""
    penalty, level = splitting.penalty, problem.level
    unknown = splitting.unknown(state, problem)
    coefficients = penalty.analyse(unknown)
    roughness = penalty_value(coefficients, penalty.group, level)
    z = shrink(state[0], level / splitting.rho, penalty.group)
    multiplier = (coefficients + state[0]).sub_(z, alpha=2).mul_(splitting.rho)
    return unknown[:, : splitting.term.n_planes], multiplier, roughness


def _bound(
    splitting: Splitting, residual: Residual, multiplier: Tensor, level: Tensor
) -> tuple[Tensor, Tensor]:
    """Nearest ``p`` with ``K* p = (-A* h, 0, ...)``, in the place of ``p``, and the bound of this pair.

    The bound is ``max_t t b - t² a`` over the scales ``t >= 0`` that put ``p`` into the ball.
    """
    penalty, n_planes = splitting.penalty, splitting.term.n_planes
    excess = penalty.adjoint(multiplier)
    belonging = residual.belonging(excess[:, :n_planes])
    excess[:, :n_planes] -= belonging.planes
    quadratic, linear = belonging.energy, belonging.pairing
    del belonging  # large arrays go before the next ones are made
    correction = apply_symbol(splitting.penalty_inverse, excess, n_planes)
    del excess
    multiplier.sub_(penalty.analyse(correction))
    del correction
    smallest = torch.finfo(torch.float64).tiny
    size = dual_norm(multiplier, penalty.group, level).to(torch.float64)
    scale = torch.minimum(
        (linear / (2 * quadratic).clamp(min=smallest)).clamp(min=0), 1 / size.clamp(min=smallest)
    )
    return multiplier, scale * linear - scale.square() * quadratic
