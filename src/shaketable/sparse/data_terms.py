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

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from shaketable.sparse.circulant import fields_to_spectrum, spectrum_to_fields
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

    def settle(self, state: State, target: Tensor) -> Tensor | None:
        """``z_A``; None where nothing is split off. Linear in both."""
        ...

    def field(self, state: State, settled: Tensor | None, target: Tensor) -> Tensor:
        """``(B, H, W)`` spectrum: what the x-update takes from the data."""
        ...

    def move(self, state: State, settled: Tensor | None, planes: Tensor, step: float) -> State:
        """The next state after the x-update gave ``planes``."""
        ...

    def move_adjoint(
        self, cotangent: State, step: float
    ) -> tuple[State, Tensor | None, Tensor | None]:
        """Cotangents of state, ``z_A`` and planes in `move`; None for zero."""
        ...

    def field_adjoint(self, spectrum: Tensor) -> tuple[State, Tensor | None, Tensor | None]:
        """Cotangents of state, ``z_A`` and target in `field`."""
        ...

    def settle_adjoint(self, cotangent: Tensor) -> tuple[Tensor, Tensor]:
        """Cotangents of ``v_A`` (the first of the state) and of the target in `settle`."""
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

    def settle(self, state: State, target: Tensor) -> None:
        return None

    def field(self, state: State, settled: Tensor | None, target: Tensor) -> Tensor:
        return target

    def move(self, state: State, settled: Tensor | None, planes: Tensor, step: float) -> State:
        return ()

    def move_adjoint(self, cotangent: State, step: float) -> tuple[State, None, None]:
        return (), None, None

    def field_adjoint(self, spectrum: Tensor) -> tuple[State, None, Tensor]:
        return (), None, spectrum

    def settle_adjoint(self, cotangent: Tensor) -> tuple[Tensor, Tensor]:
        raise AssertionError("nothing is split off, so nothing settles")


@dataclass(frozen=True, kw_only=True, eq=False)
class SplitData:
    """Any map: the target is ``y``, scaled as the map is; state ``v_A``, ``x`` and ``A x``.

    The target is 0 where the data term does not count.

    Parameters
    ----------
    forward, adjoint
        ``A`` and ``A*``, scaled to norm at most 1; without the mask where that makes ``A* A``
        simpler.
    mask
        Broadcastable to data and of their type; 1 where the data term counts, else 0.
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

    forward: Callable[[Tensor], Tensor]
    adjoint: Callable[[Tensor], Tensor]
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
        return self.forward(planes[:, 0] if self.n_planes == 1 else to_complex(planes))

    def adjoint_planes(self, data: Tensor) -> Tensor:
        """``A*`` as planes."""
        return to_planes(self.adjoint(data), "real" if self.n_planes == 1 else "ri")

    def start(self, target: Tensor) -> State:
        zeros = torch.zeros_like(target)
        if self.exact:
            return (zeros,)
        height, width = self.majorant.shape
        image = target.real.new_zeros(target.shape[0], self.n_planes, height, width)
        return (zeros, image, torch.zeros_like(target))

    def settle(self, state: State, target: Tensor) -> Tensor:
        # The target is 0 where the mask is, so that the mask need not be applied to it again.
        return torch.add(target, state[0], alpha=self.rho).mul_(self._gain)

    def field(self, state: State, settled: Tensor | None, target: Tensor) -> Tensor:
        assert settled is not None
        if self.exact:
            half = torch.sub(settled, state[0], alpha=0.5)
            return self._spectrum(self.adjoint_planes(half).mul_(2 * self.rho))
        v, image, seen = state
        pulled = self._spectrum(self.adjoint_planes((2 * settled).sub_(v).sub_(seen)))
        return self.rho * pulled.addcmul_(self._spectrum(image), self.majorant)

    def _spectrum(self, planes: Tensor) -> Tensor:
        return fields_to_spectrum(planes, self.n_planes)[:, 0]

    def _planes(self, spectrum: Tensor) -> Tensor:
        return spectrum_to_fields(spectrum[:, None], self.n_planes)

    def move(self, state: State, settled: Tensor | None, planes: Tensor, step: float) -> State:
        assert settled is not None
        seen = self.map_planes(planes)
        if self.exact:
            change = seen.sub_(settled)
            return (torch.add(state[0], change, alpha=step, out=change),)
        v = torch.add(state[0], seen - settled, alpha=step)
        after = torch.add(state[2], seen.sub_(state[2]), alpha=step)
        return v, torch.lerp(state[1], planes, step), after

    def move_adjoint(self, cotangent: State, step: float) -> tuple[State, Tensor, Tensor]:
        settled = -step * cotangent[0]
        if self.exact:
            return cotangent, settled, self.adjoint_planes(step * cotangent[0])
        v, image, seen = cotangent
        planes = self.adjoint_planes(step * (v + seen)) + step * image
        return (v, (1 - step) * image, (1 - step) * seen), settled, planes

    def field_adjoint(self, spectrum: Tensor) -> tuple[State, Tensor, None]:
        seen = self.rho * self.map_planes(self._planes(spectrum))
        if self.exact:
            return (-seen,), 2 * seen, None
        image = self.rho * self._planes(self.majorant * spectrum)
        return (-seen, image, -seen), 2 * seen, None

    def settle_adjoint(self, cotangent: Tensor) -> tuple[Tensor, Tensor]:
        scaled = cotangent * self._gain
        return self.rho * scaled, scaled

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
