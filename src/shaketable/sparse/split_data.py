"""The data term of maps that are split off: ``z_A = A x`` with a circulant metric."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.sparse.circulant import fields_to_spectrum, multiply, spectrum_to_fields
from shaketable.sparse.data_terms import State
from shaketable.sparse.penalties import to_image, to_planes
from shaketable.sparse.per_image import inner_per_image


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
    bound
        ``(H, W)`` real: the symbol of ``M``.
    rho
        ``ρ_A``.
    exact
        Whether ``A* A = M``; ``x`` and ``A x`` are then not part of the state.
    n_planes
        ``R``.
    parallel
        Of `DataTerm`: not for maps that read a matrix once for the whole batch, or that somebody
        else wrote and that may not be safe on threads.
    """

    blocks: tuple[Block, ...]
    data_shape: tuple[int, ...]
    norm: float
    mask: Tensor
    bound: Tensor
    rho: float
    exact: bool
    n_planes: int
    parallel: bool = False

    @property
    def metric(self) -> Tensor:
        """``ρ_A M``."""
        return self.rho * self.bound

    @cached_property
    def _gain(self) -> Tensor:
        """What the proximal point multiplies ``y + ρ_A v_A`` with."""
        return 1 / (self.rho + self.mask)

    def map_planes(self, planes: Tensor) -> Tensor:
        """``A`` of ``(B, R, H, W)`` planes."""
        whole = self.mask.new_empty(len(planes), *self.data_shape)
        for rows, mapped in self._map_by_block(planes):
            whole[:, rows] = mapped
            del mapped  # before that of the next block is made
        return whole

    def adjoint_planes(self, data: Tensor) -> Tensor:
        """``A*`` as planes."""
        return self._adjoint_by_block(lambda rows: data[:, rows])

    def _map_by_block(self, planes: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """``A`` of planes, block by block."""
        image = to_image(planes) / self.norm
        for block in self.blocks:
            mapped = block.forward(image)
            if mapped.is_complex() and not self.mask.is_complex():
                raise InputError(
                    "Expected complex data, because the map gives such of an image, got real ones; "
                    "convert them, for example with data.to(torch.complex64)."
                )
            yield block.rows, mapped.to(self.mask.dtype)
            del mapped  # before that of the next block is made

    def squared_norm_of_data(self, planes: Tensor) -> float | None:
        """``‖A x‖²`` where data count, in the precision of ``(1, R, H, W)``; None if ``A`` has less."""
        image = to_image(planes) / self.norm
        total = 0.0
        for block in self.blocks:
            try:
                mapped = block.forward(image)
            except (RuntimeError, TypeError, ValueError):  # of one precision only
                return None
            if torch.finfo(mapped.dtype).eps > torch.finfo(planes.dtype).eps:
                return None
            total += float((mapped * self.mask).abs().square().sum())
        return total

    def _adjoint_by_block(self, data: Callable[[slice], Tensor]) -> Tensor:
        """``A*`` of data that are made block by block."""
        first, *others = self.blocks
        image = first.adjoint(data(first.rows))
        for block in others:
            image = image + block.adjoint(data(block.rows))
        return to_planes(image / self.norm, "real" if self.n_planes == 1 else "ri")

    def start(self, target: Tensor) -> State:
        """Zeros: ``v_A``, and ``x`` and ``A x`` where ``A* A`` is not ``M``."""
        zeros = torch.zeros_like(target)
        if self.exact:
            return (zeros,)
        height, width = self.bound.shape
        image = target.real.new_zeros(target.shape[0], self.n_planes, height, width)
        return (zeros, image, torch.zeros_like(target))

    def _proximal_point(self, v: Tensor, target: Tensor) -> Tensor:
        """``z_A``: the nearest data that fit, linear in both."""
        # The target is 0 where the mask is, so that the mask need not be applied to it again.
        return torch.add(target, v, alpha=self.rho).mul_(self._gain)

    def right_hand_side(self, state: State, target: Tensor) -> Tensor:
        """``ρ_A (A*(2 z_A - v_A - A x) + M x)``; the terms with ``x`` vanish where ``A* A = M``."""

        def reflected(rows: slice) -> Tensor:
            """``(2 z_A - v_A - A x) / 2``."""
            half = self._proximal_point(state[0][:, rows], target[:, rows])
            for part in (state[0], *state[2:]):
                half.sub_(part[:, rows], alpha=0.5)
            return half

        spectrum = self._spectrum(self._adjoint_by_block(reflected).mul_(2))
        if not self.exact:
            spectrum += multiply(self.bound, self._spectrum(state[1]))
        return spectrum.mul_(self.rho)

    def _spectrum(self, planes: Tensor) -> Tensor:
        return fields_to_spectrum(planes, self.n_planes)[:, 0]

    def _planes(self, spectrum: Tensor) -> Tensor:
        return spectrum_to_fields(spectrum[:, None], self.n_planes, self.bound.shape[-1])

    def update(
        self, state: State, target: Tensor, planes: Tensor, step: float, *, in_place: bool
    ) -> State:
        """``v_A ← v_A + α (A x̂ - z_A)``, ``x ← x + α (x̂ - x)``, and ``A x`` likewise, block by block."""
        moved = state if in_place else tuple(torch.empty_like(part) for part in state)
        for rows, mapped in self._map_by_block(planes):
            v = state[0][:, rows]
            change = self._proximal_point(v, target[:, rows]).sub_(mapped)
            torch.sub(v, change, alpha=step, out=moved[0][:, rows])
            if not self.exact:
                torch.lerp(state[2][:, rows], mapped, step, out=moved[2][:, rows])
            del mapped, change
        if not self.exact:
            torch.lerp(state[1], planes, step, out=moved[1])
        return moved

    def update_adjoint(self, cotangent: State, step: float) -> Tensor:
        """Of `update` in its planes."""
        if self.exact:
            return self.adjoint_planes(cotangent[0]).mul_(step)
        v, image, mapped = cotangent
        return self.adjoint_planes(v + mapped).add_(image).mul_(step)

    def adjoint(self, cotangent: State, step: float, spectrum: Tensor) -> tuple[State, Tensor]:
        """Of `update` and `right_hand_side` in state and target."""
        at_data = [torch.empty_like(part) for part in (cotangent[0], *cotangent[2:])]
        at_target = torch.empty_like(cotangent[0])
        for rows, mapped in self._map_by_block(self._planes(spectrum.clone())):
            mapped = self.rho * mapped
            v = cotangent[0][:, rows]
            at_sum = torch.mul(mapped, 2).sub_(v, alpha=step).mul_(self._gain)
            at_target[:, rows] = at_sum
            at_data[0][:, rows] = (v - mapped).add_(at_sum, alpha=self.rho)
            if not self.exact:
                torch.sub((1 - step) * cotangent[2][:, rows], mapped, out=at_data[1][:, rows])
        if self.exact:
            return tuple(at_data), at_target
        image = self._planes(multiply(self.metric, spectrum[:, None].clone())[:, 0])
        return (at_data[0], image.add_(cotangent[1], alpha=1 - step), at_data[1]), at_target

    def energy(self, data: Tensor) -> Tensor:
        """``(B,)`` float64: ``1/2 ‖·‖²``."""
        return inner_per_image(data, data) / 2
