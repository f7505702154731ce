"""The data term ``1/2 ‖A x - y‖²`` as the iteration meets it, for every forward map.

Two kinds. For Fourier sampling the term is diagonal in k-space and goes into the x-update whole:
`EliminatedData`. For every other map ``A x`` is split off like ``K x`` is: `SplitData` adds the
block ``z_A = A x`` with the multiplier ``u_A`` and a *circulant metric* ``M ⪰ A* A``, and minimises

    ρ_A/2 ‖A x - z_A + u_A‖² + ρ_A/2 ‖x - x_k‖²_(M - A* A) + ρ/2 ‖K x - z + u‖²

over ``x``: one division in Fourier space, one ``A`` and one ``A*``. Where the coils' squares sum to
one, ``M = A* A`` exactly (the mask sits in the update of ``z_A``) and the term with ``x_k`` vanishes.

Both kinds are linear in their state and in the target; their adjoints are written beside them.

References
----------
Ramani and Fessler: "Parallel MR image reconstruction using augmented Lagrangian methods", IEEE TMI
30 (2011), for the splitting by coils. Bredies and Sun: "Preconditioned Douglas-Rachford algorithms
for TV- and TGV-regularized variational imaging problems", J. Math. Imaging Vis. 52 (2015), for the
metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.sparse.circulant import (
    fields_to_spectrum,
    multiply,
    occurrences,
    spectrum_to_fields,
)
from shaketable.sparse.penalties import to_complex, to_planes

State = tuple[Tensor, ...]


class DataTerm(Protocol):
    """What the iteration asks of a data term; ``R`` planes per image."""

    @property
    def n_planes(self) -> int:
        """``R``."""
        ...

    @property
    def separate(self) -> bool:
        """Whether images share no work, and parts of a batch may be on threads."""
        ...

    @property
    def metric(self) -> Tensor:
        """``(H, W)``: what the term adds to the symbol of the x-update."""
        ...

    @property
    def bound(self) -> Tensor:
        """``(H, W)``: symbol of a circulant operator that is at least ``A* A``."""
        ...

    def start(self, target: Tensor) -> State:
        """Zeros."""
        ...

    def field(self, state: State, target: Tensor) -> Tensor:
        """``(B, H, ...)`` spectrum: what the x-update takes from the data."""
        ...

    def move(
        self, state: State, target: Tensor, planes: Tensor, step: float, *, over: bool
    ) -> State:
        """The next state after the x-update gave ``planes``; ``over`` as in `Splitting.advance`."""
        ...

    def move_adjoint(self, cotangent: State, step: float) -> Tensor | None:
        """Cotangent of the planes in `move`; None for zero."""
        ...

    def adjoint(self, cotangent: State, step: float, spectrum: Tensor) -> tuple[State, Tensor]:
        """Cotangents of state and target in `move` and in `field`, whose own is ``spectrum``."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class EliminatedData:
    """Fourier sampling: ``A* A = F* diag(metric) F`` on planes; the target is ``F A* y``.

    Adding it in k-space keeps unsampled frequencies free of its rounding errors.

    Parameters
    ----------
    metric
        ``(H, W)``: the mask; for real images its mean with the mirrored mask.
    n_planes
        ``R``.
    """

    metric: Tensor
    n_planes: int

    @property
    def separate(self) -> bool:
        return True

    @property
    def bound(self) -> Tensor:
        return self.metric

    def start(self, target: Tensor) -> State:
        return ()

    def field(self, state: State, target: Tensor) -> Tensor:
        return target

    def move(
        self, state: State, target: Tensor, planes: Tensor, step: float, *, over: bool
    ) -> State:
        return ()

    def move_adjoint(self, cotangent: State, step: float) -> None:
        return None

    def adjoint(self, cotangent: State, step: float, spectrum: Tensor) -> tuple[State, Tensor]:
        return (), spectrum * occurrences(spectrum, self.metric.shape[-1])


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """A part of a map, which gives some of its data: ``data[:, rows]``.

    Data of many coils are the largest arrays there are; what is made of them on the way need only
    be there for a few coils at a time, and then stays in the cache.

    Parameters
    ----------
    rows
        Along the first axis after the batch.
    forward, adjoint
        ``(B, H, W)`` images to these data, and back.
    """

    rows: slice
    forward: Callable[[Tensor], Tensor]
    adjoint: Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class SplitData:
    """Any map: the target is ``y``, scaled as the map is; state ``v_A``, ``x`` and ``A x``.

    The target is 0 where the data term does not count.

    Parameters
    ----------
    blocks, data_shape
        ``A``, without the mask where that makes ``A* A`` simpler, and the shape of its data.
    norm
        What ``A`` is divided by, so that it is at most 1 in norm.
    mask
        Broadcastable to the data of every block and of their type; 1 where the data term counts,
        else 0.
    majorant
        ``(H, W)`` real: the symbol of ``M``.
    rho
        ``ρ_A``.
    exact
        Whether ``A* A = M``; ``x`` and ``A x`` are then not part of the state.
    n_planes
        ``R``.
    separate
        Of `DataTerm`: not for maps that read a matrix once for the whole batch, or that somebody
        else wrote and that may not be safe on threads.
    """

    blocks: tuple[Block, ...]
    data_shape: tuple[int, ...]
    norm: float
    mask: Tensor
    majorant: Tensor
    rho: float
    exact: bool
    n_planes: int
    separate: bool = False

    @property
    def metric(self) -> Tensor:
        """``ρ_A M``."""
        return self.rho * self.majorant

    @property
    def bound(self) -> Tensor:
        """``M``."""
        return self.majorant

    @cached_property
    def _gain(self) -> Tensor:
        return 1 / (self.rho + self.mask)

    def map_planes(self, planes: Tensor) -> Tensor:
        """``A`` of ``(B, R, H, W)`` planes."""
        whole = self.mask.new_empty(len(planes), *self.data_shape)
        for rows, seen in self._seen(planes):
            whole[:, rows] = seen
            del seen  # before that of the next block is made
        return whole

    def adjoint_planes(self, data: Tensor) -> Tensor:
        """``A*`` as planes."""
        return self._pulled(lambda rows: data[:, rows])

    def _seen(self, planes: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """``A`` of planes, block by block."""
        image = (planes[:, 0] if self.n_planes == 1 else to_complex(planes)) / self.norm
        for block in self.blocks:
            seen = block.forward(image)
            if seen.is_complex() and not self.mask.is_complex():
                raise InputError(
                    "Expected complex data, because the map gives such of an image, got real ones; "
                    "convert them, for example with data.to(torch.complex64)."
                )
            yield block.rows, seen.to(self.mask.dtype)
            del seen  # before that of the next block is made

    def squared_norm_of_seen(self, planes: Tensor) -> float | None:
        """``‖A x‖²`` where data count, in the precision of ``(1, R, H, W)``; None if ``A`` has less."""
        image = (planes[:, 0] if self.n_planes == 1 else to_complex(planes)) / self.norm
        total = 0.0
        for block in self.blocks:
            try:
                seen = block.forward(image)
            except (RuntimeError, TypeError, ValueError):  # of one precision only
                return None
            if torch.finfo(seen.dtype).eps > torch.finfo(planes.dtype).eps:
                return None
            total += float((seen * self.mask).abs().square().sum())
        return total

    def _pulled(self, data: Callable[[slice], Tensor]) -> Tensor:
        """``A*`` of data that are made when their block is due."""
        first, *others = self.blocks
        image = first.adjoint(data(first.rows))
        for block in others:
            image = image + block.adjoint(data(block.rows))
        return to_planes(image / self.norm, "real" if self.n_planes == 1 else "ri")

    def start(self, target: Tensor) -> State:
        zeros = torch.zeros_like(target)
        if self.exact:
            return (zeros,)
        height, width = self.majorant.shape
        image = target.real.new_zeros(target.shape[0], self.n_planes, height, width)
        return (zeros, image, torch.zeros_like(target))

    def _settled(self, v: Tensor, target: Tensor) -> Tensor:
        """``z_A``, linear in both."""
        # The target is 0 where the mask is, so that the mask need not be applied to it again.
        return torch.add(target, v, alpha=self.rho).mul_(self._gain)

    def field(self, state: State, target: Tensor) -> Tensor:
        def due(rows: slice) -> Tensor:
            half = self._settled(state[0][:, rows], target[:, rows])
            for part in (state[0], *state[2:]):
                half.sub_(part[:, rows], alpha=0.5)
            return half

        spectrum = self._spectrum(self._pulled(due).mul_(2))
        if not self.exact:
            spectrum += multiply(self.majorant, self._spectrum(state[1]))
        return spectrum.mul_(self.rho)

    def _spectrum(self, planes: Tensor) -> Tensor:
        return fields_to_spectrum(planes, self.n_planes)[:, 0]

    def _planes(self, spectrum: Tensor) -> Tensor:
        return spectrum_to_fields(spectrum[:, None], self.n_planes, self.majorant.shape[-1])

    def move(
        self, state: State, target: Tensor, planes: Tensor, step: float, *, over: bool
    ) -> State:
        moved = state if over else tuple(torch.empty_like(part) for part in state)
        for rows, seen in self._seen(planes):
            v = state[0][:, rows]
            change = self._settled(v, target[:, rows]).sub_(seen)
            torch.sub(v, change, alpha=step, out=moved[0][:, rows])
            if not self.exact:
                torch.lerp(state[2][:, rows], seen, step, out=moved[2][:, rows])
            del seen, change
        if not self.exact:
            torch.lerp(state[1], planes, step, out=moved[1])
        return moved

    def move_adjoint(self, cotangent: State, step: float) -> Tensor:
        if self.exact:
            return self.adjoint_planes(cotangent[0]).mul_(step)
        v, image, seen = cotangent
        return self.adjoint_planes(v + seen).add_(image).mul_(step)

    def adjoint(self, cotangent: State, step: float, spectrum: Tensor) -> tuple[State, Tensor]:
        at_data = [torch.empty_like(part) for part in (cotangent[0], *cotangent[2:])]
        at_target = torch.empty_like(cotangent[0])
        for rows, seen in self._seen(self._planes(spectrum.clone())):
            seen = self.rho * seen
            v = cotangent[0][:, rows]
            settled = torch.mul(seen, 2).sub_(v, alpha=step).mul_(self._gain)
            at_target[:, rows] = settled
            at_data[0][:, rows] = (v - seen).add_(settled, alpha=self.rho)
            if not self.exact:
                torch.sub((1 - step) * cotangent[2][:, rows], seen, out=at_data[1][:, rows])
        if self.exact:
            return tuple(at_data), at_target
        image = self._planes(multiply(self.metric, spectrum[:, None].clone())[:, 0])
        return (at_data[0], image.add_(cotangent[1], alpha=1 - step), at_data[1]), at_target

    def energy(self, data: Tensor) -> Tensor:
        """``(B,)`` float64: ``1/2 ‖·‖²``."""
        return real_inner(data, data) / 2


def real_inner(a: Tensor, b: Tensor) -> Tensor:
    """``(B,)`` float64: ``Re ⟨a, b⟩`` per image.

    As in `sum_per_image`, rows first: the same bits in every batch. Many rows are multiplied in
    pieces, so that the products need not be kept.
    """
    width = a.shape[-1]
    n_rows = max(1, _PIECE // width)
    pieces = [torch.split(t.reshape(len(t), -1, width), n_rows, 1) for t in (a, b)]
    rows = [
        ((x.conj() * y).real if x.is_complex() else x * y).to(torch.float64).sum(-1)
        for x, y in zip(*pieces, strict=True)
    ]
    return torch.cat(rows, 1).sum(1)


_PIECE = 2**17
