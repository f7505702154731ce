"""Places in images, found by measurement: where a change is strongest, what is around a detail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shaketable.stored import Array


@dataclass(frozen=True, kw_only=True)
class Box:
    """A square that marks a place, in pixels: the first row and column, and the side."""

    row: int
    column: int
    side: int

    def cut(self, image: Array) -> Array:
        """The part ``(side, side)`` of an image ``(H, W)``."""
        part: Array = image[self.row : self.row + self.side, self.column : self.column + self.side]
        return part


def strongest_place(change: Array, share: float = 1 / 6) -> Box:
    """Where a change of the image has most energy.

    Parameters
    ----------
    change
        ``(H, W)``.
    share
        Side of the square that is looked at, of the image's shorter side.

    Returns
    -------
    Box
        The square with the largest ``Σ |change|²`` of all squares inside the image.

    Examples
    --------
    >>> import numpy as np
    >>> change = np.zeros((12, 12))
    >>> change[8:10, 4:6] = 1
    >>> strongest_place(change)
    Box(row=8, column=4, side=2)
    """
    height, width = change.shape
    side = max(1, round(share * min(height, width)))
    total = np.zeros((height + 1, width + 1))
    total[1:, 1:] = np.cumsum(np.cumsum(np.abs(change) ** 2, axis=0), axis=1)
    energy = (
        total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    )
    # rounding must not decide between equal squares: the first of the largest
    largest = np.argwhere(energy >= energy.max() * (1 - 1e-9))[0]
    return Box(row=int(largest[0]), column=int(largest[1]), side=side)


def place_around(detail: Array, margin: float = 0.2) -> Box:
    """The smallest square inside the image around what is not zero, with a margin.

    Parameters
    ----------
    detail
        ``(H, W)``, not zero everywhere.
    margin
        On every side, as a share of the longer side of what is not zero.

    Examples
    --------
    >>> import numpy as np
    >>> detail = np.zeros((40, 40))
    >>> detail[10:20, 30:35] = 1
    >>> place_around(detail)
    Box(row=8, column=26, side=14)
    """
    rows, columns = np.nonzero(detail)
    top, left = int(rows.min()), int(columns.min())
    height, width = int(rows.max()) + 1 - top, int(columns.max()) + 1 - left
    side = min(round((1 + 2 * margin) * max(height, width)), *detail.shape)
    first = (
        min(max(start - (side - length) // 2, 0), whole - side)
        for start, length, whole in ((top, height, detail.shape[0]), (left, width, detail.shape[1]))
    )
    row, column = first
    return Box(row=row, column=column, side=side)
