"""From the ``coils`` of a multi-coil map to coil maps."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.maps import birdcage_coils, espirit_coils, from_centred
from shaketable.plan import schema_maps as specs
from shaketable.plan.arrays import read_array


def build_coils(
    spec: specs.BirdcageCoils | specs.CoilFile | specs.EspiritCoils, shape: tuple[int, int]
) -> Tensor:
    """Make, read or estimate coil maps ``(C, H, W)`` for images of a shape ``(H, W)``.

    Raises
    ------
    InputError
        If the file is wrong or not for images of that shape, or the coils cannot be made.
    MissingDependencyError
        If they are to be estimated and neither sigpy nor bart is installed.
    """
    if isinstance(spec, specs.BirdcageCoils):
        return birdcage_coils(spec.n_coils, shape, radius=spec.radius)
    if isinstance(spec, specs.CoilFile):
        return _array(spec.file, spec.key, "coil maps", shape)
    kspace = _array(spec.file, spec.key, "data of several coils", shape)
    return espirit_coils(
        from_centred(kspace) if spec.centred else kspace,
        calibration=spec.calibration, kernel_width=spec.kernel_width, threshold=spec.threshold,
        crop=spec.crop, library=spec.library,
    )  # fmt: skip


def _array(file: str, key: str | None, what: str, shape: tuple[int, int]) -> Tensor:
    array = read_array(Path(file), key, what)
    if array.ndim != 3 or array.shape[1:] != shape:
        raise InputError(
            f"Expected {what} of shape (C, {shape[0]}, {shape[1]}), as the images, got "
            f"{array.shape}; make them for these images, or resize the images with images.shape."
        )
    return torch.from_numpy(array)
