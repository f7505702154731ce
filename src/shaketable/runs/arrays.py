"""Named arrays in HDF5 files, written whole or not at all."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from shaketable.errors import RunError
from shaketable.files import whole_file

Arrays = Mapping[str, np.ndarray[Any, Any]]


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write named arrays as HDF5, whole or not at all."""
    import h5py

    with whole_file(path) as part, h5py.File(part, "w") as file:
        for name, values in sorted(arrays.items()):
            if values.dtype.kind == "U":
                file.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
            else:
                file.create_dataset(name, data=values, compression="gzip")


def read_arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Read every array of a file, by its full name.

    Raises
    ------
    RunError
        If it cannot be read.
    """
    import h5py

    found: dict[str, np.ndarray[Any, Any]] = {}

    def collect(name: str, value: object) -> None:
        if isinstance(value, h5py.Dataset):
            is_text = h5py.check_string_dtype(value.dtype) is not None
            found[name] = np.asarray(value.asstr()[()] if is_text else value[()])

    try:
        with h5py.File(path, "r", locking=False) as file:
            file.visititems(collect)
    except (OSError, KeyError, ValueError) as error:
        raise RunError(
            f"Expected readable arrays in {path}, got {type(error).__name__}; remove the file and run "
            "the plan again with the same directory."
        ) from error
    return found


def is_readable(path: Path) -> bool:
    """Whether a file of arrays is there and can be opened.

    Raises
    ------
    OSError
        If that cannot be found out.
    """
    import h5py

    if not path.exists():
        return False
    try:
        with h5py.File(path, "r", locking=False):  # somebody may be looking at it
            return True
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EMFILE, errno.ENFILE):
            raise  # that says nothing about the file
        return False
