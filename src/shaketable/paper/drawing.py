"""Drawing a sheet with matplotlib, and writing it."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from shaketable.blocks.pictures import GreyScale, shown_values
from shaketable.errors import MissingDependencyError
from shaketable.files import whole_file
from shaketable.paper.places import Box
from shaketable.paper.sheet import Chart, Curve, Sheet, Tile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_INCH = 1.75  # the side of a picture
_CHART = 2.0  # the height of a chart
_LEFT, _RIGHT, _TOP, _LINE = 1.3, 0.1, 0.75, 0.17  # margins, and the height of a note
_LETTERS = 19  # of a note in an inch, at most
_INK = "#1a1a1a"
_BOX = "#ffd21f"
_CURVES = ("#c8500a", "#0b63a8", "#4d7c3a", "#7a4a9e")  # told apart by the colour-blind as well


def write_sheet(sheet: Sheet, stem: Path) -> tuple[Path, Path]:
    """Write ``stem.png`` and ``stem.pdf``, each whole or not at all.

    The same numbers give the same bytes.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    require_matplotlib()
    canvas = drawn(sheet)
    png, pdf = stem.with_suffix(".png"), stem.with_suffix(".pdf")
    with whole_file(png) as part:
        canvas.savefig(part, format="png", dpi=150)
    with whole_file(pdf) as part:
        canvas.savefig(part, format="pdf", metadata={"CreationDate": None})
    return png, pdf


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


def drawn(sheet: Sheet) -> Canvas:
    """Draw a sheet on a canvas of its own size."""
    from matplotlib.figure import Figure

    canvas = Figure(facecolor="white")
    width = _LEFT + len(sheet.columns) * _INCH * 1.06 + _RIGHT
    notes = [line for note in sheet.notes for line in wrap(note, int(_LETTERS * width))]
    below = 0.55 + _LINE * len(notes)
    strip = _CHART + 0.85 if sheet.charts else 0.0
    height = _TOP + len(sheet.rows) * _INCH * 1.2 + strip + below
    canvas.set_size_inches(width, height)
    _draw_rows(canvas, sheet, (width, height), below + strip)
    _draw_charts(canvas, sheet.charts, (width, height), below)
    canvas.text(0.5, 1 - 0.28 / height, sheet.title, ha="center", fontsize=11, color=_INK)
    for k, note in enumerate(reversed(notes)):
        canvas.text(0.12 / width, (0.12 + _LINE * k) / height, note, fontsize=7, color=_INK)
    return canvas


def _draw_rows(canvas: Canvas, sheet: Sheet, size: tuple[float, float], below: float) -> None:
    width, height = size
    if not sheet.rows:
        return
    grid = canvas.add_gridspec(
        len(sheet.rows), len(sheet.columns), left=_LEFT / width, right=1 - _RIGHT / width,
        top=1 - _TOP / height, bottom=below / height, wspace=0.06, hspace=0.24,
    )  # fmt: skip
    for i, row in enumerate(sheet.rows):
        for j, tile in enumerate(row.tiles):
            axes = canvas.add_subplot(grid[i, j])
            _draw_tile(axes, tile, row.scale)
            if i == 0:
                axes.set_title(sheet.columns[j], fontsize=9, color=_INK, pad=5)
            if j == 0:
                axes.text(-0.06, 0.5, row.label, transform=axes.transAxes, fontsize=8.5,
                          ha="right", va="center", color=_INK, linespacing=1.35)  # fmt: skip


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


def _draw_charts(
    canvas: Canvas, charts: tuple[Chart, ...], size: tuple[float, float], below: float
) -> None:
    if not charts:
        return
    width, height = size
    grid = canvas.add_gridspec(
        1, len(charts), left=0.6 / width, right=1 - _RIGHT / width,
        top=(below + 0.2 + _CHART) / height, bottom=(below + 0.2) / height, wspace=0.24,
    )  # fmt: skip
    for j, chart in enumerate(charts):
        _draw_chart(canvas.add_subplot(grid[0, j]), chart, with_label=j == 0)


def _draw_chart(axes: Axes, chart: Chart, with_label: bool) -> None:
    for curve, colour in zip(chart.curves, _CURVES, strict=False):
        _draw_curve(axes, curve, colour)
    if chart.mark is not None:
        axes.axvline(chart.mark, color="#888888", linewidth=0.8, linestyle=":")
    axes.set_title(chart.title, fontsize=9, color=_INK, pad=5)
    axes.set_xlabel(chart.x_label, fontsize=7.5, color=_INK)
    if with_label:
        axes.set_ylabel(chart.y_label, fontsize=7.5, color=_INK)
    axes.tick_params(labelsize=7, colors=_INK)
    axes.grid(color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=6.5, frameon=False)


def _draw_curve(axes: Axes, curve: Curve, colour: str) -> None:
    axes.plot(curve.x, curve.y, color=colour, linewidth=1.4, marker="o", markersize=2.8,
              label=curve.label)  # fmt: skip
    low, high = np.array(curve.low), np.array(curve.high)
    bounded = np.isfinite(low) & np.isfinite(high)
    x = np.array(curve.x)
    axes.fill_between(x, low, high, where=bounded.tolist(), color=colour, alpha=0.18, linewidth=0)
