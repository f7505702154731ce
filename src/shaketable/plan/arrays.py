"""Masks and matrices from NumPy files."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shaketable.errors import InputError
from shaketable.plan.suggestion import suggestion


def read_array(path: Path, key: str | None, what: str) -> NDArray[Any]:
    """Read one array of numbers from ``.npy`` or ``.npz``, never pickled.

    Parameters
    ----------
    path
        The file.
    key
        Which array of an ``.npz``; None: its only one.
    what
        ``"a mask"``, for the sentence.

    Raises
    ------
    InputError
        If there is no such file or array, or it holds something else than numbers.
    """
    if not path.is_file():
        siblings = [entry.name for entry in path.parent.glob("*")] if path.parent.is_dir() else []
        advice = suggestion(path.name, siblings, "correct the path.")
        raise InputError(f"Expected {what} in '{path}', got nothing there; {advice}")
    try:
        with path.open("rb") as stream:
            loaded = np.load(stream, allow_pickle=False)
            array = loaded if isinstance(loaded, np.ndarray) else _member(loaded, path, key, what)
    except InputError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"Expected {what} in '{path}', got a file that is damaged, of another kind, or holds "
            "pickled objects; save it with numpy.save."
        ) from error
    if array.dtype.kind not in "buifc":
        raise InputError(
            f"Expected numbers in '{path}', got values of type {array.dtype}; convert them."
        )
    # Tensors know neither foreign byte orders nor unsigned types wider than a byte.
    return array.astype(np.int64) if array.dtype.kind == "u" else array.astype(array.dtype.type)


def _member(archive: Any, path: Path, key: str | None, what: str) -> NDArray[Any]:
    names = list(archive.files)
    if key is None and len(names) == 1:
        key = names[0]
    if key not in names:
        advice = (
            "name one with the field key." if key is None else suggestion(key, names, "name one.")
        )
        got = "no key" if key is None else f"'{key}'"
        raise InputError(
            f"Expected the key of {what} in '{path}' ({', '.join(names) or 'it is empty'}), got "
            f"{got}; {advice}"
        )
    array: NDArray[Any] = archive[key]
    return array
