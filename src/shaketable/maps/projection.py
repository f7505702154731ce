"""The weights of parallel-beam projection and of back-projection, as sparse matrices.

Geometry, stated once. The unit of length is one pixel. The origin is the middle of the image, ``x``
points to the right along columns and ``y`` up against rows. The ray of the view at angle ``θ`` that
meets the detector at ``s`` is the line ``x cos θ + y sin θ = s``; detectors are one pixel apart and
centred on the origin. At ``θ = 0`` rays run along columns, at ``θ = π/2`` along rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
Block = tuple[npt.NDArray[np.int32], Floats, npt.NDArray[np.int64]]
"""Of some rows of a matrix: columns and weights row after row, and how many each row has."""


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Parallel rays through an image.

    Parameters
    ----------
    angles
        Of the views, in radians.
    image_shape
        ``(H, W)``, in pixels.
    n_detectors
        Detectors per view, one pixel apart.
    """

    angles: tuple[float, ...]
    image_shape: tuple[int, int]
    n_detectors: int

    @property
    def n_data(self) -> int:
        """How many rays there are."""
        return len(self.angles) * self.n_detectors

    @property
    def n_pixels(self) -> int:
        """How many pixels the image has."""
        return self.image_shape[0] * self.image_shape[1]


def line_weights(geometry: Geometry) -> csr_array:
    """``(n_data, n_pixels)`` float64: line integrals by linear interpolation.

    A ray is followed along the axis that it is closer to, one pixel at a time; across that axis the
    image is interpolated linearly between two pixels, and each value counts with the length
    ``1 / max(|cos θ|, |sin θ|)`` of one such step. Outside the image everything is zero.

    References
    ----------
    Joseph: "An improved algorithm for reprojecting rays through pixel images", IEEE TMI 1 (1982).
    """
    return _matrix(
        (_view(geometry, angle) for angle in geometry.angles),
        (geometry.n_data, geometry.n_pixels),
    )


def _view(geometry: Geometry, angle: float) -> Block:
    height, width = geometry.image_shape
    cosine, sine = np.cos(angle), np.sin(angle)
    x = np.arange(width) - (width - 1) / 2
    y = (height - 1) / 2 - np.arange(height)
    s = (np.arange(geometry.n_detectors) - (geometry.n_detectors - 1) / 2)[:, None]
    if abs(cosine) >= abs(sine):
        # For each detector and row: the place between columns where the ray crosses the row.
        place = (s - y * sine) / cosine + (width - 1) / 2
        start, stride, n_cells = np.arange(height) * width, 1, width
    else:
        place = (height - 1) / 2 - (s - x * cosine) / sine
        start, stride, n_cells = np.arange(width), width, height
    weights, cells = _between(place)
    weights /= max(abs(cosine), abs(sine))
    return _block(start[:, None] + cells * stride, weights, (cells >= 0) & (cells < n_cells))


def interpolation_weights(geometry: Geometry, view_weights: Floats) -> csr_array:
    """``(n_pixels, n_data)`` float64: for each pixel a weighted sum over views.

    Each view is interpolated linearly between the two detectors next to where the ray through the
    middle of the pixel meets the detector.

    Parameters
    ----------
    geometry
        The rays.
    view_weights
        ``(n_angles,)``, what each view counts.
    """
    return _matrix(
        (_image_row(geometry, view_weights, row) for row in range(geometry.image_shape[0])),
        (geometry.n_pixels, geometry.n_data),
    )


def _image_row(geometry: Geometry, view_weights: Floats, row: int) -> Block:
    height, width = geometry.image_shape
    angles = np.asarray(geometry.angles)
    x = (np.arange(width) - (width - 1) / 2)[:, None]
    y = (height - 1) / 2 - row
    place = x * np.cos(angles) + y * np.sin(angles) + (geometry.n_detectors - 1) / 2
    weights, cells = _between(place)
    weights *= view_weights[:, None]
    start = np.arange(len(angles))[:, None] * geometry.n_detectors
    return _block(start + cells, weights, (cells >= 0) & (cells < geometry.n_detectors))


def _between(place: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """``(..., 2)``: the two whole numbers around each place, and their shares of it."""
    lower = np.floor(place)
    share = place - lower
    cells = lower.astype(np.int64)
    return np.stack([1 - share, share], axis=-1), np.stack([cells, cells + 1], axis=-1)


def _block(columns: npt.NDArray[np.int64], weights: Floats, inside: npt.NDArray[np.bool_]) -> Block:
    kept = inside & (weights != 0)
    return columns[kept].astype(np.int32), weights[kept], kept.sum(axis=(1, 2))


def _matrix(blocks: Iterator[Block], shape: tuple[int, int]) -> csr_array:
    from scipy.sparse import csr_array

    columns, weights, counts = zip(*blocks, strict=True)
    starts = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    matrix = csr_array(
        (np.concatenate(weights), np.concatenate(columns), starts.astype(np.int32)), shape=shape
    )
    matrix.sort_indices()
    return matrix
