"""Files that verbs write: whole or not at all, and never over something that is there."""

from __future__ import annotations

from pathlib import Path

from shaketable.errors import InputError
from shaketable.files import whole_file


def write_new(path: Path, text: str) -> None:
    """Write a new text file.

    Raises
    ------
    InputError
        If there is something at the path already, or it cannot be written.
    """
    require_new(path)
    try:
        with whole_file(path) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"Expected to write '{path}', got: {error.strerror}; choose another place."
        ) from error


def require_new(path: Path) -> None:
    """Refuse a path where there is something, or whose folder is missing.

    Raises
    ------
    InputError
        In both cases.
    """
    if path.exists():
        raise InputError(
            f"Expected a name that is free, got '{path}', which exists; choose another or move it."
        )
    if not path.parent.is_dir():
        raise InputError(
            f"Expected a folder '{path.parent}' to write into, got none; make it first."
        )


def require_folder(path: Path) -> None:
    """Refuse a path that is no folder and can become none.

    Raises
    ------
    InputError
        If there is a file at the path, or above it.
    """
    there = next((each for each in (path, *path.parents) if each.exists()), path)
    if not there.is_dir():
        raise InputError(f"Expected a folder, got the file '{there}'; choose another name.")
