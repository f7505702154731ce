"""The four suits as analytic shapes, drawn with anti-aliasing.

Every shape is a set of points ``(u, v)`` in the square ``[-1, 1]²``, ``v`` upwards. A pixel holds
the share of its area inside the shape, estimated on a fine grid.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Shape = Callable[[Array, Array], NDArray[np.bool_]]

SUPERSAMPLING = 16


def block_mean(fine: NDArray[Any], factor: int = SUPERSAMPLING) -> Array:
    """Mean over blocks of ``factor x factor``: ``(h f, w f) -> (h, w)``."""
    height, width = fine.shape[0] // factor, fine.shape[1] // factor
    blocks = fine.reshape(height, factor, width, factor)
    result: Array = blocks.mean(axis=(1, 3), dtype=np.float64)
    return result


def unit_grid(n_points: int) -> tuple[Array, Array]:
    """Coordinates ``u`` (to the right) and ``v`` (upwards) of ``n_points²`` cell centres."""
    line = (2 * np.arange(n_points) + 1) / n_points - 1
    u, v = np.meshgrid(line, -line)
    return u, v


def _rasterise(shape: Shape, size: int) -> Array:
    return block_mean(shape(*unit_grid(size * SUPERSAMPLING)))


def _inside_heart(u: Array, v: Array) -> NDArray[np.bool_]:
    # The sextic (x² + y² - 1)³ = x² y³ spans 1.14 to either side, 1.24 up and 1 down.
    x, y = 1.14 * u, 0.12 + 1.12 * v
    circle = x**2 + y**2 - 1
    return circle**3 <= x**2 * y**3


def _inside_stem(u: Array, v: Array, top: float) -> NDArray[np.bool_]:
    depth = np.clip((top - v) / (top + 1), 0, 1)
    return (v <= top) & (np.abs(u) <= 0.07 + 0.33 * depth**3)


def _inside_spade(u: Array, v: Array) -> NDArray[np.bool_]:
    # An upside-down heart in the upper 80 % of the box, on a stem.
    return _inside_heart(u, (0.2 - v) / 0.8) | _inside_stem(u, v, 0.0)


def _inside_diamond(u: Array, v: Array) -> NDArray[np.bool_]:
    # The exponent below one bends the sides slightly inwards, as on playing cards.
    return (np.abs(u) / 0.84) ** 0.88 + np.abs(v) ** 0.88 <= 1


def _inside_club(u: Array, v: Array) -> NDArray[np.bool_]:
    leaves = [(0.0, 0.55, 0.45), (-0.53, -0.16, 0.45), (0.53, -0.16, 0.45), (0.0, 0.05, 0.22)]
    result = _inside_stem(u, v, 0.1)
    for centre_u, centre_v, radius in leaves:
        result |= (u - centre_u) ** 2 + (v - centre_v) ** 2 <= radius**2
    return result


def spade(size: int) -> Array:
    """Draw ♠ in a box of ``size x size`` pixels: ``(size, size)`` in [0, 1].

    Examples
    --------
    >>> spade(16).shape
    (16, 16)
    """
    return _rasterise(_inside_spade, size)


def heart(size: int) -> Array:
    """Draw ♥ in a box of ``size x size`` pixels: ``(size, size)`` in [0, 1]."""
    return _rasterise(_inside_heart, size)


def diamond(size: int) -> Array:
    """Draw ♦ in a box of ``size x size`` pixels: ``(size, size)`` in [0, 1]."""
    return _rasterise(_inside_diamond, size)


def club(size: int) -> Array:
    """Draw ♣ in a box of ``size x size`` pixels: ``(size, size)`` in [0, 1]."""
    return _rasterise(_inside_club, size)


def suits(size: int, *, n_rows: int = 1) -> Array:
    """Draw ♠♥♦♣, each in a box of ``size x size`` pixels, in one row or in two rows of two.

    Between two boxes lies a quarter of their side.

    Examples
    --------
    >>> suits(12).shape, suits(12, n_rows=2).shape
    ((12, 57), (27, 27))
    """
    drawn = [shape(size) for shape in (spade, heart, diamond, club)]
    gap = max(1, round(size / 4))
    n_columns = len(drawn) // n_rows
    result = np.zeros((n_rows * (size + gap) - gap, n_columns * (size + gap) - gap))
    for number, one in enumerate(drawn):
        top, left = (step * (size + gap) for step in divmod(number, n_columns))
        result[top : top + size, left : left + size] = one
    return result


def graded_heart(size: int) -> Array:
    """Draw ♥ whose intensity rises from 0.2 at its left to 1 at its right: ``(size, size)``."""
    ramp = 0.2 + 0.8 * (np.arange(size) + 0.5) / size
    graded = heart(size) * ramp
    result: Array = graded / graded.max()
    return result
