"""NIfTI volumes, cut along anatomical axes whatever the order of storage."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from shaketable.errors import InputError
from shaketable.io.reader import ReadSettings
from shaketable.io.stack import Array, Stack, needed_module, one_file

AXIAL = 2


def read_nifti(path: Path, settings: ReadSettings) -> Stack:
    """Read a ``.nii`` or ``.nii.gz`` volume with nibabel.

    The header's affine says which stored axis runs to the right (0), to the front (1) and up (2).
    Slices are numbered from left to right, back to front, or bottom to top, and shown as
    radiologists do: front or top of the body at the top of the image, and the right of the body (in
    sagittal slices the front) at the left.

    Parameters
    ----------
    path
        The file.
    settings
        Its axis: 0 = sagittal, 1 = coronal, 2 = axial; None: axial.

    Raises
    ------
    InputError
        If the file is damaged, its header has no usable orientation, it is not a volume, or a key is
        given.
    MissingDependencyError
        If nibabel is not installed.
    """
    settings.refuse_key(path)
    nibabel = needed_module("nibabel", "nibabel", f"'{path}'")
    try:
        image = nibabel.load(path)
        orientation = nibabel.orientations.io_orientation(image.affine)
    except _damages(nibabel) as error:
        raise InputError(_unreadable(path)) from error
    shape = tuple(int(side) for side in image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3:
        raise InputError(
            f"Expected a volume of three dimensions in '{path}', got shape {tuple(image.shape)}; "
            "save one volume of a series, or a single slice as a volume of depth one."
        )
    if np.isnan(orientation).any():
        raise InputError(
            f"Expected an affine with three directions in the header of '{path}', got a singular "
            "one; repair the header or save the volume as .npy."
        )
    wanted = AXIAL if settings.axis is None else settings.axis
    cut = _cutter(_volume_of(image, shape, path), orientation, wanted)
    n_slices = shape[_stored_axis(orientation, wanted)]
    return one_file(path, settings.stem, n_slices, cut, axis=wanted)


def _damages(nibabel: ModuleType) -> tuple[type[Exception], ...]:
    return (
        nibabel.filebasedimages.ImageFileError,
        nibabel.spatialimages.HeaderDataError,
        OSError,
        EOFError,
        ValueError,
    )


def _volume_of(image: Any, shape: tuple[int, ...], path: Path) -> Callable[[], Array]:
    @cache
    def volume() -> Array:
        # Read as a whole and once: a compressed file cannot be read from the middle.
        try:
            values: Array = np.asanyarray(image.dataobj).reshape(shape)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise InputError(_unreadable(path)) from error
        return values

    return volume


def _cutter(volume: Callable[[], Array], orientation: Array, axis: int) -> Callable[[int], Array]:
    """Slice number -> image, rows and columns in the radiological order."""
    row_axis = 1 if axis == AXIAL else 2
    column_axis = 1 if axis == 0 else 0

    def cut(number: int) -> Array:
        stored = [_stored_axis(orientation, a) for a in (axis, row_axis, column_axis)]
        oriented = np.transpose(volume(), stored)
        for position, stored_axis in enumerate(stored):
            if orientation[stored_axis, 1] < 0:
                oriented = np.flip(oriented, position)
        # Rows and columns run against the anatomical axes: top = up or front, left = right or front.
        return np.asarray(oriented[number, ::-1, ::-1])

    return cut


def _stored_axis(orientation: Array, axis: int) -> int:
    return int(np.flatnonzero(orientation[:, 0] == axis)[0])


def _unreadable(path: Path) -> str:
    return (
        f"Expected a NIfTI volume in '{path}', got a file that is damaged or of another kind; "
        "check that it opens in an image viewer."
    )
