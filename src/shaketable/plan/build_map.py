"""From the ``map`` of a plan to a forward map."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.maps import (
    FourierMap,
    MatrixMap,
    MultiCoilFourierMap,
    RadonMap,
    SamplingSequence,
    ViewSequence,
    sampling,
)
from shaketable.plan import schema_maps as specs
from shaketable.plan.arrays import read_array
from shaketable.plan.build_coils import build_coils
from shaketable.plan.locate import PlanFile
from shaketable.plan.objects import call_with, find_object
from shaketable.protocols import ForwardMap

if TYPE_CHECKING:
    from shaketable.zoo import ZooNetwork


@dataclass(frozen=True, kw_only=True)
class BuiltMap:
    """A forward map, and the nested pattern it belongs to where there is one."""

    forward: ForwardMap
    sequence: SamplingSequence | ViewSequence | None = None
    rate: float | None = None


def build_map(
    plan: PlanFile,
    spec: specs.MapSpec,
    shape: tuple[int, int],
    network: ZooNetwork | None,
) -> BuiltMap:
    """Make the forward map for images of a shape ``(H, W)``.

    Raises
    ------
    PlanError
        If a file or object is wrong, or the map is not for images of that shape.
    """
    if isinstance(spec, specs.FourierMapSpec | specs.MultiCoilFourierMapSpec):
        return _fourier(plan, spec, shape)
    if isinstance(spec, specs.RadonMapSpec):
        return _radon(plan, spec, shape)
    if isinstance(spec, specs.MatrixMapSpec):
        with plan.at("map", "file"):
            built = BuiltMap(forward=_matrix(spec, shape))
    elif isinstance(spec, specs.ObjectMap):
        with plan.at("map", "object"):
            built = BuiltMap(forward=_object(spec))
    elif network is not None:
        built = BuiltMap(
            forward=network.forward, sequence=network.sampling, rate=network.trained_rate
        )
    else:
        raise plan.error(("map",), "Expected a network of the zoo for its map, got another one.")
    if tuple(built.forward.image_shape) != shape:
        raise plan.error(
            ("map",),
            f"Expected a map for images of shape {shape}, got one for "
            f"{tuple(built.forward.image_shape)}; resize the images with images.shape, or change "
            "the map.",
        )
    return built


def _fourier(
    plan: PlanFile,
    spec: specs.FourierMapSpec | specs.MultiCoilFourierMapSpec,
    shape: tuple[int, int],
) -> BuiltMap:
    sequence = None
    if spec.sampling is not None:
        with plan.at("map", "sampling"):
            sequence = build_sequence(spec.sampling, shape)
            mask = sequence.mask(spec.sampling.rate)
    else:
        with plan.at("map", "mask"):
            # An empty or weighted mask is a mistake of this field, whatever the map.
            mask = FourierMap(_mask_from_file(spec, shape)).mask
    rate = None if spec.sampling is None else spec.sampling.rate
    if isinstance(spec, specs.FourierMapSpec):
        return BuiltMap(forward=FourierMap(mask), sequence=sequence, rate=rate)
    with plan.at("map", "coils"):
        forward = MultiCoilFourierMap(mask, build_coils(spec.coils, shape))
    return BuiltMap(forward=forward, sequence=sequence, rate=rate)


def _mask_from_file(
    spec: specs.FourierMapSpec | specs.MultiCoilFourierMapSpec, shape: tuple[int, int]
) -> Tensor:
    array = read_array(Path(str(spec.mask)), spec.key, "a mask")
    if array.shape != shape:
        raise InputError(
            f"Expected a mask of the images' shape {shape}, got {array.shape}; "
            "make the mask for these images, or resize them with images.shape."
        )
    if spec.centred:
        array = np.fft.ifftshift(array)
    return torch.from_numpy(np.ascontiguousarray(array))


def _radon(plan: PlanFile, spec: specs.RadonMapSpec, shape: tuple[int, int]) -> BuiltMap:
    if spec.sampling is None:
        with plan.at("map", "angles"):
            angles = read_array(Path(str(spec.angles)), spec.key, "angles in radians")
            return BuiltMap(forward=RadonMap(angles, shape, n_detectors=spec.n_detectors))
    with plan.at("map", "sampling"):
        views, n_total = spec.sampling, spec.sampling.n_total
        if views.even is None:
            sequence = sampling.equispaced_views(n_total)
        else:
            sequence = sampling.equispaced_views(n_total, even=tuple(views.even))
        rate = views.n_views / n_total
        forward = RadonMap(sequence.angles(rate), shape, n_detectors=spec.n_detectors)
    return BuiltMap(forward=forward, sequence=sequence, rate=rate)


def build_sequence(spec: specs.SamplingPattern, shape: tuple[int, int]) -> SamplingSequence:
    """Make the nested sampling pattern of a plan for a grid ``(H, W)``."""
    if isinstance(spec, specs.CartesianVariableDensity):
        return sampling.cartesian_variable_density(
            shape, seed=spec.seed, n_center=spec.n_center, lines=spec.lines,
            acceleration=1 / spec.rate if spec.acceleration is None else spec.acceleration,
        )  # fmt: skip
    if isinstance(spec, specs.GaussianColumns):
        return sampling.gaussian_columns(
            shape, seed=spec.seed, width=spec.width, n_center=spec.n_center, lines=spec.lines
        )
    if isinstance(spec, specs.EquispacedLines):
        return sampling.equispaced_lines(
            shape, rate=spec.rate, n_center=spec.n_center, lines=spec.lines
        )
    if isinstance(spec, specs.PoissonDisc):
        return sampling.poisson_disc(
            shape, seed=spec.seed, slope=spec.slope, n_center=spec.n_center
        )
    return sampling.radial_lines(shape, first_angle=spec.first_angle)


def _matrix(spec: specs.MatrixMapSpec, shape: tuple[int, int]) -> MatrixMap:
    matrix = torch.from_numpy(read_array(Path(spec.file), spec.key, "a matrix"))
    if not (matrix.is_floating_point() or matrix.is_complex()):
        matrix = matrix.to(torch.float32)
    if matrix.ndim == 2 and spec.image_shape is None and matrix.shape[1] != prod(shape):
        raise InputError(
            f"Expected a matrix with {prod(shape)} columns, one per pixel of images of shape "
            f"{shape}, got {matrix.shape[1]}; make the matrix for these images, or resize them "
            "with images.shape."
        )
    return MatrixMap(
        matrix,
        image_shape=shape if spec.image_shape is None else tuple(spec.image_shape),
        data_shape=None if spec.data_shape is None else tuple(spec.data_shape),
    )


def _object(spec: specs.ObjectMap) -> ForwardMap:
    found: Any = find_object(spec.object, Path(str(spec.folder)))
    if isinstance(found, type) or not isinstance(found, ForwardMap):
        if not callable(found):
            raise InputError(
                f"Expected a forward map, or a function that makes one, from '{spec.object}', got "
                f"{type(found).__name__}; name another object."
            )
        found = call_with(found, spec.object, spec.arguments)
    if not isinstance(found, ForwardMap):
        lacking = [
            name
            for name in ("image_shape", "data_shape", "sampled", "__call__", "adjoint")
            if not hasattr(found, name)
        ]
        raise InputError(
            f"Expected a forward map from '{spec.object}', got {type(found).__name__} without "
            f"{', '.join(lacking)}; return an object that has them."
        )
    return found
