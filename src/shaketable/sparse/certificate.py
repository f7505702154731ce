"""A proof of how far an image is from the minimum: the duality gap.

For ``min_x 1/2 ‖A x - y‖² + Σ_g λ_g ‖(K x)_g‖`` every pair ``(p, h)`` with

    K* p = -A* h          (p belongs to the data)
    ‖p_g‖ <= λ_g          (p lies in the dual ball)

bounds the minimum from below by ``-1/2 ‖h‖² - Re ⟨h, y⟩``. The first condition is homogeneous, so
any pair that meets it can be scaled into the ball. The iteration offers ``p = ρ (K x - z + u)`` and
``h = A x - y``. A few over-relaxed alternating projections bring ``p`` close to both conditions
before it is scaled; both projections are divisions, in Fourier space and pixel by pixel. For Fourier
sampling ``h`` is free to follow ``p`` at sampled frequencies; for other maps it is kept.

References
----------
Boyd and Vandenberghe, "Convex Optimization" (2004), sections 5.5 and 5.9, for the dual bound.
Bauschke and Borwein, "On projection algorithms for solving convex feasibility problems", SIAM
Review 38 (1996), for relaxed alternating projections.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from shaketable.sparse.admm import Problem, Splitting
from shaketable.sparse.circulant import (
    apply_symbol,
    fields_to_spectrum,
    pseudo_inverse,
    spectrum_to_fields,
    system_symbol,
)
from shaketable.sparse.data_terms import EliminatedData, SplitData, State, real_inner
from shaketable.sparse.penalties import (
    dual_norm,
    penalty_value,
    project_to_ball,
    shrink,
    sum_per_image,
)

N_PROJECTIONS = 10
N_REFINEMENTS = 5
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


class Residual(Protocol):
    """The ``h`` of a pair, as far as the bound needs it."""

    def belongs(self, pulled: Tensor) -> Tensor:
        """``-A* h`` as planes, for the ``h`` that goes with ``K* p`` (its image field)."""
        ...

    def energy_and_pairing(self, pulled: Tensor) -> tuple[Tensor, Tensor]:
        """``1/2 ‖h‖²`` and ``-Re ⟨h, y⟩``, ``(B,)`` each, where ``-A* h = pulled``."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class SampledResidual:
    """Fourier sampling: ``h`` is what ``K* p`` holds at sampled frequencies."""

    term: EliminatedData
    target: Tensor

    def belongs(self, pulled: Tensor) -> Tensor:
        spectrum = fields_to_spectrum(pulled, self.term.n_planes)
        kept = spectrum * (self.term.metric > 0)
        return spectrum_to_fields(kept, self.term.n_planes)

    def energy_and_pairing(self, pulled: Tensor) -> tuple[Tensor, Tensor]:
        spectrum = fields_to_spectrum(pulled, self.term.n_planes)
        inverse = pseudo_inverse(self.term.metric)
        energy = sum_per_image(spectrum.abs().square() * inverse) / 2
        return energy, sum_per_image((spectrum[:, 0].conj() * self.target).real * inverse)


