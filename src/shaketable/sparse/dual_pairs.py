"""The data side ``h`` of a dual pair, and how it moves so that ``K* p = -A* h``."""

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
)
from shaketable.sparse.data_terms import EliminatedData, SplitData, real_inner
from shaketable.sparse.penalties import sum_per_image

N_STEPS = 2
"""Conjugate gradients after each projection."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Belonging:
    """What the bound needs of an ``h``.

    Parameters
    ----------
    planes
        ``(B, R, H, W)``: ``-A* h``.
    energy, pairing
        ``(B,)`` float64: ``1/2 ‖h‖²`` and ``-Re ⟨h, y⟩``.
    """

    planes: Tensor
    energy: Tensor
    pairing: Tensor


class Residual(Protocol):
    """The ``h`` of a pair."""

    def approach(self, splitting: Splitting, multiplier: Tensor) -> tuple[Residual, Tensor]:
        """Move ``h`` and ``p`` towards ``K* p = -A* h``."""
        ...

    def belonging(self, pulled: Tensor) -> Belonging:
        """The ``h`` that goes with ``K* p``, whose image field is ``pulled``."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class SampledResidual:
    """Fourier sampling: ``h`` is what ``K* p`` holds at sampled frequencies."""

    term: EliminatedData
    target: Tensor

    def approach(self, splitting: Splitting, multiplier: Tensor) -> tuple[Residual, Tensor]:  # noqa: ARG002
        return self, multiplier

    def belonging(self, pulled: Tensor) -> Belonging:
        metric = self.term.metric
        spectrum = fields_to_spectrum(pulled, self.term.n_planes)
        inverse = pseudo_inverse(metric)
        planes = spectrum_to_fields(spectrum * (metric > 0), self.term.n_planes)
        energy = sum_per_image(spectrum.abs().square() * inverse) / 2
        pairing = sum_per_image((spectrum[:, 0].conj() * self.target).real * inverse)
        return Belonging(planes=planes, energy=energy, pairing=pairing)


@dataclass(frozen=True, kw_only=True, eq=False)
class Constants:
    """``A`` of the constant images, which ``K`` ignores, and ``A* A`` of them; plane by plane."""

    seen: tuple[Tensor, ...]
    pulled: tuple[Tensor, ...]

    @classmethod
    def create(cls, term: SplitData) -> Constants:
        height, width = term.majorant.shape
        ones = term.majorant.new_zeros(term.n_planes, term.n_planes, height, width)
        for plane in range(term.n_planes):
            ones[plane, plane] = 1
        seen = term.map_planes(ones) * term.mask
        pulled = term.adjoint_planes(seen)
        planes = range(term.n_planes)
        return cls(
            seen=tuple(seen[k : k + 1] for k in planes),
            pulled=tuple(pulled[k : k + 1] for k in planes),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class MovedResidual:
    """Any map: an ``h`` with its ``A* h``, which starts at ``A x - y``.

    Parameters
    ----------
    term, target
        The data term and its ``y``.
    residual, pulled
        ``h``, and ``A* h`` as planes.
    constants
        What ``h`` must be orthogonal to; None where constants cost something.
    """

    term: SplitData
    target: Tensor
    residual: Tensor
    pulled: Tensor
    constants: Constants | None

    def approach(self, splitting: Splitting, multiplier: Tensor) -> tuple[Residual, Tensor]:
        """Conjugate gradients on ``(w K* K + A* A) d = -(K* p + A* h)``; ``p + w K d``, ``h + A d``."""
        term, penalty, weight = self.term, splitting.penalty, splitting.pair_weight
        n_planes, smallest = term.n_planes, torch.finfo(torch.float64).tiny
        residual, pulled = self.residual, self.pulled
        excess = -penalty.adjoint(multiplier)
        excess[:, :n_planes] -= pulled
        direction = preconditioned = apply_symbol(splitting.pair_inverse, excess, n_planes)
        size = real_inner(excess, preconditioned)
        for number in range(N_STEPS):
            if number:
                preconditioned = apply_symbol(splitting.pair_inverse, excess, n_planes)
                previous, size = size, real_inner(excess, preconditioned)
                direction = preconditioned + _times(size / previous.clamp(min=smallest), direction)
            seen = term.map_planes(direction[:, :n_planes]) * term.mask
            back, changed = term.adjoint_planes(seen), penalty.analyse(direction).mul_(weight)
            product = penalty.adjoint(changed)
            product[:, :n_planes] += back
            step = size / real_inner(direction, product).clamp(min=smallest)
            residual, pulled = residual + _times(step, seen), pulled + _times(step, back)
            multiplier = multiplier + _times(step, changed)
            excess = excess - _times(step, product)
        moved = MovedResidual(
            term=term,
            target=self.target,
            residual=residual,
            pulled=pulled,
            constants=self.constants,
        )
        return moved, multiplier

    def belonging(self, pulled: Tensor) -> Belonging:  # noqa: ARG002
        residual, planes = self.residual, self.pulled
        if self.constants is not None:
            for seen, back in zip(self.constants.seen, self.constants.pulled, strict=True):
                size = real_inner(seen, seen).clamp(min=torch.finfo(torch.float64).tiny)
                along = real_inner(seen.expand_as(residual), residual) / size
                residual = residual - _times(along, seen.expand_as(residual))
                planes = planes - _times(along, back.expand_as(planes))
        return Belonging(
            planes=-planes,
            energy=self.term.energy(residual),
            pairing=-real_inner(residual, self.target),
        )


def first_residual(
    splitting: Splitting, planes: Tensor, multiplier: Tensor, problem: Problem
) -> tuple[Residual, Tensor]:
    """The ``h`` that the iteration offers, and the data term at the image."""
    term = splitting.term
    if isinstance(term, EliminatedData):
        sampled = SampledResidual(term=term, target=problem.target)
        # K* p = -A*(A x - y) holds exactly here, and has no cancellation for small residuals.
        pulled = splitting.penalty.adjoint(multiplier)[:, : term.n_planes]
        return sampled, sampled.belonging(pulled).energy
    assert isinstance(term, SplitData)
    residual = (term.map_planes(planes) - problem.target) * term.mask
    eigenvalues = splitting.penalty.eigenvalues
    lowest = eigenvalues[0, 0] if eigenvalues.ndim == 2 else eigenvalues[0, 0, 0, 0]
    free = bool(lowest.abs() < 1e-12)
    moved = MovedResidual(
        term=term,
        target=problem.target,
        residual=residual,
        pulled=term.adjoint_planes(residual),
        constants=Constants.create(term) if free else None,
    )
    return moved, term.energy(residual)


def _times(numbers: Tensor, values: Tensor) -> Tensor:
    """One number per image times a batch."""
    shape = (-1,) + (1,) * (values.ndim - 1)
    return numbers.to(values.real.dtype).reshape(shape) * values
