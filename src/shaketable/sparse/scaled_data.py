"""From a forward map and data to the data term of the iteration: scaling and splitting."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.maps.fourier import FourierMap
from shaketable.maps.multi_coil import MultiCoilFourierMap
from shaketable.protocols import ForwardMap
from shaketable.sparse.circulant import fields_to_spectrum
from shaketable.sparse.data_terms import DataTerm, EliminatedData
from shaketable.sparse.metric import circulant_metric
from shaketable.sparse.penalties import Values, to_planes
from shaketable.sparse.per_image import power_of_two, sum_per_image
from shaketable.sparse.split_data import Block, SplitData
from shaketable.sparse.threads import CACHE_BYTES


@dataclass(frozen=True, kw_only=True)
class DataWeights:
    """``ρ_A`` of a map of norm 1; measured, and decides the speed only.

    Parameters
    ----------
    coils
        Of parallel MRI, where the mask is left to the data.
    others
        Of all other maps that are split off.
    """

    coils: float = 0.03
    others: float = 0.06


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaledData:
    """``1/2 ‖A x - y‖²`` in units in which map and zero-filled image have size 1.

    With ``L ≥ ‖A‖²`` and ``s = rms(A* y)``: ``x = s/L x'``, ``y = s/√L y'``, ``A = √L A'``; the
    problem keeps its form, its value is ``s²/L`` times the scaled one and ``λ = s λ'``.

    Parameters
    ----------
    term
        The data term of ``A'``.
    target
        ``(B, ...)``: what it compares with; differentiable in the data.
    scale
        ``(B,)``: ``s``; differentiable, 1 for data of zeros.
    squared_norm
        ``L``.
    unexplained
        ``(B,)`` float64: what no image can explain, in the unit of the objective.
    """

    term: DataTerm
    target: Tensor
    scale: Tensor
    squared_norm: float
    unexplained: Tensor


def scaled_data(
    data: Tensor, forward: ForwardMap, values: Values, weights: DataWeights
) -> ScaledData:
    """Write the data term of a batch of data for its map."""
    # `FourierMap` ignores what is not sampled; a subclass may map otherwise.
    if type(forward) is not FourierMap and forward.sampled is not None:
        data = data * forward.sampled.to(data.device)
    back = forward.adjoint(data)
    if torch.finfo(back.dtype).eps > torch.finfo(data.dtype).eps:
        raise InputError(
            f"Expected the adjoint of the map to keep the precision of the data ({data.dtype}), got "
            f"{back.dtype}; convert the data, or let the map keep it."
        )
    planes = to_planes(back, values)
    scale = _scale(planes)
    if type(forward) is FourierMap:
        return _fourier(data, forward, planes, scale)
    # A real image may meet complex data, and real data a complex map.
    data = data.to(torch.promote_types(data.dtype, back.dtype))
    term, squared_norm = _split(data, forward, planes, weights)
    shape = (-1,) + (1,) * (data.ndim - 1)
    target = data * (math.sqrt(squared_norm) / scale).reshape(shape)
    none = torch.zeros(len(data), dtype=torch.float64, device=data.device)
    return ScaledData(
        term=term, target=target, scale=scale, squared_norm=squared_norm, unexplained=none
    )


def _fourier(data: Tensor, forward: FourierMap, planes: Tensor, scale: Tensor) -> ScaledData:
    """A real image ties frequency ``k`` to ``-k``: the metric is the mean of the mask at both."""
    mask = forward.sampled.to(device=data.device, dtype=planes.dtype)
    metric = mask
    unexplained = torch.zeros(len(data), dtype=torch.float64, device=data.device)
    if planes.shape[1] == 1:
        metric = (mask + torch.roll(mask.flip(0, 1), (1, 1), (0, 1))) / 2
        spectrum = torch.fft.fft2(planes[:, 0].detach(), norm="ortho")
        explained = mask * spectrum * torch.where(metric > 0, 1 / metric.clamp(min=0.5), 0)
        rest = (data.detach() * mask - explained).abs().to(torch.float64)
        unexplained = sum_per_image(rest.square()) / 2
    term = EliminatedData(metric=metric, n_planes=planes.shape[1])
    spectrum = fields_to_spectrum(planes, planes.shape[1])[:, 0]
    spectrum = spectrum * (metric > 0)[:, : spectrum.shape[-1]]
    target = spectrum / scale[:, None, None]
    return ScaledData(
        term=term, target=target, scale=scale, squared_norm=1.0, unexplained=unexplained
    )


def _split(
    data: Tensor, forward: ForwardMap, planes: Tensor, weights: DataWeights
) -> tuple[SplitData, float]:
    """The map split off, and ``L``."""
    if type(forward) is MultiCoilFourierMap:
        return _split_coils(data, forward, planes, weights.coils)
    bound, squared_norm = circulant_metric(forward, planes)
    mask = torch.ones((), dtype=data.dtype, device=data.device)
    if forward.sampled is not None:
        mask = forward.sampled.to(data)
    return SplitData(
        blocks=(Block(rows=slice(None), forward=forward, adjoint=forward.adjoint),),
        data_shape=tuple(forward.data_shape),
        norm=math.sqrt(squared_norm),
        mask=mask,
        bound=bound.to(planes),
        rho=weights.others,
        exact=False,
        n_planes=planes.shape[1],
    ), squared_norm


def _split_coils(
    data: Tensor, forward: MultiCoilFourierMap, planes: Tensor, rho: float
) -> tuple[SplitData, float]:
    """The mask is left to the data, so that ``A* A`` is the sum of the coils' squares."""
    dtype = torch.promote_types(data.dtype, torch.complex64)
    coils = forward.coils.to(device=data.device, dtype=dtype)
    # In double precision, for coils in another unit may leave the range of single squares.
    energy = coils.real.new_zeros(coils.shape[1:], dtype=torch.float64)
    for coil in coils:
        energy += coil.abs().to(torch.float64).square()
    squared_norm = float(energy.max())
    n_together = max(1, CACHE_BYTES // coils[0].nbytes)
    return SplitData(
        blocks=tuple(
            _block_of_coils(coils, slice(first, min(first + n_together, len(coils))))
            for first in range(0, len(coils), n_together)
        ),
        data_shape=tuple(coils.shape),
        norm=math.sqrt(squared_norm),
        mask=forward.mask.to(device=data.device, dtype=dtype),
        bound=torch.ones_like(energy, dtype=planes.dtype),
        rho=rho,
        exact=bool((energy / squared_norm > 1 - 1e-5).all()),
        n_planes=planes.shape[1],
        parallel=True,
    ), squared_norm


def _block_of_coils(coils: Tensor, rows: slice) -> Block:
    some = coils[rows]

    def forward(image: Tensor) -> Tensor:
        data: Tensor = torch.fft.fft2(some * image[:, None], norm="ortho")
        return data

    def adjoint(data: Tensor) -> Tensor:
        # A lazy conjugation of the coils doubles the time of the product, and conjugated coils that
        # are kept are one more array of their size.
        each = torch.fft.ifft2(data, norm="ortho").conj_physical_().mul_(some)
        image: Tensor = each.sum(1).conj_physical_()
        return image

    return Block(rows=rows, forward=forward, adjoint=adjoint)


def _scale(planes: Tensor) -> Tensor:
    """``(B,)``: root mean square of the zero-filled image; 1 for data of zeros."""
    unit = power_of_two(planes)
    planes = planes / unit.to(planes.dtype)[:, None, None, None]
    total = sum_per_image(planes.square().sum(1)) / (planes.shape[-1] * planes.shape[-2])
    root = torch.where(total > 0, total, 1).sqrt() * unit
    return root.to(planes.dtype)
