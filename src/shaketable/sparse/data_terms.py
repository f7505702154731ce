"""The data term ``1/2 ‖A x - y‖²`` as the iteration meets it, for every forward map.

Two kinds. For Fourier sampling the term is diagonal in k-space and goes into the x-update whole:
`EliminatedData`. For every other map ``A x`` is split off like ``K x`` is: `split_data.SplitData` adds
``z_A = A x`` with the multiplier ``u_A`` and a *circulant metric* ``M ⪰ A* A``, and minimises

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

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from shaketable.sparse.circulant import occurrences

State = tuple[Tensor, ...]
"""What an iteration carries to the next one."""


class DataTerm(Protocol):
    """What the iteration asks of a data term; ``R`` planes per image."""

    @property
    def n_planes(self) -> int:
        """``R``."""
        ...

    @property
    def parallel(self) -> bool:
        """Whether images share no work and may be solved on threads."""
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

    def right_hand_side(self, state: State, target: Tensor) -> Tensor:
        """``(B, H, ...)`` spectrum: what the x-update takes from the data."""
        ...

    def update(
        self, state: State, target: Tensor, planes: Tensor, step: float, *, in_place: bool
    ) -> State:
        """The next state after the x-update gave ``planes``; ``in_place`` as in `Splitting.advance`."""
        ...

    def update_adjoint(self, cotangent: State, step: float) -> Tensor | None:
        """Cotangent of the planes in `update`; None for zero."""
        ...

    def adjoint(self, cotangent: State, step: float, spectrum: Tensor) -> tuple[State, Tensor]:
        """Cotangents of state and target in `update` and `right_hand_side`, whose own is ``spectrum``."""
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
    def parallel(self) -> bool:
        return True

    @property
    def bound(self) -> Tensor:
        return self.metric

    def start(self, target: Tensor) -> State:
        return ()

    def right_hand_side(self, state: State, target: Tensor) -> Tensor:
        return target

    def update(
        self, state: State, target: Tensor, planes: Tensor, step: float, *, in_place: bool
    ) -> State:
        return ()

    def update_adjoint(self, cotangent: State, step: float) -> None:
        return None

    def adjoint(self, cotangent: State, step: float, spectrum: Tensor) -> tuple[State, Tensor]:
        return (), spectrum * occurrences(spectrum, self.metric.shape[-1])
