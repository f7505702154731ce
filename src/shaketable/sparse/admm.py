"""The alternating direction method of multipliers, its adjoint and its tangent, for every map.

Problem: ``min_x D(x) + Σ_g λ_g ‖(K x)_g‖₂`` with a quadratic data term ``D``. Splitting: ``z = K x``,
and ``z_A = A x`` where `shaketable.sparse.data_terms` splits the data off too. With scaled
multipliers ``u``, the variables ``v = z + u`` before shrinkage, and over-relaxation ``α``, one
iteration is

    z ← shrink(v, λ/ρ),  z_A ← proximal point of the data at v_A
    x̂ ← (M + ρ K* K)⁻¹ (right-hand side of the data + ρ K*(2 z - v))
    v ← v + α (K x̂ - z),  v_A ← v_A + α (A x̂ - z_A),  x ← x + α (x̂ - x)

It starts at zero. Everything but the shrinkage is linear, so the derivative of an iteration is the
same iteration with the derivative of the shrinkage in its place.

References
----------
Boyd, Parikh, Chu, Peleato, Eckstein: "Distributed optimization and statistical learning via the
alternating direction method of multipliers", Found. Trends Mach. Learn. 3 (2011), sections 3.1.1
(scaled form) and 3.4.3 (over-relaxation). For total variation: Goldstein and Osher, "The split
Bregman method for l1-regularized problems", SIAM J. Imaging Sci. 2 (2009).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from shaketable.sparse.circulant import (
    fields_to_spectrum,
    multiply,
    pseudo_inverse,
    spectrum_to_fields,
    system_symbol,
)
from shaketable.sparse.data_terms import DataTerm, State
from shaketable.sparse.penalties import (
    Penalty,
    shrink,
    shrink_derivative,
    threshold_derivative,
)

OVER_RELAXATION = 1.7
"""``α``; values between 1.5 and 1.8 are the usual recommendation, 1.7 was measured best here."""

PAIR_WEIGHT = 2.0
"""In multiples of ``ρ``: wavelets want less, total variation more; it decides the speed only."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """What differs from image to image of a batch, and what the derivative is taken in.

    Parameters
    ----------
    target
        ``(B, ...)``: what the data term compares with.
    level
        ``(B, C or 1, 1, H or 1, W or 1)``: ``λ`` of every coefficient, positive.
    """

    target: Tensor
    level: Tensor

    def rows(self, index: Tensor | slice) -> Problem:
        """Some images of the batch."""
        return Problem(target=self.target[index], level=self.level[index])


@dataclass(frozen=True, kw_only=True, eq=False)
class Splitting:
    """One iteration as a map of the state ``(v, *state of the data)``, and its derivatives.

    Parameters
    ----------
    penalty
        ``K`` and its groups.
    term
        The data term.
    inverse
        Symbol of ``(M + ρ K* K)⁻¹``.
    rho
        ``ρ``.
    over_relaxation
        ``α``.
    """

    penalty: Penalty
    term: DataTerm
    inverse: Tensor
    rho: float
    over_relaxation: float = OVER_RELAXATION

    @classmethod
    def create(cls, penalty: Penalty, term: DataTerm, rho: float) -> Splitting:
        """Invert the system once."""
        inverse = pseudo_inverse(system_symbol(term.metric, rho, penalty.eigenvalues))
        if term.n_planes == 1:  # spectra are halves
            inverse = inverse[:, : inverse.shape[1] // 2 + 1].contiguous()
        return cls(penalty=penalty, term=term, inverse=inverse, rho=rho)

    @cached_property
    def penalty_inverse(self) -> Tensor:
        """Symbol of ``(K* K)⁺``."""
        return pseudo_inverse(self.penalty.eigenvalues)

    @cached_property
    def pair_inverse(self) -> Tensor:
        """Symbol of an approximate ``(A* A + w K* K)⁻¹``, for maps that are split off."""
        weight, eigenvalues = self.pair_weight, self.penalty.eigenvalues
        return pseudo_inverse(system_symbol(self.term.bound, weight, eigenvalues))

    @property
    def pair_weight(self) -> float:
        """``w``: how readily ``p`` moves, beside ``h``, in proofs of the gap."""
        return PAIR_WEIGHT * self.rho

    def start(self, problem: Problem) -> State:
        """Zeros."""
        batch, height, width = len(problem.target), *self.term.metric.shape
        n_fields = 1 if self.inverse.ndim == 2 else self.inverse.shape[-1]
        planes = self.term.metric.new_zeros(batch, n_fields * self.term.n_planes, height, width)
        return (torch.zeros_like(self.penalty.analyse(planes)), *self.term.start(problem.target))

    def unknown(self, state: State, problem: Problem) -> Tensor:
        """``x̂`` with all its fields: ``(B, P R, H, W)``."""
        z = shrink(state[0], problem.level / self.rho, self.penalty.group)
        return self._update(state, z, problem.target)

    def image(self, state: State, problem: Problem) -> Tensor:
        """``x̂`` as planes ``(B, R, H, W)``."""
        return self.unknown(state, problem)[:, : self.term.n_planes]

    def advance(self, state: State, problem: Problem, *, in_place: bool = False) -> State:
        """One iteration; ``in_place``: its state takes the memory of the one before."""
        threshold, group = problem.level / self.rho, self.penalty.group
        return self._linear(
            state, shrink(state[0], threshold, group), problem.target, in_place=in_place
        )

    def image_tangent(
        self, state: State, problem: Problem, direction: State, towards: Problem
    ) -> Tensor:
        """Directional derivative of `image`."""
        z = self._shrink_tangent(state, problem, direction, towards)
        return self._update(direction, z, towards.target)[:, : self.term.n_planes]

    def advance_tangent(
        self, state: State, problem: Problem, direction: State, towards: Problem
    ) -> State:
        """Directional derivative of `advance`."""
        z = self._shrink_tangent(state, problem, direction, towards)
        return self._linear(direction, z, towards.target, in_place=False)

    def image_adjoint(
        self, state: State, problem: Problem, planes: Tensor
    ) -> tuple[State, Problem]:
        """Cotangent of the image -> those of the state and of the problem."""
        zeros = tuple(torch.zeros_like(part) for part in state)
        return self._pull(state, problem, zeros, self._embed(planes))

    def advance_adjoint(
        self, state: State, problem: Problem, cotangent: State
    ) -> tuple[State, Problem]:
        """Cotangent of the next state -> those of this state and of the problem."""
        return self._pull(state, problem, cotangent, None)

    def _update(self, state: State, z: Tensor, target: Tensor) -> Tensor:
        """``x̂``, linear in all three."""
        # Neither a name nor an unpacked tuple here, which would keep the spectrum meanwhile.
        return spectrum_to_fields(self._spectrum(state, z, target), self.term.n_planes, self._width)

    def _spectrum(self, state: State, z: Tensor, target: Tensor) -> Tensor:
        right = self.penalty.adjoint(torch.sub(z, state[0], alpha=0.5)).mul_(2 * self.rho)
        spectrum = fields_to_spectrum(right, self.term.n_planes)
        del right  # large arrays go before the next ones are made
        spectrum[:, 0] += self.term.right_hand_side(state[1:], target)
        return multiply(self.inverse, spectrum)

    @property
    def _width(self) -> int:
        return self.term.bound.shape[-1]

    def _linear(self, state: State, z: Tensor, target: Tensor, *, in_place: bool) -> State:
        step = self.over_relaxation
        unknown = self._update(state, z, target)
        change = self.penalty.analyse(unknown).sub_(z)
        v = torch.add(state[0], change, alpha=step, out=state[0] if in_place else None)
        del z, change
        planes = unknown[:, : self.term.n_planes]
        return (v, *self.term.update(state[1:], target, planes, step, in_place=in_place))

    def _pull(
        self, state: State, problem: Problem, cotangent: State, at_unknown: Tensor | None
    ) -> tuple[State, Problem]:
        """The adjoint of `_linear` and of the shrinkage; of the update where that is all there is."""
        step, group = self.over_relaxation, self.penalty.group
        at_z = -step * cotangent[0]
        at_planes = self.term.update_adjoint(cotangent[1:], step)
        unknown = self.penalty.adjoint(step * cotangent[0])
        if at_planes is not None:
            unknown[:, : self.term.n_planes] += at_planes
        if at_unknown is not None:
            unknown = unknown + at_unknown
        spectrum = multiply(self.inverse, fields_to_spectrum(unknown, self.term.n_planes))
        at_data, target = self.term.adjoint(cotangent[1:], step, spectrum[:, 0])
        right = spectrum_to_fields(spectrum, self.term.n_planes, self._width)
        change = self.penalty.analyse(right).mul_(self.rho)
        at_z = at_z.add_(change, alpha=2)
        threshold = problem.level / self.rho
        at_v = cotangent[0] - change + shrink_derivative(state[0], at_z, threshold, group)
        at_level = threshold_derivative(state[0], threshold, group).mul_(at_z) / self.rho
        return (at_v, *at_data), Problem(
            target=target, level=at_level.sum_to_size(problem.level.shape)
        )

    def _shrink_tangent(
        self, state: State, problem: Problem, direction: State, towards: Problem
    ) -> Tensor:
        threshold, group = problem.level / self.rho, self.penalty.group
        moved = shrink_derivative(state[0], direction[0], threshold, group)
        by_level = threshold_derivative(state[0], threshold, group) * towards.level / self.rho
        return moved + by_level

    def _embed(self, planes: Tensor) -> Tensor:
        """The image as the first of all fields, the others zero."""
        n_fields = 1 if self.inverse.ndim == 2 else self.inverse.shape[-1]
        if n_fields == 1:
            return planes
        others = planes.new_zeros(len(planes), (n_fields - 1) * planes.shape[1], *planes.shape[2:])
        return torch.cat([planes, others], dim=1)
