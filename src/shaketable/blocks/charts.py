"""Small line charts as inline SVG, coloured by the page's style sheet."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal
from xml.etree import ElementTree as Xml

from shaketable.blocks.axes import Axis, Ruler

WIDTH, HEIGHT = 560, 330
LEFT, RIGHT, TOP, BOTTOM = 64, 18, 16, 54

MOST_MARKS = 60  # single marks of one series at one place

Mark = Literal["circle", "square", "triangle", "diamond", "down", "plus", "cross", "none"]
Dash = Literal["solid", "dashed", "dotted"]


@dataclass(frozen=True, kw_only=True)
class Ink:
    """How a series looks. Colour is never the only difference: marks and dashes differ too.

    Parameters
    ----------
    colour
        The name of a colour of the style sheet: network, network-2 to network-4, baseline, second,
        third or random.
    mark, dash
        The shape of the points and the kind of line.
    """

    colour: str
    mark: Mark = "circle"
    dash: Dash = "solid"


_NETWORKS: tuple[str, ...] = ("network", "network-2", "network-3", "network-4")
_NETWORK_MARKS: tuple[Mark, ...] = ("circle", "down", "plus", "cross")
_REFERENCES = (
    Ink(colour="baseline", mark="square"),
    Ink(colour="second", mark="diamond"),
    Ink(colour="third", mark="triangle"),
)


def method_inks(networks: Sequence[str], baselines: Sequence[str]) -> Mapping[str, Ink]:
    """How every method looks in all charts of a page.

    Examples
    --------
    >>> inks = method_inks(["net"], ["tv"])
    >>> inks["net"].colour, inks["tv"].mark
    ('network', 'square')
    """
    inks = {
        name: Ink(colour=_NETWORKS[k % 4], mark=_NETWORK_MARKS[(k + k // 4) % 4])
        for k, name in enumerate(networks)
    }
    return inks | {name: _REFERENCES[min(k, 2)] for k, name in enumerate(baselines)}


@dataclass(frozen=True, kw_only=True)
class Series:
    """Points of several images, and the line through their means.

    Parameters
    ----------
    label
        For the legend.
    points
        ``(x, y)`` per image and setting; a missing y is left out.
    ink
        How it looks.
    """

    label: str
    points: tuple[tuple[float, float | None], ...]
    ink: Ink


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart.

    Parameters
    ----------
    title
        What it shows, in one sentence, for those who do not see it.
    x, y
        The axes.
    series
        The data.
    vertical
        ``(x, label)`` of a marked position.
    """

    kind: ClassVar[Literal["chart"]] = "chart"
    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    vertical: tuple[float, str] | None = None

    def drawable(self, series: Series) -> tuple[tuple[float, float], ...]:
        """Return the points of a series that have a place on both axes."""
        return tuple(
            (x, y) for x, y in series.points if y is not None and self.x.fits(x) and self.y.fits(y)
        )

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(self.drawable(series) for series in self.series)

    @property
    def note(self) -> str:
        """What is not drawn; empty where everything is."""
        counts = [
            len(ups) for series in self.series for ups in _by_place(self.drawable(series)).values()
        ]
        most = max(counts, default=0)
        if most <= MOST_MARKS or all(series.ink.mark == "none" for series in self.series):
            return ""
        return (
            f"At most {MOST_MARKS} of up to {most} single marks are drawn at each place, evenly from "
            "the smallest to the largest; means are over all."
        )

    def svg(self) -> str:
        """Return the chart as an ``<svg>`` element."""
        root = canvas(self.title, WIDTH, HEIGHT)
        points = [point for series in self.series for point in self.drawable(series)]
        across = [x for x, _ in points] + ([self.vertical[0]] if self.vertical else [])
        x = Ruler(axis=self.x, ticks=self.x.ticks(across), start=LEFT, stop=WIDTH - RIGHT)
        y = Ruler(
            axis=self.y,
            ticks=self.y.ticks([value for _, value in points]),
            start=HEIGHT - BOTTOM,
            stop=TOP,
        )
        draw_axes(root, x, y)
        if self.vertical:
            _draw_vertical(root, x, self.vertical)
        for series in self.series:
            _draw_series(root, x, y, self.drawable(series), series)
        return Xml.tostring(root, encoding="unicode")

    def legend(self) -> tuple[tuple[str, str], ...]:
        """``(<svg> swatch, label)`` of every series that has points."""
        return tuple(
            (swatch(series.ink), series.label) for series in self.series if self.drawable(series)
        )


def canvas(title: str, width: float, height: float) -> Xml.Element:
    """Return an empty ``<svg>`` that reads its title aloud."""
    root = Xml.Element(
        "svg",
        {"class": "chart", "viewBox": f"0 0 {width} {height}", "role": "img", "aria-label": title},
    )
    Xml.SubElement(root, "title").text = title
    return root


