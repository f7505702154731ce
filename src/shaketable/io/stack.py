"""What every reader returns: slices that are read when they are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from numpy.typing import NDArray

from shaketable.errors import MissingDependencyError

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class SlicePosition:
    """Where a slice lies within its file.

    Attributes
    ----------
    index
        Its number, from 0.
    axis
        The axis along which the file was cut: of an array the stored one, of a NIfTI volume the
        anatomical one, of a DICOM file with several frames 0.
    """

    index: int
    axis: int


@dataclass(frozen=True, kw_only=True)
class StackSlice:
    """What is known of a slice before its pixels are read.

    Attributes
    ----------
    id
        Unique within the stack, of letters, digits and ``._-``.
    file
        Where it is stored, as the caller named the file.
    position
        Where in the file; None where the file is this one image.
    subject
        Whose image it is as far as the file says, never in clear; None where it does not.
    """

    id: str
    file: Path
    position: SlicePosition | None = None
    subject: str | None = None

    @property
    def label(self) -> str:
        """As messages and records name it: ``"brain.nii.gz[20]"``."""
        return str(self.file) + ("" if self.position is None else f"[{self.position.index}]")


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Two-dimensional slices of one file or series.

    Attributes
    ----------
    slices
        One entry per slice.
    read
        Slice number -> ``(H, W)`` values, any numeric dtype.
    volume
        True if the slices come from one file, so that constant ones at its ends are usual.
    """

    slices: tuple[StackSlice, ...]
    read: Callable[[int], Array]
    volume: bool

    def __len__(self) -> int:
        return len(self.slices)


def one_file(
    path: Path,
    stem: str,
    n_slices: int | None,
    read: Callable[[int], Array],
    *,
    axis: int = 0,
    subject: str | None = None,
) -> Stack:
    """Make the stack of one file: a single image (``n_slices`` None) or numbered slices.

    Parameters
    ----------
    path
        The file.
    stem
        The id of a single image, and what those of slices begin with.
    n_slices
        How many slices it holds; None: it is one image.
    read
        Slice number (0 for a single image) -> ``(H, W)`` values.
    axis
        The axis along which it is cut.
    subject
        See :class:`StackSlice`.
    """
    if n_slices is None:
        alone = StackSlice(id=stem, file=path, subject=subject)
        return Stack(slices=(alone,), read=read, volume=False)
    slices = tuple(
        StackSlice(
            id=f"{stem}-{number:03d}", file=path, subject=subject,
            position=SlicePosition(index=number, axis=axis),
        )
        for number in range(n_slices)
    )  # fmt: skip
    return Stack(slices=slices, read=read, volume=True)


def joined(stacks: Sequence[Stack]) -> Stack:
    """Make one stack of single images."""
    return Stack(
        slices=tuple(stack.slices[0] for stack in stacks),
        read=lambda number: stacks[number].read(0),
        volume=False,
    )


def needed_module(name: str, package: str, what: str) -> ModuleType:
    """Import an optional library.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingDependencyError(
            f"Expected {package} to read {what}, got no such library; "
            "run: pip install 'shaketable[medical]'."
        ) from error
