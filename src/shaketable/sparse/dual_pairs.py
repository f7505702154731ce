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
    occurrences,
    pseudo_inverse,
    spectrum_to_fields,
)
from shaketable.sparse.data_terms import EliminatedData
from shaketable.sparse.per_image import inner_per_image, sum_per_image
from shaketable.sparse.split_data import SplitData

N_STEPS = 2
"""Conjugate gradients after each projection."""

_ROUNDING = 100.0
"""In units of the last place: what is smaller beside 1 may be 0."""


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
        """Move ``h`` and ``p``, in their places, towards ``K* p = -A* h``."""
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
        sampled, width = metric[:, : spectrum.shape[-1]], metric.shape[-1]
        inverse = pseudo_inverse(sampled) * occurrences(spectrum, width)
        energy = sum_per_image(spectrum.abs().square() * inverse) / 2
        pairing = sum_per_image((spectrum[:, 0].conj() * self.target).real * inverse)
        del inverse  # large arrays go before the next ones are made
        planes = spectrum_to_fields(spectrum.mul_(sampled > 0), self.term.n_planes, width)
        return Belonging(planes=planes, energy=energy, pairing=pairing)


@dataclass(frozen=True, kw_only=True, eq=False)
class Constants:
    """The constant images ``1``, which ``K`` ignores, one per plane, as the data see them.

    Numbers and images are enough: ``⟨A 1, h⟩ = ⟨1, A* h⟩``, so that no ``A 1`` is kept.

    Parameters
    ----------
    pulled
        ``(R, R, H, W)``: ``A* A 1``.
    size
        ``(R,)`` float64: ``‖A 1‖²``; 0 for maps that do not see constants.
    pairing
        ``(B, R)`` float64: ``Re ⟨A 1, y⟩``.
    told
        Whether the size can be told from rounding; else nothing is proven.
    """

    pulled: Tensor
    size: Tensor
    pairing: Tensor
    told: bool

    @classmethod
    def create(cls, term: SplitData, target: Tensor) -> Constants:
        height, width = term.bound.shape
        pulled, size, told = [], [], True
        for plane in range(term.n_planes):
            one = term.bound.new_zeros(1, term.n_planes, height, width)
            one[:, plane] = 1
            seen = term.map_planes(one).mul_(term.mask)
            pulled.append(term.adjoint_planes(seen))
            size.append(float(inner_per_image(seen, seen)))
            del seen  # large arrays go before the next ones are made
            if size[-1] <= _least(one):
                told &= _are_unseen(term, one, size[-1])
                size[-1] = 0.0
        return cls(
            pulled=torch.cat(pulled),
            size=torch.tensor(size, dtype=torch.float64, device=target.device),
            pairing=_sums(term.adjoint_planes(target)),
            told=told,
        )


def _least(constant: Tensor) -> float:
    """The ``‖A 1‖²`` that cannot be told from rounding, in the precision of ``1``."""
    n_pixels = constant.shape[-2] * constant.shape[-1]
    return n_pixels * float(_ROUNDING * torch.finfo(constant.dtype).eps) ** 2


def _are_unseen(term: SplitData, constant: Tensor, size: float) -> bool:
    """Whether constants of which rounding is seen are so in double precision too."""
    if size == 0 or constant.dtype == torch.float64:
        return True
    constant = constant.to(torch.float64)
    precise = term.squared_norm_of_data(constant)
    return precise is not None and precise <= _least(constant)


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
    least
        ``(B,)`` float64: the ``1/2 ‖h‖²`` that cannot be told from rounding of ``y``.
    """

    term: SplitData
    target: Tensor
    residual: Tensor
    pulled: Tensor
    constants: Constants | None
    least: Tensor

    def approach(self, splitting: Splitting, multiplier: Tensor) -> tuple[Residual, Tensor]:
        """Conjugate gradients on ``(w K* K + A* A) d = -(K* p + A* h)``; ``p + w K d``, ``h + A d``."""
        term, penalty, weight = self.term, splitting.penalty, splitting.pair_weight
        n_planes, smallest = term.n_planes, torch.finfo(torch.float64).tiny
        excess = -penalty.adjoint(multiplier)
        excess[:, :n_planes] -= self.pulled
        direction = preconditioned = apply_symbol(splitting.pair_inverse, excess, n_planes)
        size = inner_per_image(excess, preconditioned)
        for number in range(N_STEPS):
            if number:
                preconditioned = apply_symbol(splitting.pair_inverse, excess, n_planes)
                previous, size = size, inner_per_image(excess, preconditioned)
                _add(preconditioned, size / previous.clamp(min=smallest), direction)
                direction = preconditioned
            seen = term.map_planes(direction[:, :n_planes]).mul_(term.mask)
            back, changed = term.adjoint_planes(seen), penalty.analyse(direction).mul_(weight)
            product = penalty.adjoint(changed)
            product[:, :n_planes] += back
            step = size / inner_per_image(direction, product).clamp(min=smallest)
            # In place: nobody else holds these.
            _add(self.residual, step, seen)
            _add(self.pulled, step, back)
            _add(multiplier, step, changed)
            _add(excess, -step, product)
            del seen, back, changed, product
        return self, multiplier

    def belonging(self, pulled: Tensor) -> Belonging:  # noqa: ARG002
        energy, pairing = (
            self.term.energy(self.residual),
            -inner_per_image(self.residual, self.target),
        )
        planes, constants = self.pulled, self.constants
        if constants is not None:
            # h loses its part along A 1, for the planes at once: they are orthogonal.
            inner = _sums(planes)
            seen = constants.size > 0
            along = torch.where(seen, inner / torch.where(seen, constants.size, 1), 0)
            energy = energy - (along * inner).sum(1) / 2
            pairing = pairing + (along * constants.pairing).sum(1)
            planes = planes - torch.tensordot(along.to(planes.dtype), constants.pulled, dims=1)
        # An h of rounding, as where a constant image explains the data, proves nothing.
        told = energy > self.least
        if constants is not None and not constants.told:
            told = torch.zeros_like(told)
        energy, pairing = torch.where(told, energy, 0), torch.where(told, pairing, 0)
        return Belonging(planes=-planes, energy=energy, pairing=pairing)


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
    residual = term.map_planes(planes).sub_(problem.target).mul_(term.mask)
    eigenvalues = splitting.penalty.eigenvalues
    lowest = eigenvalues[0, 0] if eigenvalues.ndim == 2 else eigenvalues[0, 0, 0, 0]
    free = bool(lowest.abs() < 1e-12)
    moved = MovedResidual(
        term=term,
        target=problem.target,
        residual=residual,
        pulled=term.adjoint_planes(residual),
        constants=Constants.create(term, problem.target) if free else None,
        least=term.energy(problem.target) * (10 * torch.finfo(planes.dtype).eps) ** 2,
    )
    return moved, term.energy(residual)


def _add(base: Tensor, numbers: Tensor, values: Tensor) -> None:
    """``base += numbers · values``, one number per image, without the product in between."""
    shape = (-1,) + (1,) * (values.ndim - 1)
    base.addcmul_(numbers.to(values.dtype).reshape(shape), values)


def _sums(planes: Tensor) -> Tensor:
    """``(B, R, H, W) -> (B, R)`` float64."""
    return torch.stack([sum_per_image(plane) for plane in planes.unbind(1)], dim=1)
