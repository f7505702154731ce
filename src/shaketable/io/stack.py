"""What every reader returns: slices that are read when they are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shaketable.errors import InputError, MissingDependencyError

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Two-dimensional slices of one file or series.

    Attributes
    ----------
    labels
        One per slice, as messages and records name it: ``"brain.nii.gz[20]"``.
    ids
        One per slice, unique within the stack.
    read
        Slice number -> ``(H, W)`` values, any numeric dtype.
    volume
        True if the slices come from one file, so that constant ones at its ends are usual.
    """

    labels: tuple[str, ...]
    ids: tuple[str, ...]
    read: Callable[[int], Array]
    volume: bool

    def __len__(self) -> int:
        return len(self.labels)


def one_file(label: str, stem: str, n_slices: int | None, read: Callable[[int], Array]) -> Stack:
    """Make the stack of one file: a single image (``n_slices`` None) or numbered slices."""
    if n_slices is None:
        return Stack(labels=(label,), ids=(stem,), read=read, volume=False)
    return Stack(
        labels=tuple(f"{label}[{number}]" for number in range(n_slices)),
        ids=tuple(f"{stem}-{number:03d}" for number in range(n_slices)),
        read=read,
        volume=True,
    )


def joined(stacks: Sequence[Stack]) -> Stack:
    """Make one stack of single images."""
    return Stack(
        labels=tuple(stack.labels[0] for stack in stacks),
        ids=tuple(stack.ids[0] for stack in stacks),
        read=lambda number: stacks[number].read(0),
        volume=False,
    )


def as_floating(values: Array, label: str) -> Array:
    """Make any numeric values floating point: float32 where that is exact, else float64.

    Floating-point and complex values keep their precision, single or double.

    Raises
    ------
    InputError
        If the values are not numbers.
    """
    if values.dtype.kind not in "buifc":
        raise InputError(
            f"Expected numbers in '{label}', got values of type {values.dtype}; "
            "save one real or complex number per pixel."
        )
    if values.dtype.kind == "c":
        return values.astype(np.complex64 if values.dtype.itemsize <= 8 else np.complex128)
    exact_in_single = values.dtype.itemsize <= (4 if values.dtype.kind == "f" else 2)
    return values.astype(np.float32 if exact_in_single else np.float64)


def is_constant(values: Array) -> bool:
    """Tell whether there is nothing to see: one value everywhere."""
    return bool((values == values.flat[0]).all())


def check_image(values: Array, label: str) -> None:
    """Check that slices make an image that can be tested.

    Raises
    ------
    InputError
        If it is empty, holds NaN or infinity, or is constant.
    """
    if values.size == 0:
        raise InputError(f"Expected an image in '{label}', got an empty one; check the file.")
    n_bad = int(values.size - np.isfinite(values).sum())
    if n_bad:
        raise InputError(
            f"Expected finite values in '{label}', got {n_bad} that are NaN or infinite; "
            "replace them or leave the image out."
        )
    if is_constant(values):
        raise InputError(
            f"Expected an image with something to see in '{label}', got the value "
            f"{values.flat[0]:.4g} everywhere; choose other slices."
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
