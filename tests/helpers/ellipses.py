"""Ellipses, whose line integrals are known in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Ellipse:
    """An ellipse of one value; lengths in half images, origin in the middle, y upwards."""

    value: float
    centre: tuple[float, float]
    half_axes: tuple[float, float]
    tilt: float


PHANTOM = (
    Ellipse(value=1.0, centre=(0.0, 0.0), half_axes=(0.62, 0.84), tilt=0.0),
    Ellipse(value=-0.4, centre=(0.2, 0.1), half_axes=(0.14, 0.3), tilt=-0.3),
    Ellipse(value=-0.3, centre=(-0.22, -0.05), half_axes=(0.18, 0.4), tilt=0.35),
    Ellipse(value=0.5, centre=(0.05, -0.5), half_axes=(0.12, 0.07), tilt=0.8),
    Ellipse(value=0.3, centre=(0.0, 0.55), half_axes=(0.2, 0.1), tilt=1.2),
)


def line_integrals(
    ellipses: tuple[Ellipse, ...], angles: Floats, n_detectors: int, n_pixels: int
) -> Floats:
    """``(n_angles, n_detectors)``: exact integrals over rays one pixel apart, lengths in pixels."""
    half = n_pixels / 2
    s = (np.arange(n_detectors) - (n_detectors - 1) / 2)[None, :]
    theta = angles[:, None]
    total = np.zeros((len(angles), n_detectors))
    for ellipse in ellipses:
        a, b = (half * axis for axis in ellipse.half_axes)
        x, y = (half * place for place in ellipse.centre)
        width = (a * np.cos(theta - ellipse.tilt)) ** 2 + (b * np.sin(theta - ellipse.tilt)) ** 2
        offset = s - x * np.cos(theta) - y * np.sin(theta)
        chord = np.sqrt(np.maximum(width - offset**2, 0))
        total += ellipse.value * 2 * a * b * chord / width
    return total


def pixel_means(ellipses: tuple[Ellipse, ...], n_pixels: int, n_points: int = 8) -> Floats:
    """``(n, n)``: the mean of every pixel over ``n_points²`` points in it."""
    n_fine = n_pixels * n_points
    place = (np.arange(n_fine) + 0.5) / n_fine * 2 - 1
    x, y = place[None, :], -place[:, None]
    fine = np.zeros((n_fine, n_fine))
    for ellipse in ellipses:
        right, up = x - ellipse.centre[0], y - ellipse.centre[1]
        cosine, sine = np.cos(ellipse.tilt), np.sin(ellipse.tilt)
        along = (right * cosine + up * sine) / ellipse.half_axes[0]
        across = (up * cosine - right * sine) / ellipse.half_axes[1]
        fine += ellipse.value * (along**2 + across**2 <= 1)
    return fine.reshape(n_pixels, n_points, n_pixels, n_points).mean(axis=(1, 3))
