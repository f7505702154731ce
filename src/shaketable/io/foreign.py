"""Readers of other packages: whatever is wrong with one is said in a sentence that names it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import NoReturn

import numpy as np

from shaketable.errors import InputError, ShaketableError
from shaketable.io.reader import Reader, ReadSettings
from shaketable.io.stack import Array, Stack


def read_foreign(entry: EntryPoint, path: Path, settings: ReadSettings) -> Stack:
    """Read a file with the reader of another package.

    Its own errors of :mod:`shaketable.errors` pass; they are about the file.

    Raises
    ------
    InputError
        If the reader cannot be loaded, raises anything else, or returns something else than a
        stack of two-dimensional slices of files that exist.
    """
    reader = _loaded(entry, path)
    with _blaming(entry, path):
        stack = reader(path, settings)
    _check_stack(stack, entry, path)
    read = stack.read

    def checked(number: int) -> Array:
        with _blaming(entry, path):
            values = read(number)
        if not isinstance(values, np.ndarray) or values.ndim != 2:
            shape = f" of shape {values.shape}" if isinstance(values, np.ndarray) else ""
            _refuse(entry, path, "slices (H, W) as arrays", _kind(values) + shape)
        return values

    return replace(stack, read=checked)


def package_of(entry: EntryPoint) -> str:
    """The name of the package that an entry point belongs to, as people install it."""
    return entry.dist.name if entry.dist is not None else entry.value.partition(":")[0]


def _loaded(entry: EntryPoint, path: Path) -> Reader:
    package = package_of(entry)
    try:
        reader: Reader = entry.load()
    # Importing a package runs all of its code, and may raise anything.
    except Exception as error:
        raise InputError(
            f"Expected the reader of .{entry.name} files of {package} for '{path}', got one that "
            f"cannot be loaded ({_in_short(error)}); install {package} again or uninstall it."
        ) from error
    if not callable(reader):
        _refuse(entry, path, "a function as the reader", _kind(reader))
    return reader


@contextmanager
def _blaming(entry: EntryPoint, path: Path) -> Iterator[None]:
    package = package_of(entry)
    try:
        yield
    except ShaketableError:
        raise
    # It is not our code: whatever it raises means that there is no image.
    except Exception as error:
        raise InputError(
            f"Expected images in '{path}' from the .{entry.name} reader of {package}, got an error in "
            f"it ({_in_short(error)}); check the file, and report it to {package} if that is whole."
        ) from error


def _check_stack(stack: object, entry: EntryPoint, path: Path) -> None:
    if not isinstance(stack, Stack):
        _refuse(entry, path, "a shaketable.io.Stack", _kind(stack))
    for each in stack.slices:
        # Results are filed under the id.
        if not re.fullmatch(r"[A-Za-z0-9._-]+", each.id):
            _refuse(entry, path, "ids of letters, digits and ._-", repr(each.id))
        if not each.file.is_file():
            _refuse(entry, path, "slices of files that exist", f"'{each.file}'")


def _refuse(entry: EntryPoint, path: Path, expected: str, got: str) -> NoReturn:
    package = package_of(entry)
    raise InputError(
        f"Expected {expected} from the .{entry.name} reader of {package} for '{path}', got {got}; "
        f"report it to {package}, or convert the file, for example to .npy."
    )


def _in_short(error: Exception) -> str:
    return f"{_kind(error)}: {' '.join(str(error).split())[:120]}"


def _kind(value: object) -> str:
    return type(value).__name__
