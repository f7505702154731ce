from __future__ import annotations

import itertools
import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shaketable.blocks.axes import Axis, Ruler, decade_ticks, round_ticks
from shaketable.blocks.charts import MOST_MARKS, Chart, Ink, Series, method_inks, swatch
from shaketable.blocks.rows import MOST_ROWS, Dot, RowChart

finite = st.floats(-1e6, 1e6, allow_nan=False)


@given(low=finite, span=st.floats(1e-3, 1e6))
def test_round_ticks_cover_the_values_and_are_equally_spaced(low: float, span: float) -> None:
    high = low + span
    ticks = round_ticks(low, high)
    steps = [b - a for a, b in itertools.pairwise(ticks)]
    assert ticks[0] <= low + 1e-6 * span
    assert ticks[-1] >= high - 1e-6 * span
    assert 2 <= len(ticks) <= 8
    assert max(steps) == pytest.approx(min(steps), rel=1e-3)


def test_round_ticks_of_one_value_still_make_an_axis() -> None:
    ticks = round_ticks(3.0, 3.0)
    assert ticks[0] < 3.0 < ticks[-1]


@given(low=st.floats(1e-6, 1e5), factor=st.floats(1.001, 1e6))
def test_decade_ticks_cover_the_values(low: float, factor: float) -> None:
    ticks = decade_ticks(low, low * factor)
    assert ticks[0] <= low * (1 + 1e-6)
    assert ticks[-1] >= low * factor * (1 - 1e-6)
    assert list(ticks) == sorted(set(ticks))


def test_a_logarithmic_axis_places_decades_evenly() -> None:
    ruler = Ruler(axis=Axis(label="x", scale="log"), ticks=(1.0, 10.0, 100.0), start=0.0, stop=90.0)
    assert [ruler.place(value) for value in (1.0, 10.0, 100.0)] == [0.0, 45.0, 90.0]


def test_a_logarithmic_axis_has_no_place_for_zero_and_no_axis_for_nan() -> None:
    assert not Axis(label="x", scale="log").fits(0.0)
    assert not Axis(label="x").fits(math.nan)
    assert not Axis(label="x").fits(None)
    assert Axis(label="x").fits(0.0)


def _chart(**changes: object) -> Chart:
    points = ((1.0, 2.0), (1.0, 4.0), (2.0, 8.0), (2.0, None))
    series = Series(label="a <b> & c", points=points, ink=Ink(colour="network"))
    settings: dict[str, object] = {
        "title": "damage",
        "x": Axis(label="size", from_zero=True),
        "y": Axis(label="change", from_zero=True),
        "series": (series,),
        **changes,
    }
    return Chart(**settings)  # type: ignore[arg-type]


def test_the_line_runs_through_the_means_and_every_point_is_drawn() -> None:
    root = ElementTree.fromstring(_chart().svg())
    (line,) = root.findall(".//polyline")
    places = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    circles = root.findall(".//circle")
    small = [c for c in circles if c.attrib["class"] == "point"]
    heights = sorted(float(c.attrib["cy"]) for c in small if float(c.attrib["cx"]) == places[0][0])
    assert len(small) == 3
    assert len([c for c in circles if c.attrib["class"] == "mean"]) == 2
    assert places[0][1] == pytest.approx(sum(heights) / 2, abs=0.11)
    assert places[1][1] < places[0][1]  # a larger change lies higher


def test_of_many_points_some_are_drawn_and_the_line_runs_through_all() -> None:
    values = [float(k) for k in range(1000)] + [5000.0]
    series = Series(
        label="a", points=tuple((1.0, value) for value in values), ink=Ink(colour="network")
    )
    chart = _chart(series=(series,))
    root = ElementTree.fromstring(chart.svg())
    heights = {
        kind: [float(c.attrib["cy"]) for c in root.iter("circle") if c.attrib["class"] == kind]
        for kind in ("point", "mean")
    }
    assert len(heights["point"]) == MOST_MARKS
    assert "At most 60 of up to 1001 single marks" in chart.note
    lowest, highest = max(heights["point"]), min(heights["point"])
    expected = lowest + (highest - lowest) * (sum(values) / len(values)) / 5000
    assert heights["mean"] == [pytest.approx(expected, abs=0.11)]
    assert _chart().note == ""


def test_of_many_rows_the_first_are_drawn() -> None:
    rows = tuple((f"slice {k}", (Dot(method="net", value=float(k)),)) for k in range(100))
    chart = RowChart(
        title="share", axis=Axis(label="%"), rows=rows, inks=(("net", Ink(colour="network")),)
    )
    root = ElementTree.fromstring(chart.svg())
    names = [t.text for t in root.iter("text")]
    assert [f"slice {MOST_ROWS - 1}" in names, f"slice {MOST_ROWS}" in names] == [True, False]
    assert chart.note == f"The first {MOST_ROWS} of 100 rows are drawn."


def test_sixteen_networks_look_different() -> None:
    inks = method_inks([f"net {k}" for k in range(16)], ["tv"])
    assert len({(ink.colour, ink.mark) for ink in inks.values()}) == 17


def test_labels_are_escaped_and_read_back() -> None:
    drawn = _chart().svg()
    assert "<b>" not in drawn
    root = ElementTree.fromstring(drawn)
    assert [t.text for t in root.iter("title")] == ["damage", "a <b> & c"]


def test_a_chart_without_points_says_so_and_has_no_legend() -> None:
    empty = _chart(series=(Series(label="a", points=((1.0, None),), ink=Ink(colour="network")),))
    assert empty.is_empty
    assert empty.legend() == ()
    ElementTree.fromstring(empty.svg())


def test_a_marked_position_widens_the_axis() -> None:
    root = ElementTree.fromstring(_chart(vertical=(9.0, "trained rate")).svg())
    marked = next(e for e in root.iter("line") if e.attrib["class"] == "marked")
    assert 0 < float(marked.attrib["x1"]) <= 560
    assert "trained rate" in [t.text for t in root.iter("text")]


@pytest.mark.parametrize(
    "mark", ["circle", "square", "triangle", "diamond", "down", "plus", "cross", "none"]
)
def test_every_mark_can_be_drawn(mark: str) -> None:
    root = ElementTree.fromstring(swatch(Ink(colour="random", mark=mark)))  # type: ignore[arg-type]
    shapes = len(root.findall("circle")) + len(root.findall("polygon"))
    assert shapes == (0 if mark == "none" else 1)


def test_row_chart_places_dots_and_whiskers_by_value() -> None:
    chart = RowChart(
        title="share",
        axis=Axis(label="%", from_zero=True),
        rows=(("slice <1>", (Dot(method="net", value=50.0, low=25.0, high=75.0),)),),
        inks=(("net", Ink(colour="network")),),
    )
    root = ElementTree.fromstring(chart.svg())
    group = root.find("g")
    assert group is not None
    whisker, dot = group.find("line"), group.find("circle")
    assert whisker is not None
    assert dot is not None
    middle = (float(whisker.attrib["x1"]) + float(whisker.attrib["x2"])) / 2
    assert float(dot.attrib["cx"]) == pytest.approx(middle, abs=0.11)
    assert "slice <1>" in [t.text for t in root.iter("text")]
    assert [label for _, label in chart.legend()] == ["net"]
