"""From a forward map and data to the data term of the iteration: scaling, metric, splitting."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from weakref import finalize

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.maps.fourier import FourierMap
from shaketable.maps.multi_coil import MultiCoilFourierMap
from shaketable.protocols import ForwardMap
from shaketable.sparse.circulant import apply_symbol, fields_to_spectrum
from shaketable.sparse.data_terms import Block, DataTerm, EliminatedData, SplitData
from shaketable.sparse.penalties import Values, sum_per_image, to_planes
from shaketable.sparse.threads import CACHE_BYTES, n_bytes

# Of the response's symbol, times its maximum. A Radon map answers high frequencies a hundred times less
# than low ones; a floor above that makes all steps there too short.
_FLOOR = 0.02
_N_POWER = 60
_MARGIN = 1.03


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
    if type(forward) is MultiCoilFourierMap:
        return _split_coils(data, forward, planes, weights.coils)
    majorant, squared_norm = _metric_of(forward, planes)
    mask = torch.ones((), dtype=data.dtype, device=data.device)
    if forward.sampled is not None:
        mask = forward.sampled.to(data)

    return SplitData(
        blocks=(Block(rows=slice(None), forward=forward, adjoint=forward.adjoint),),
        data_shape=tuple(forward.data_shape),
        norm=math.sqrt(squared_norm),
        mask=mask,
        majorant=majorant.to(planes),
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
    n_together = max(1, CACHE_BYTES // n_bytes([coils[0]]))
    return SplitData(
        blocks=tuple(
            _coils(coils, slice(first, min(first + n_together, len(coils))))
            for first in range(0, len(coils), n_together)
        ),
        data_shape=tuple(coils.shape),
        norm=math.sqrt(squared_norm),
        mask=forward.mask.to(device=data.device, dtype=dtype),
        majorant=torch.ones_like(energy, dtype=planes.dtype),
        rho=rho,
        exact=bool((energy / squared_norm > 1 - 1e-5).all()),
        n_planes=planes.shape[1],
        separate=True,
    ), squared_norm


def _coils(coils: Tensor, rows: slice) -> Block:
    some = coils[rows]

    def see(image: Tensor) -> Tensor:
        seen: Tensor = torch.fft.fft2(some * image[:, None], norm="ortho")
        return seen

    def pull(seen: Tensor) -> Tensor:
        # A lazy conjugation of the coils doubles the time of the product, and conjugated coils that
        # are kept are one more array of their size.
        each = torch.fft.ifft2(seen, norm="ortho").conj_physical_().mul_(some)
        image: Tensor = each.sum(1).conj_physical_()
        return image

    return Block(rows=rows, forward=see, adjoint=pull)


_METRICS: dict[int, dict[tuple[int, torch.dtype], tuple[Tensor, float]]] = {}


def _metric_of(forward: ForwardMap, planes: Tensor) -> tuple[Tensor, float]:
    """``M / L`` and ``L = ‖A‖²``, measured once per map, number of planes and precision."""
    if id(forward) not in _METRICS:
        try:
            # By identity, for not every map has a hash; forgotten with the map.
            finalize(forward, _METRICS.pop, id(forward), None).atexit = False
        except TypeError:  # a class with slots, of which nobody is told that it goes
            with torch.no_grad():
                return _measured_metric(forward, planes[:1])
        _METRICS[id(forward)] = {}
    kept, key = _METRICS[id(forward)], (planes.shape[1], planes.dtype)
    if key not in kept:
        with torch.no_grad():
            kept[key] = _measured_metric(forward, planes[:1])
    return kept[key]


def _measured_metric(forward: ForwardMap, like: Tensor) -> tuple[Tensor, float]:
    """A circulant ``M ⪰ A* A``: the response to one pixel, floored, and raised by a power method.

    The response of ``A* A`` to the middle pixel is the whole of a translation-invariant map (nearly
    so for the Radon map). How far it falls short of ``A* A`` is the largest eigenvalue of
    ``T^(-1/2) A* A T^(-1/2)``. Where that is worse than the plain norm, ``M`` is the norm.
    """
    n_planes = like.shape[1]
    height, width = like.shape[-2:]

    def normal(planes: Tensor) -> Tensor:
        image = planes[:, 0] if n_planes == 1 else torch.complex(planes[:, 0], planes[:, 1])
        return to_planes(forward.adjoint(forward(image)), "real" if n_planes == 1 else "ri")

    pixel = torch.zeros_like(like)
    pixel[:, 0, height // 2, width // 2] = 1
    response = normal(pixel)[0, 0].roll((-(height // 2), -(width // 2)), (0, 1))
    flat = torch.ones_like(response)
    squared_norm = _largest_eigenvalue(normal, flat, like)
    symbol = torch.fft.fft2(response).real
    symbol = symbol.clamp(min=_FLOOR * float(symbol.max())) if bool(symbol.max() > 0) else flat
    factor = _largest_eigenvalue(normal, symbol, like)
    majorant = symbol * (factor / squared_norm)
    # A symbol that had to be raised so far that it exceeds the norm on average gains nothing.
    if float(majorant.mean()) >= 1:
        majorant = flat
    return majorant * _MARGIN, squared_norm


def _largest_eigenvalue(normal: Callable[[Tensor], Tensor], symbol: Tensor, like: Tensor) -> float:
    root, n_planes = symbol.rsqrt(), like.shape[1]
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(like.shape, dtype=torch.float64, generator=generator)
    vector, size = (start / start.norm()).to(like), 0.0
    for _ in range(_N_POWER):
        vector = apply_symbol(root, normal(apply_symbol(root, vector, n_planes)), n_planes)
        # In double precision, for a map in another unit may leave the range of single squares.
        size = float(torch.linalg.vector_norm(vector, dtype=torch.float64))
        if size == 0:
            return 1.0
        vector = vector / size
    return size


def _scale(planes: Tensor) -> Tensor:
    """``(B,)``: root mean square of the zero-filled image; 1 for data of zeros."""
    # A power of two changes no digit, and keeps squares of very large or small data in range.
    peak = planes.detach().abs().flatten(1).amax(1).to(torch.float64)
    unit = torch.exp2(torch.where(peak > 0, peak, 1).log2().floor())
    planes = planes / unit.to(planes.dtype)[:, None, None, None]
    # Rows first, as in `sum_per_image`: the same bits in every batch.
    rows = planes.square().sum(1).to(torch.float64).sum(-1)
    total = rows.sum(-1) / (planes.shape[-1] * planes.shape[-2])
    positive = total > 0
    root = torch.where(positive, total, 1).sqrt() * unit
    return root.to(planes.dtype)
