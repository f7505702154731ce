"""Lists of arrays in TensorLayer's ``.npz`` files, read without executing anything in them."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shaketable.errors import WeightsError

Array = npt.NDArray[Any]

_MEMBER = "params.npy"
_KIND = "a list of arrays as TensorLayer's save_npz writes it"
# dtype codes that hold numbers; "O" would hold objects.
_NUMBERS = ("f2", "f4", "f8")


def read_arrays(path: Path) -> list[Array]:
    """Read the arrays of a ``.npz`` file in their order.

    ``save_npz`` stores one array of objects called ``params``, which NumPy writes as a pickle; reading
    that as usual executes what the file says. Here a pickle is interpreted by a reader that knows
    four names only, those that NumPy writes for an array of numbers, and none of them runs code of
    NumPy: they collect shape, type and bytes. Any other name in the file is refused.

    Parameters
    ----------
    path
        The ``.npz`` file.

    Returns
    -------
    list
        Floating-point arrays.

    Raises
    ------
    WeightsError
        If the file is no such archive, or holds anything else than arrays of numbers.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            contents = archive.read(_MEMBER)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"Expected {_KIND} in '{path}', got a file without '{_MEMBER}' or a damaged one; "
            "fetch it again."
        ) from error
    try:
        stored = _stored(contents)
        return [_array(item) for item in stored]
    # A damaged pickle answers with almost any kind of error.
    except Exception as error:
        raise WeightsError(
            f"Expected {_KIND} in '{path}', got other objects ({error}); they are not read, because "
            "that could execute code."
        ) from error


def _stored(contents: bytes) -> list[Any]:
    """The items of the array of objects, none of them made into an array yet."""
    stream = io.BytesIO(contents)
    version = np.lib.format.read_magic(stream)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    shape, _, dtype = readers[version](stream)
    if dtype != np.dtype(object):
        # Arrays of one shape make an array of numbers, which needs no pickle.
        return list(np.load(io.BytesIO(contents), allow_pickle=False))
    outer = _Reader(stream).load()
    if not isinstance(outer, _Stored) or not isinstance(outer.values, list) or len(shape) != 1:
        raise ValueError("no list")
    return outer.values


class _Dtype:
    """What a pickle says of the type of an array."""

    def __init__(self, code: str, *_: object) -> None:
        self.code = code
        self.order = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = str(state[1])


class _Stored:
    """What a pickle says of an array."""

    values: Any = None
    shape: tuple[int, ...] = ()
    dtype: _Dtype | None = None
    fortran: bool = False

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, self.dtype, self.fortran, self.values = state


def _reconstruct(*_: object) -> _Stored:
    return _Stored()


def _encode(text: str, encoding: str) -> bytes:
    """Bytes as Python 2 and protocol 2 write them: as text in Latin-1."""
    if encoding != "latin1":
        raise ValueError(f"text in {encoding}")
    return text.encode("latin1")


class _Reader(pickle.Unpickler):
    """Knows what NumPy writes for arrays, and nothing else."""

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        known: dict[tuple[str, str], Callable[..., Any]] = {
            ("numpy", "ndarray"): _Stored,
            ("numpy", "dtype"): _Dtype,
            ("_codecs", "encode"): _encode,
        }
        if module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            known[module, "_reconstruct"] = _reconstruct
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return known[module, name]


def _array(item: Any) -> Array:
    if isinstance(item, _Stored):
        if item.dtype is None or item.dtype.code not in _NUMBERS:
            raise ValueError("an array that does not hold floating-point numbers")
        order = "<" if item.dtype.order in ("<", "=", "|") else ">"
        flat = np.frombuffer(bytes(item.values), dtype=f"{order}{item.dtype.code}")
        return flat.reshape(item.shape, order="F" if item.fortran else "C")
    array = np.asarray(item)
    if array.dtype.kind != "f":
        raise ValueError(f"an item of type {type(item).__name__}")
    return array
