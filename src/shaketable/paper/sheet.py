"""A sheet of pictures as in a paper: rows and columns, printed grey scales, boxes; PNG and PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shaketable.errors import MissingDependencyError
from shaketable.files import whole_file
from shaketable.report.pictures import GreyScale, shown_values
from shaketable.report.stored import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_INCH = 1.75  # the side of a picture
_INK = "#1a1a1a"
_BOX = "#ffd21f"


@dataclass(frozen=True, kw_only=True)
class Box:
    """A square that marks a place, in pixels: the first row and column, and the side."""

    row: int
    column: int
    side: int


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One picture.

    Parameters
    ----------
    array
        ``(H, W)``, real or complex; already magnified where its row says so.
    caption
        Up to two lines below it.
    box
        A place to mark.
    """

    array: Array
    caption: str = ""
    box: Box | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """Pictures side by side, drawn with one grey scale.

    Parameters
    ----------
    label
        What the row shows, at its left.
    tiles
        One per column; None leaves the place empty.
    scale
        Black and white of every picture in the row.
    """

    label: str
    tiles: tuple[Tile | None, ...]
    scale: GreyScale


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A figure.

    Parameters
    ----------
    title
        Above it.
    columns
        Heads of the columns.
    rows
        Top to bottom.
    notes
        Sentences below: scales, magnification, what a box means.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def write(self, stem: Path) -> tuple[Path, Path]:
        """Write ``stem.png`` and ``stem.pdf``, each whole or not at all.

        The same numbers give the same bytes.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        canvas = self._draw()
        png, pdf = stem.with_suffix(".png"), stem.with_suffix(".pdf")
        with whole_file(png) as part:
            canvas.savefig(part, format="png", dpi=150)
        with whole_file(pdf) as part:
            canvas.savefig(part, format="pdf", metadata={"CreationDate": None})
        return png, pdf

    def _draw(self) -> Canvas:
        canvas = _canvas()
        n_rows, n_columns = len(self.rows), len(self.columns)
        left, top, bottom = 1.3, 0.75, 0.55 + 0.17 * len(self.notes)
        width = left + n_columns * _INCH * 1.06 + 0.1
        height = top + n_rows * _INCH * 1.2 + bottom
        canvas.set_size_inches(width, height)
        grid = canvas.add_gridspec(
            n_rows, n_columns, left=left / width, right=1 - 0.1 / width,
            top=1 - top / height, bottom=bottom / height, wspace=0.06, hspace=0.24,
        )  # fmt: skip
        for i, row in enumerate(self.rows):
            for j, tile in enumerate(row.tiles):
                axes = canvas.add_subplot(grid[i, j])
                _draw_tile(axes, tile, row.scale)
                if i == 0:
                    axes.set_title(self.columns[j], fontsize=9, color=_INK, pad=5)
                if j == 0:
                    axes.text(-0.06, 0.5, row.label, transform=axes.transAxes, fontsize=8.5,
                              ha="right", va="center", color=_INK, linespacing=1.35)  # fmt: skip
        canvas.text(0.5, 1 - 0.28 / height, self.title, ha="center", fontsize=11, color=_INK)
        for k, note in enumerate(reversed(self.notes)):
            canvas.text(0.12 / width, (0.12 + 0.17 * k) / height, note, fontsize=7, color=_INK)
        return canvas


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


def require_matplotlib() -> None:
    """Nothing, if figures can be drawn.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            "Expected matplotlib for the paper's figures, but it is not installed; "
            "run: pip install 'shaketable[figures]'"
        ) from error


def _canvas() -> Canvas:
    require_matplotlib()
    from matplotlib.figure import Figure

    return Figure(facecolor="white")


def _draw_tile(axes: Axes, tile: Tile | None, scale: GreyScale) -> None:
    axes.set_axis_off()
    if tile is None:
        return
    values = shown_values(tile.array, scale.signed)
    axes.imshow(values, cmap="gray", vmin=scale.low, vmax=scale.high, interpolation="nearest")
    axes.text(0.5, -0.03, tile.caption, transform=axes.transAxes, fontsize=7, ha="center", va="top",
              color=_INK, linespacing=1.3)  # fmt: skip
    if tile.box is not None:
        axes.add_patch(_frame(tile.box))


def _frame(box: Box) -> Any:
    from matplotlib.patches import Rectangle

    corner = (box.column - 0.5, box.row - 0.5)
    return Rectangle(corner, box.side, box.side, fill=False, edgecolor=_BOX, linewidth=1.2)


def captions(lines: Sequence[str]) -> str:
    """Lines of a caption without the empty ones."""
    return "\n".join(line for line in lines if line)
