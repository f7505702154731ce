"""Files are written whole or not at all; files and arrays are told apart by their hash."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

PART = ".part"
"""How the names of files end that are being written; what a kill leaves of them means nothing."""


def opened_for_appending(path: Path) -> BinaryIO:
    """A file that is read and appended to; a link in its place is refused, not followed.

    Raises
    ------
    OSError
        If it is a link, or cannot be opened.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o666), "ab+")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary neighbour of a path, which takes its place when the block ends without an error.

    Readers see the old content or the new one, never a part, whenever the program is killed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder) / "note.txt"
    ...     with whole_file(target) as part:
    ...         _ = part.write_text("all of it")
    ...     target.read_text()
    'all of it'
    """
    # A name that nobody can have laid a link under: a folder may be another person's.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}{PART}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def array_sha256(array: NDArray[Any]) -> str:
    """Hash an array's values, shape and dtype; the same on every machine.

    Examples
    --------
    >>> array_sha256(np.zeros((2, 2)))[:8] == array_sha256(np.zeros((4, 1)))[:8]
    False
    """
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    header = f"{array.dtype.kind}{array.dtype.itemsize}:{','.join(map(str, array.shape))}:"
    return hashlib.sha256(header.encode() + little.tobytes()).hexdigest()


def file_sha256(path: Path) -> str:
    """Hash the bytes of a file, a part at a time: it may be larger than memory.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "empty"
    ...     file.touch()
    ...     file_sha256(file)[:8]
    'e3b0c442'
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
