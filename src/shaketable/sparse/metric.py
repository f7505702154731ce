"""A circulant metric ``M ⪰ A* A`` that stands for the normal operator of a map of any kind."""

from __future__ import annotations

from collections.abc import Callable
from weakref import finalize

import torch
from torch import Tensor

from shaketable.protocols import ForwardMap
from shaketable.sparse.circulant import apply_symbol
from shaketable.sparse.penalties import to_image, to_planes

# Of the response's symbol, times its maximum. A Radon map answers high frequencies a hundred times less
# than low ones; a floor above that makes all steps there too short.
_FLOOR = 0.02
_N_POWER = 60
_MARGIN = 1.03

_METRICS: dict[int, dict[tuple[int, torch.dtype], tuple[Tensor, float]]] = {}


def circulant_metric(forward: ForwardMap, planes: Tensor) -> tuple[Tensor, float]:
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
        back = forward.adjoint(forward(to_image(planes)))
        return to_planes(back, "real" if n_planes == 1 else "ri")

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
