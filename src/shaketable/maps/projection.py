"""The weights of parallel-beam projection and of back-projection, as sparse matrices.

Geometry, stated once. The unit of length is one pixel. The origin is the middle of the image, ``x``
points to the right along columns and ``y`` up against rows. The ray of the view at angle ``θ`` that
meets the detector at ``s`` is the line ``x cos θ + y sin θ = s``; detectors are one pixel apart and
centred on the origin. At ``θ = 0`` rays run along columns, at ``θ = π/2`` along rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
Block = tuple[npt.NDArray[np.int32], npt.NDArray[Any], npt.NDArray[np.int64]]
"""Of some rows of a matrix: columns and weights row after row, and how many each row has."""

# Views are multiplied in blocks whose matrices have about as many entries at most: 70 views of
# 512 x 512 pixels. Making a block takes four times the memory of what is kept of it.
ENTRIES_PER_BLOCK = 2**25


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

    def blocks(self) -> tuple[Geometry, ...]:
        """The same rays, a number of views at a time."""
        # Between two pixels each: no view has more entries per pixel than two.
        n_views = max(1, ENTRIES_PER_BLOCK // (2 * self.n_pixels))
        return tuple(
            replace(self, angles=self.angles[first : first + n_views])
            for first in range(0, len(self.angles), n_views)
        )


def line_weights(geometry: Geometry, precision: type[np.floating[Any]]) -> csr_array:
    """``(n_data, n_pixels)``: line integrals by linear interpolation.

    A ray is followed along the axis that it is closer to, one pixel at a time; across that axis the
    image is interpolated linearly between two pixels, and each value counts with the length
    ``1 / max(|cos θ|, |sin θ|)`` of one such step. Outside the image everything is zero.

    Parameters
    ----------
    geometry
        The rays.
    precision
        Of the weights, which are computed in double precision.

    References
    ----------
    Joseph: "An improved algorithm for reprojecting rays through pixel images", IEEE TMI 1 (1982).
    """
    return _matrix(
        (_view(geometry, angle, precision) for angle in geometry.angles),
        (geometry.n_data, geometry.n_pixels),
    )


def _view(geometry: Geometry, angle: float, precision: type[np.floating[Any]]) -> Block:
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
    step = np.full(place.shape[1], 1 / max(abs(cosine), abs(sine)))
    return _between(place, n_cells, start, stride, step, precision)


def interpolation_weights(
    geometry: Geometry, view_weights: Floats, precision: type[np.floating[Any]]
) -> csr_array:
    """``(n_pixels, n_data)``: for each pixel a weighted sum over views.

    Each view is interpolated linearly between the two detectors next to where the ray through the
    middle of the pixel meets the detector.

    Parameters
    ----------
    geometry
        The rays.
    view_weights
        ``(n_angles,)``, what each view counts.
    precision
        Of the weights, which are computed in double precision.
    """
    rows = range(geometry.image_shape[0])
    return _matrix(
        (_image_row(geometry, view_weights, row, precision) for row in rows),
        (geometry.n_pixels, geometry.n_data),
    )


def _image_row(
    geometry: Geometry, view_weights: Floats, row: int, precision: type[np.floating[Any]]
) -> Block:
    height, width = geometry.image_shape
    angles = np.asarray(geometry.angles)
    x = (np.arange(width) - (width - 1) / 2)[:, None]
    y = (height - 1) / 2 - row
    place = x * np.cos(angles) + y * np.sin(angles) + (geometry.n_detectors - 1) / 2
    start = np.arange(len(angles)) * geometry.n_detectors
    return _between(place, geometry.n_detectors, start, 1, view_weights, precision)


def _between(
    place: Floats,
    n_cells: int,
    start: npt.NDArray[np.int64],
    stride: int,
    factor: Floats,
    precision: type[np.floating[Any]],
) -> Block:
    """Entries of matrix rows: linear interpolation at each place between cells of a line.

    Parameters
    ----------
    place
        ``(rows, lines)``: for each row of the matrix, one place in each of some lines of cells.
    n_cells
        Cells per line; nothing is taken from beyond them.
    start, stride
        The matrix column of the first cell of each line, and from one cell to the next.
    factor
        ``(lines,)``, what each line counts.
    precision
        Of the weights.
    """
    lower = np.floor(place)
    cell = lower.astype(np.int32)
    share = place - lower
    columns = np.empty((*place.shape, 2), dtype=np.int32)
    weights = np.empty((*place.shape, 2), dtype=precision)
    columns[..., 0] = cell * np.int32(stride) + start.astype(np.int32)
    columns[..., 1] = columns[..., 0] + np.int32(stride)
    weights[..., 0] = (1 - share) * factor
    weights[..., 1] = share * factor
    kept = weights != 0
    kept[..., 0] &= (cell >= 0) & (cell < n_cells)
    kept[..., 1] &= (cell >= -1) & (cell < n_cells - 1)
    return columns[kept], weights[kept], np.count_nonzero(kept, axis=(1, 2))


def _matrix(blocks: Iterator[Block], shape: tuple[int, int]) -> csr_array:
    from scipy.sparse import csr_array

    columns, weights, counts = zip(*blocks, strict=True)
    starts = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    matrix = csr_array(
        (np.concatenate(weights), np.concatenate(columns), starts.astype(np.int32)), shape=shape
    )
    matrix.sort_indices()
    return matrix
