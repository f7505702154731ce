"""NumPy files: one image ``(H, W)`` or a stack ``(N, H, W)``, never pickled objects."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from shaketable.errors import InputError
from shaketable.io.reader import ReadSettings
from shaketable.io.stack import Array, Stack, one_file


def read_npy(path: Path, settings: ReadSettings) -> Stack:
    """Read an ``.npy`` file.

    Raises
    ------
    InputError
        If it is damaged, holds pickled objects, is not of two or three dimensions, or a key is given.
    """
    settings.refuse_key(path)
    return stack_of(_load_npy(path), path, settings)


def read_npz(path: Path, settings: ReadSettings) -> Stack:
    """Read one array of an ``.npz`` file.

    Raises
    ------
    InputError
        As for :func:`read_npy`, and if the key is unknown, or missing where it is needed.
    """
    key = settings.key
    try:
        # Opened here, because NumPy leaves the file of a damaged archive open.
        with path.open("rb") as stream:
            archive = np.load(stream, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise InputError(_unreadable(path, "an .npz archive"))
            if key not in archive.files:
                shapes = {name: archive[name].shape for name in archive.files}
                key = _chosen_key(path, shapes, key)
            array = archive[key]
    except InputError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(_unreadable(path, "an .npz archive")) from error
    return stack_of(array, path, settings)


def stack_of(array: Array, path: Path, settings: ReadSettings) -> Stack:
    """Cut the array of a file into images.

    Raises
    ------
    InputError
        If it has not two or three dimensions.
    """
    axis = settings.axis
    if array.ndim == 2 and axis is None:
        return one_file(path, settings.stem, None, lambda _: array)
    if array.ndim == 3:
        moved = np.moveaxis(array, axis or 0, 0)
        return one_file(
            path, settings.stem, len(moved), lambda n: np.asarray(moved[n]), axis=axis or 0
        )
    axis_hint = "leave axis out for a single image" if array.ndim == 2 else "cut or squeeze it"
    raise InputError(
        f"Expected images (H, W) or (N, H, W) in '{path}', got shape {array.shape}"
        f"{'' if axis is None else f' with axis {axis}'}; {axis_hint}, and store real and "
        "imaginary parts as one complex array."
    )


def _load_npy(path: Path) -> Array:
    try:
        with path.open("rb") as stream:
            loaded = np.load(stream, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(_unreadable(path, "an .npy file")) from error
    if not isinstance(loaded, np.ndarray):
        raise InputError(_unreadable(path, "an .npy file"))
    return loaded


def _chosen_key(path: Path, shapes: Mapping[str, tuple[int, ...]], key: str | None) -> str:
    listing = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "no array"
    if key is not None:
        close = get_close_matches(key, shapes, n=1)
        hint = f"did you mean '{close[0]}'?" if close else "name one of these."
        raise InputError(f"Expected the key '{key}' in '{path}', got {listing}; {hint}")
    candidates = [name for name, shape in shapes.items() if len(shape) in (2, 3)]
    if len(candidates) != 1:
        raise InputError(
            f"Expected one array of two or three dimensions in '{path}', got {listing}; "
            "name the array with key."
        )
    return candidates[0]


def _unreadable(path: Path, kind: str) -> str:
    return (
        f"Expected {kind} of plain numbers in '{path}', got a file that is damaged, of another "
        "kind, or holds pickled objects; save it again with numpy.save or numpy.savez."
    )