def line(parent: Xml.Element, ends: Sequence[float], style: str) -> None:
    """Return a line from ``(x1, y1)`` to ``(x2, y2)``."""
    x1, y1, x2, y2 = (f"{value:g}" for value in ends)
    Xml.SubElement(parent, "line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "class": style})


def label(parent: Xml.Element, x: float, y: float, content: str, style: str) -> Xml.Element:
    """Return a piece of text."""
    element = Xml.SubElement(parent, "text", {"x": f"{x:g}", "y": f"{y:g}", "class": style})
    element.text = content
    return element


def draw_axes(root: Xml.Element, x: Ruler, y: Ruler) -> None:
    """Grid, ticks and labels."""
    bottom, top = y.start, y.stop
    for place, content in y.labels():
        line(root, (LEFT, place, WIDTH - RIGHT, place), "grid")
        label(root, LEFT - 8, place + 4, content, "tick end")
    for place, content in x.labels():
        line(root, (place, bottom, place, bottom + 5), "axis")
        label(root, place, bottom + 19, content, "tick middle")
    line(root, (LEFT, bottom, WIDTH - RIGHT, bottom), "axis")
    label(root, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x.axis.label, "name middle")
    middle = (bottom + top) / 2
    name = label(root, 14, middle, y.axis.label, "name middle")
    name.set("transform", f"rotate(-90 14 {middle:g})")


def _draw_vertical(root: Xml.Element, x: Ruler, marked: tuple[float, str]) -> None:
    place = x.place(marked[0])
    line(root, (place, TOP, place, HEIGHT - BOTTOM), "marked")
    is_right = place > (LEFT + WIDTH) / 2
    style = "tick end" if is_right else "tick start"
    label(root, place + (-6 if is_right else 6), HEIGHT - BOTTOM - 8, marked[1], style)


def _draw_series(
    root: Xml.Element,
    x: Ruler,
    y: Ruler,
    points: Sequence[tuple[float, float]],
    series: Series,
) -> None:
    if not points:
        return
    group = Xml.SubElement(root, "g", {"class": f"series ink-{series.ink.colour}"})
    Xml.SubElement(group, "title").text = series.label
    groups = _by_place(points)
    means = [(across, math.fsum(ups) / len(ups)) for across, ups in sorted(groups.items())]
    places = [(x.place(across), y.place(up)) for across, up in means]
    path = " ".join(f"{a:g},{b:g}" for a, b in places)
    Xml.SubElement(group, "polyline", {"points": path, "class": f"line {series.ink.dash}"})
    for across, ups in groups.items():
        for up in _thinned(ups):
            mark(group, (x.place(across), y.place(up)), series.ink.mark, 2.6, "point")
    for place in places:
        mark(group, place, series.ink.mark, 4.4, "mean")


def _by_place(points: Sequence[tuple[float, float]]) -> dict[float, list[float]]:
    groups: dict[float, list[float]] = defaultdict(list)
    for across, up in points:
        groups[across].append(up)
    return groups


def _thinned(values: list[float]) -> list[float]:
    """All values, or of many some from the smallest to the largest, equally far apart in rank."""
    if len(values) <= MOST_MARKS:
        return values
    ranks = (round(k * (len(values) - 1) / (MOST_MARKS - 1)) for k in range(MOST_MARKS))
    ordered = sorted(values)
    return [ordered[rank] for rank in ranks]


_CROSS = ((0.35, 0.35), (0.35, 1.15), (-0.35, 1.15), (-0.35, 0.35), (-1.15, 0.35), (-1.15, -0.35),
          (-0.35, -0.35), (-0.35, -1.15), (0.35, -1.15), (0.35, -0.35), (1.15, -0.35),
          (1.15, 0.35))  # fmt: skip
_CORNERS: Mapping[Mark, tuple[tuple[float, float], ...]] = {
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "triangle": ((0, -1.2), (1.1, 0.9), (-1.1, 0.9)),
    "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
    "down": ((0, 1.2), (1.1, -0.9), (-1.1, -0.9)),
    "plus": _CROSS,
    "cross": tuple((0.71 * (a - b), 0.71 * (a + b)) for a, b in _CROSS),
    "none": (),
}


def mark(
    parent: Xml.Element, place: tuple[float, float], shape: Mark, size: float, style: str
) -> None:
    """Return a point in one of the shapes."""
    x, y = place
    if shape == "circle":
        at = {"cx": f"{x:g}", "cy": f"{y:g}", "r": f"{size:g}", "class": style}
        Xml.SubElement(parent, "circle", at)
        return
    corners = _CORNERS[shape]
    if corners:
        path = " ".join(f"{x + size * dx:.1f},{y + size * dy:.1f}" for dx, dy in corners)
        Xml.SubElement(parent, "polygon", {"points": path, "class": style})


def swatch(ink: Ink) -> str:
    """Return a short piece of a series' line with its mark, for a legend."""
    root = Xml.Element(
        "svg", {"class": f"swatch ink-{ink.colour}", "viewBox": "0 0 36 12", "aria-hidden": "true"}
    )
    Xml.SubElement(root, "polyline", {"points": "1,6 35,6", "class": f"line {ink.dash}"})
    mark(root, (18, 6), ink.mark, 4.4, "mean")
    return Xml.tostring(root, encoding="unicode")
