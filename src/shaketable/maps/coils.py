"""Sensitivities of receive coils: simulated, or estimated from data."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from shaketable.errors import InputError


def birdcage_coils(
    n_coils: int,
    shape: tuple[int, int],
    *,
    radius: float = 1.5,
    normalized: bool = True,
    dtype: torch.dtype = torch.complex64,
) -> Tensor:
    """Simulated coil maps: wires around the image, evenly spaced on an ellipse.

    ``S_c(p) = exp(i (φ_c(p) − 2πc/C)) / |p − p_c|``, with ``p_c`` the place of wire ``c`` and
    ``φ_c(p)`` the direction from it: the transverse magnetic field of a straight wire.

    Parameters
    ----------
    n_coils
        Number of coils ``C``.
    shape
        ``(H, W)`` of the images.
    radius
        Of the ellipse, as a multiple of half the image's height and width; above ``√2`` all wires
        lie outside the image.
    normalized
        Divide by the root sum of squares over coils, so that ``Σ_c |S_c|² = 1`` everywhere. Without
        it, maps are as above, with lengths in half images.
    dtype
        complex64 or complex128.

    Returns
    -------
    Tensor
        ``(C, H, W)`` complex.

    Raises
    ------
    InputError
        If a number, the shape or the dtype is impossible, or a wire runs through a pixel.

    References
    ----------
    Hayes, Edelstein, Schenck, Mueller, Eash: "An efficient, highly homogeneous radiofrequency coil
    for whole-body NMR imaging at 1.5 T", J. Magn. Reson. 63 (1985).

    Examples
    --------
    >>> coils = birdcage_coils(8, (64, 48))
    >>> tuple(coils.shape), bool(torch.allclose(coils.abs().square().sum(0), torch.ones(64, 48)))
    ((8, 64, 48), True)
    """
    _require_birdcage(n_coils, shape, radius, dtype)
    height, width = shape
    turn = (2 * np.pi / n_coils) * np.arange(n_coils)[:, None, None]
    down = ((np.arange(height) - height / 2) / (height / 2))[:, None] - radius * np.sin(turn)
    right = (np.arange(width) - width / 2) / (width / 2) - radius * np.cos(turn)
    distance = np.hypot(down, right)
    if distance.min() == 0:
        raise InputError(
            f"Expected wires between pixels, got one on a pixel with radius {radius}; "
            "change the radius a little, 1.5 is usual."
        )
    coils = np.exp(1j * (np.arctan2(right, -down) - turn)) / distance
    if normalized:
        coils /= np.sqrt((np.abs(coils) ** 2).sum(axis=0))
    return torch.from_numpy(coils).to(dtype)


def _require_birdcage(
    n_coils: int, shape: tuple[int, int], radius: float, dtype: torch.dtype
) -> None:
    if int(n_coils) != n_coils or n_coils < 1:
        raise InputError(f"Expected at least one coil, got {n_coils}; 8 to 32 are usual.")
    if len(shape) != 2 or any(int(length) != length or length < 1 for length in shape):
        raise InputError(
            f"Expected an image of shape (H, W), got {tuple(shape)}; "
            "pass two positive whole numbers."
        )
    if not 0 < radius < np.inf:
        raise InputError(
            f"Expected a positive radius of the ring of coils, got {radius}; 1.5 is usual."
        )
    if dtype not in (torch.complex64, torch.complex128):
        raise InputError(f"Expected complex64 or complex128 coil maps, got {dtype}; choose one.")
