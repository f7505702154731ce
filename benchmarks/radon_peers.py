"""The Radon transform of other libraries, each behind one interface.

A peer maps a batch ``(B, N, N)`` float32 to data and back; what one batch element costs a library
that knows no batches is paid in a loop. Libraries that are not installed are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from math import ceil, hypot

import numpy as np
import torch
from torch import Tensor

from shaketable.maps import RadonMap
from shaketable.maps.projection import Geometry, line_weights

Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A projector and what the library calls its adjoint."""

    name: str
    forward: Function
    adjoint: Function


def peers(angles: np.ndarray, n_pixels: int) -> Iterator[Peer]:
    """Ours first, then every library that is installed."""
    A = RadonMap(angles, (n_pixels, n_pixels))
    yield Peer(name="Shaketable: RadonMap", forward=A, adjoint=A.adjoint)
    for library, make in (
        ("scipy", _scipy), ("astra", _astra), ("odl", _odl), ("pylops", _pylops),
        ("skimage", _skimage), ("deepinv", _deepinv),
    ):  # fmt: skip
        if find_spec(library) is not None:
            yield from make(angles, n_pixels)


def n_detectors(n_pixels: int) -> int:
    return ceil(hypot(n_pixels, n_pixels)) | 1


def _one_by_one(function: Callable[[np.ndarray], np.ndarray]) -> Function:
    def mapped(batch: Tensor) -> Tensor:
        results = [np.asarray(function(x), dtype=np.float32) for x in batch.numpy()]
        return torch.from_numpy(np.stack(results))

    return mapped


def _scipy(angles: np.ndarray, n_pixels: int) -> Iterator[Peer]:
    geometry = Geometry(
        angles=tuple(angles), image_shape=(n_pixels, n_pixels), n_detectors=n_detectors(n_pixels)
    )
    matrix = line_weights(geometry, np.float32)
    transpose = matrix.T.tocsr()
    shape = (len(angles), geometry.n_detectors)

    def times(rows, x: Tensor, shape: tuple[int, int]) -> Tensor:
        columns = np.ascontiguousarray(x.flatten(1).numpy().T)
        return torch.from_numpy((rows @ columns).T.reshape(-1, *shape))

    yield Peer(
        name="SciPy, the same matrix",
        forward=lambda x: times(matrix, x, shape),
        adjoint=lambda y: times(transpose, y, (n_pixels, n_pixels)),
    )


def _astra(angles: np.ndarray, n_pixels: int) -> Iterator[Peer]:
    import astra

    volume = astra.create_vol_geom(n_pixels, n_pixels)
    rays = astra.create_proj_geom("parallel", 1.0, n_detectors(n_pixels), angles)
    operator = astra.OpTomo(astra.create_projector("linear", rays, volume))
    yield Peer(
        name="ASTRA, CPU projector 'linear'",
        forward=_one_by_one(operator.FP),
        adjoint=_one_by_one(operator.BP),
    )


def _odl(angles: np.ndarray, n_pixels: int) -> Iterator[Peer]:
    import odl
    from odl.applications import tomo

    half, n = n_pixels / 2, n_detectors(n_pixels)
    space = odl.uniform_discr([-half] * 2, [half] * 2, [n_pixels] * 2, dtype="float32")
    geometry = tomo.Parallel2dGeometry(
        odl.nonuniform_partition(angles), odl.uniform_partition(-n / 2, n / 2, n)
    )
    transform = tomo.RayTransform(space, geometry, impl="astra_cpu")
    adjoint = transform.adjoint
    yield Peer(
        name="odl over ASTRA",
        forward=_one_by_one(lambda x: transform(x).asarray()),
        adjoint=_one_by_one(lambda y: adjoint(y).asarray()),
    )


def _pylops(angles: np.ndarray, n_pixels: int) -> Iterator[Peer]:
    if find_spec("astra") is None:
        return
    from pylops.medical import CT2D

    operator = CT2D(
        (n_pixels, n_pixels), 1.0, n_detectors(n_pixels), angles, engine="cpu",
        projector_type="strip",
    )  # fmt: skip
    yield Peer(
        name="pylops CT2D ('strip')",
        forward=_one_by_one(lambda x: operator @ x),
        adjoint=_one_by_one(lambda y: operator.H @ y),
    )


def _skimage(angles: np.ndarray, n_pixels: int) -> Iterator[Peer]:
    from skimage.transform import iradon, radon

    theta = np.degrees(angles)
    scale = 2 * len(theta) / np.pi

    def back(data: np.ndarray) -> np.ndarray:
        return scale * iradon(
            data, theta=theta, filter_name=None, output_size=n_pixels, circle=False
        )

    yield Peer(
        name="scikit-image radon, iradon",
        forward=_one_by_one(lambda x: radon(x, theta=theta, circle=False)),
        adjoint=_one_by_one(back),
    )


def _deepinv(angles: np.ndarray, n_pixels: int) -> Iterator[Peer]:
    from deepinv.physics import Tomography

    degrees = torch.from_numpy(np.degrees(angles)).float()
    for exact in (True, False):
        physics = Tomography(
            degrees, n_pixels, circle=False, normalize=False, adjoint_via_backprop=exact
        )
        yield Peer(
            name=f"deepinv, adjoint by {'autograd' if exact else 'iradon'}",
            forward=lambda x, physics=physics: physics.A(x[:, None]),
            adjoint=lambda y, physics=physics: physics.A_adjoint(y)[:, 0],
        )