@dataclass(frozen=True, kw_only=True, eq=False)
class FixedResidual:
    """Any map: ``h = A x - y``, made orthogonal to the image of constants (which ``K`` ignores)."""

    pulled: Tensor
    energy: Tensor
    pairing: Tensor

    @classmethod
    def create(
        cls, term: SplitData, residual: Tensor, target: Tensor, *, free: bool
    ) -> FixedResidual:
        """From ``A x - y`` at sampled positions; ``free``: constants cost nothing."""
        if free:
            residual = _without_constants(term, residual)
        return cls(
            pulled=-term.adjoint_planes(residual),
            energy=term.energy(residual),
            pairing=-real_inner(residual, target),
        )

    def belongs(self, pulled: Tensor) -> Tensor:  # noqa: ARG002
        return self.pulled

    def energy_and_pairing(self, pulled: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        return self.energy, self.pairing


def certify(splitting: Splitting, state: State, problem: Problem, gap: float) -> Certificate:
    """Bound the objective at the image of a state; stop projecting when all gaps are small enough.

    The bound of an image is frozen once its own gap is reached, so it does not depend on how long
    its neighbours in the batch take.
    """
    penalty, level, n_planes = splitting.penalty, problem.level, splitting.term.n_planes
    unknown = splitting.unknown(state, problem)
    coefficients = penalty.analyse(unknown)
    z = shrink(state[0], level / splitting.rho, penalty.group)
    multiplier = (coefficients + state[0] - 2 * z).mul_(splitting.rho)
    planes = unknown[:, :n_planes]
    residual, energy = _residual(splitting, planes, multiplier, problem)
    primal = energy + penalty_value(coefficients, penalty.group, level)
    inverse = pseudo_inverse(penalty.eigenvalues)
    best = torch.full_like(primal, -torch.inf)
    for _ in range(N_PROJECTIONS + 1):
        reached = primal - best <= gap * primal
        if bool(reached.all()):
            break
        multiplier = _make_feasible(splitting, inverse, residual, multiplier)
        value = _dual_value(splitting, residual, multiplier, level)
        best = torch.where(reached, best, torch.maximum(best, value))
        inside = project_to_ball(multiplier, level, penalty.group)
        multiplier = torch.lerp(multiplier, inside, _RELAXATION)
    return Certificate(planes=planes, primal=primal, dual=best)


def _residual(
    splitting: Splitting, planes: Tensor, multiplier: Tensor, problem: Problem
) -> tuple[Residual, Tensor]:
    """The pair's ``h``, and the data term at the image."""
    term = splitting.term
    if isinstance(term, EliminatedData):
        sampled = SampledResidual(term=term, target=problem.target)
        # K* p = -A*(A x - y) holds exactly here, and has no cancellation for small residuals.
        pulled = splitting.penalty.adjoint(multiplier)[:, : term.n_planes]
        return sampled, sampled.energy_and_pairing(pulled)[0]
    assert isinstance(term, SplitData)
    residual = (term.map_planes(planes) - problem.target) * term.mask
    energy = term.energy(residual)
    residual = _refined(splitting, term, residual, multiplier)
    eigenvalues = splitting.penalty.eigenvalues
    lowest = eigenvalues[0, 0] if eigenvalues.ndim == 2 else eigenvalues[0, 0, 0, 0]
    free = bool(lowest.abs() < 1e-12)
    fixed = FixedResidual.create(term, residual, problem.target, free=free)
    return fixed, energy


def _refined(splitting: Splitting, term: SplitData, residual: Tensor, multiplier: Tensor) -> Tensor:
    """``h`` after a few conjugate gradients towards ``K* (p + ρ K w) = -A* (h + A w)``.

    The iteration leaves ``A* h + K* p`` small, not zero; moving both is far cheaper than to let
    ``p`` alone make up for it.
    """
    n_planes = term.n_planes
    penalty, rho = splitting.penalty, splitting.rho
    symbol = system_symbol(term.majorant, rho, penalty.eigenvalues)
    inverse = pseudo_inverse(symbol)
    excess = -penalty.adjoint(multiplier)
    excess[:, :n_planes] -= term.adjoint_planes(residual)
    direction = preconditioned = apply_symbol(inverse, excess, n_planes)
    size = real_inner(excess, preconditioned)
    for _ in range(N_REFINEMENTS):
        seen = term.map_planes(direction[:, :n_planes]) * term.mask
        product = rho * penalty.adjoint(penalty.analyse(direction))
        product[:, :n_planes] += term.adjoint_planes(seen)
        step = size / real_inner(direction, product).clamp(min=torch.finfo(torch.float64).tiny)
        residual = residual + _times(step, seen)
        excess = excess - _times(step, product)
        preconditioned = apply_symbol(inverse, excess, n_planes)
        previous, size = size, real_inner(excess, preconditioned)
        ratio = size / previous.clamp(min=torch.finfo(torch.float64).tiny)
        direction = preconditioned + _times(ratio, direction)
    return residual


def _times(numbers: Tensor, values: Tensor) -> Tensor:
    """One number per image times a batch."""
    shape = (-1,) + (1,) * (values.ndim - 1)
    return numbers.to(values.real.dtype).reshape(shape) * values


def _make_feasible(
    splitting: Splitting, inverse: Tensor, residual: Residual, multiplier: Tensor
) -> Tensor:
    """Nearest ``p`` with ``K* p = (-A* h, 0, ...)``."""
    n_planes = splitting.term.n_planes
    excess = splitting.penalty.adjoint(multiplier)
    excess[:, :n_planes] -= residual.belongs(excess[:, :n_planes])
    return multiplier - splitting.penalty.analyse(apply_symbol(inverse, excess, n_planes))


def _dual_value(
    splitting: Splitting, residual: Residual, multiplier: Tensor, level: Tensor
) -> Tensor:
    """``max_t t b - t² a`` over the scales ``t >= 0`` that put the multiplier into the ball."""
    pulled = splitting.penalty.adjoint(multiplier)[:, : splitting.term.n_planes]
    quadratic, linear = residual.energy_and_pairing(pulled)
    smallest = torch.finfo(torch.float64).tiny
    size = dual_norm(multiplier, splitting.penalty.group, level).to(torch.float64)
    scale = torch.minimum(
        (linear / (2 * quadratic).clamp(min=smallest)).clamp(min=0), 1 / size.clamp(min=smallest)
    )
    return scale * linear - scale.square() * quadratic


def _without_constants(term: SplitData, residual: Tensor) -> Tensor:
    """``h`` minus its component along ``A`` of every constant image."""
    height, width = term.majorant.shape
    for plane in range(term.n_planes):
        constant = residual.real.new_zeros(1, term.n_planes, height, width)
        constant[:, plane] = 1
        seen = term.map_planes(constant) * term.mask
        size = real_inner(seen, seen).clamp(min=torch.finfo(torch.float64).tiny)
        along = real_inner(seen.expand_as(residual), residual) / size
        residual = residual - _times(along, seen.expand_as(residual))
    return residual
