"""Charts of one quantity over named rows: a dot per method, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal
from xml.etree import ElementTree as Xml

from shaketable.blocks.axes import Axis, Ruler
from shaketable.blocks.charts import Ink, canvas, label, line, mark, swatch

WIDTH, TOP, BOTTOM = 560, 10, 50
DOT_HEIGHT = 11
LEFT, RIGHT = 150, 20
LONGEST_NAME = 18
MOST_ROWS = 40


@dataclass(frozen=True, kw_only=True)
class Dot:
    """One value of one method in one row; ``low`` and ``high`` draw a whisker."""

    method: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class RowChart:
    """Rows of dots over one axis.

    Parameters
    ----------
    title
        What it shows, in one sentence, for those who do not see it.
    axis
        The quantity.
    rows
        ``(name, dots)``, top to bottom; of many the first ones are drawn.
    inks
        How each method looks.
    reference
        ``(value, label)`` of a marked position.
    """

    kind: ClassVar[Literal["chart"]] = "chart"
    title: str
    axis: Axis
    rows: tuple[tuple[str, tuple[Dot, ...]], ...]
    inks: tuple[tuple[str, Ink], ...]
    reference: tuple[float, str] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(dots for _, dots in self.rows)

    @property
    def note(self) -> str:
        """What is not drawn; empty where everything is."""
        n_rows = len(self.rows)
        return f"The first {MOST_ROWS} of {n_rows} rows are drawn." if n_rows > MOST_ROWS else ""

    @property
    def _row(self) -> int:
        return DOT_HEIGHT * len(self.inks) + 16

    def svg(self) -> str:
        """Return the chart as an ``<svg>`` element."""
        rows = self.rows[:MOST_ROWS]
        height = TOP + self._row * len(rows) + BOTTOM
        root = canvas(self.title, WIDTH, height)
        root.set("class", "chart rows")
        ends = [
            end
            for _, dots in rows
            for dot in dots
            for end in (dot.value, dot.low, dot.high)
            if end is not None
        ]
        ends += [self.reference[0]] if self.reference else []
        ruler = Ruler(axis=self.axis, ticks=self.axis.ticks(ends), start=LEFT, stop=WIDTH - RIGHT)
        bottom = height - BOTTOM
        self._draw_frame(root, ruler, bottom)
        for index, (name, dots) in enumerate(rows):
            middle = TOP + self._row * (index + 0.5)
            shown = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
            label(root, LEFT - 12, middle + 4, shown, "tick end")
            self._draw_dots(root, ruler, middle, dots)
        return Xml.tostring(root, encoding="unicode")

    def legend(self) -> tuple[tuple[str, str], ...]:
        """``(<svg> swatch, label)`` of every method that has a dot."""
        present = {dot.method for _, dots in self.rows for dot in dots}
        return tuple((swatch(ink), method) for method, ink in self.inks if method in present)

    def _draw_frame(self, root: Xml.Element, ruler: Ruler, bottom: float) -> None:
        for place, content in ruler.labels():
            line(root, (place, TOP, place, bottom), "grid")
            label(root, place, bottom + 18, content, "tick middle")
        line(root, (LEFT, bottom, WIDTH - RIGHT, bottom), "axis")
        label(root, (LEFT + WIDTH - RIGHT) / 2, bottom + 40, self.axis.label, "name middle")
        if self.reference:
            place = ruler.place(self.reference[0])
            line(root, (place, TOP, place, bottom), "marked")

    def _draw_dots(
        self, root: Xml.Element, ruler: Ruler, middle: float, dots: tuple[Dot, ...]
    ) -> None:
        inks = dict(self.inks)
        order = [method for method, _ in self.inks]
        for dot in dots:
            if dot.method not in inks:
                continue
            ink = inks[dot.method]
            y = middle + DOT_HEIGHT * (order.index(dot.method) - (len(order) - 1) / 2)
            group = Xml.SubElement(root, "g", {"class": f"series ink-{ink.colour}"})
            Xml.SubElement(group, "title").text = f"{dot.method}: {dot.value:.3g}"
            if dot.low is not None and dot.high is not None:
                line(group, (ruler.place(dot.low), y, ruler.place(dot.high), y), "line solid")
            mark(group, (ruler.place(dot.value), y), ink.mark, 4.4, "mean")
