"""Values of slices: made floating point, and checked for what cannot be tested."""

from __future__ import annotations

import numpy as np

from shaketable.errors import InputError
from shaketable.io.stack import Array


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
