"""A sheet of pictures as in a paper: rows and columns, printed grey scales, boxes, charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shaketable.blocks.pictures import GreyScale
from shaketable.paper.places import Box
from shaketable.stored import Array


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
class Curve:
    """Means with their intervals.

    Parameters
    ----------
    label
        What it belongs to.
    x, y
        Where, and the means.
    low, high
        Ends of the intervals; infinite where there are too few values for one.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Curves over one axis.

    Parameters
    ----------
    title
        Above it.
    x_label, y_label
        Quantity and unit of the axes.
    curves
        The network's first.
    mark
        A place on the x-axis to mark with a line.
    """

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    mark: float | None = None


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
    charts
        Side by side below the rows.
    notes
        Sentences below: scales, magnification, what a box means.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    charts: tuple[Chart, ...] = ()
    notes: tuple[str, ...] = ()


def captions(lines: Sequence[str]) -> str:
    """Lines of a caption without the empty ones."""
    return "\n".join(line for line in lines if line)
