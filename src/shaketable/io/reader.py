"""What a reader of a file format is: one function from a path to a stack of slices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shaketable.errors import InputError
from shaketable.io.stack import Stack


@dataclass(frozen=True, kw_only=True)
class ReadSettings:
    """How a file is to be read.

    Attributes
    ----------
    stem
        What the ids of its images begin with; safe in file names.
    axis
        The axis along which it is cut; None: the usual one of its format.
    key
        The name of an array in a file that holds several; None: its only one.
    """

    stem: str
    axis: int | None = None
    key: str | None = None

    def refuse_key(self, path: Path) -> None:
        """Say that files of this format hold one array.

        Raises
        ------
        InputError
            If a key is given.
        """
        if self.key is not None:
            raise InputError(
                f"Expected no key for '{path}', got '{self.key}'; only files of several arrays, as "
                ".npz, have keys."
            )

    def refuse_axis(self, path: Path) -> None:
        """Say that files of this format are not cut.

        Raises
        ------
        InputError
            If an axis is given.
        """
        if self.axis is not None:
            raise InputError(
                f"Expected no axis for '{path}', got {self.axis}; only arrays and volumes, as .npy "
                "and NIfTI, are cut along an axis."
            )


class Reader(Protocol):
    """A function that reads one file format; an entry point of the group ``shaketable.readers``.

    It scales, resizes and chooses nothing, and reads pixels when the stack is asked for them. It
    raises an error of :mod:`shaketable.errors` where the file or a setting is wrong.
    """

    def __call__(self, path: Path, settings: ReadSettings, /) -> Stack:
        """Read the file."""
        ...
