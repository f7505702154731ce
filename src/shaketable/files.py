"""Files are written whole or not at all; files and arrays are told apart by their hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


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
    temporary = path.with_name(path.name + ".part")
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
