"""Pixel grids: where a small array lies inside a larger one. No torch here."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shaketable.errors import InputError

Array = NDArray[Any]


def centred_window(
    size: tuple[int, int], shape: tuple[int, int], centre: tuple[int, int] | None = None
) -> tuple[slice, slice]:
    """Rows and columns that a box of ``size`` covers in a grid of ``shape``.

    The box starts at ``centre - size // 2``, so that a box of odd size has ``centre`` as its middle
    pixel and one of even size has it just after the middle.

    Parameters
    ----------
    size
        ``(h, w)`` of the box, in pixels.
    shape
        ``(H, W)`` of the grid, in pixels.
    centre
        ``(row, column)`` in the grid; None: the middle, ``H // 2, W // 2``.

    Raises
    ------
    InputError
        If the box does not lie inside the grid.

    Examples
    --------
    >>> centred_window((3, 2), (8, 8))
    (slice(3, 6, None), slice(3, 5, None))
    """
    middle = (shape[0] // 2, shape[1] // 2) if centre is None else centre
    top, left = middle[0] - size[0] // 2, middle[1] - size[1] // 2
    bottom, right = top + size[0], left + size[1]
    if top < 0 or left < 0 or bottom > shape[0] or right > shape[1]:
        raise InputError(
            f"Expected a box inside the {shape[0]} x {shape[1]} grid, got one of "
            f"{size[0]} x {size[1]} pixels centred at {middle[0]}, {middle[1]}; "
            "make it smaller or move it."
        )
    return slice(top, bottom), slice(left, right)


def embed(
    array: Array,
    shape: tuple[int, int],
    *,
    centre: tuple[int, int] | None = None,
    fill: float = 0.0,
) -> Array:
    """Put a small array into a larger one, at its middle or around a given pixel.

    Parameters
    ----------
    array
        ``(h, w)``, any dtype.
    shape
        ``(H, W)`` of the result, in pixels.
    centre
        ``(row, column)``, as in :func:`centred_window`; None: the middle.
    fill
        The value around the array.

    Raises
    ------
    InputError
        If the array does not fit.

    Examples
    --------
    >>> embed(np.ones((1, 2), dtype=int), (3, 4))
    array([[0, 0, 0, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])
    """
    rows, columns = centred_window((array.shape[0], array.shape[1]), shape, centre)
    result = np.full(shape, fill, dtype=array.dtype)
    result[rows, columns] = array
    return result
