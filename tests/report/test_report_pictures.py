from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shaketable.blocks.figures import Cell, Panel, PictureBudget, Strip
from shaketable.blocks.pictures import (
    MAGNIFICATIONS,
    GreyScale,
    Picture,
    encode,
    grey_scale,
    magnification,
    reduced,
    reduction,
)
from shaketable.probes.structural.pictures import frame_of, zoom_box
from tests.helpers.report_page import decode


def test_black_and_white_are_the_ends_of_the_scale_and_beyond_is_clipped() -> None:
    array = np.array([[0.0, 0.5], [1.0, 7.0]])
    picture = encode(array, GreyScale(low=0.0, high=1.0), "four values")
    assert decode(picture.uri).tolist() == [[0, 128], [255, 255]]
    assert (picture.width, picture.height, picture.alt) == (2, 2, "four values")


def test_complex_images_are_drawn_as_magnitudes() -> None:
    array = np.array([[3.0 + 4.0j, 0.0], [0.0, -5.0]])
    drawn = decode(encode(array, grey_scale(array), "x").uri)
    assert drawn.tolist() == [[255, 0], [0, 255]]


def test_real_images_with_negative_values_keep_their_sign() -> None:
    array = np.array([[-1.0, 0.0], [0.0, 1.0]])
    scale = grey_scale(array)
    assert (scale.low, scale.high, scale.signed) == (-1.0, 1.0, True)
    assert decode(encode(array, scale, "x").uri).tolist() == [[0, 128], [128, 255]]


def test_the_scale_comes_from_the_reference_and_survives_empty_pictures() -> None:
    assert grey_scale(np.zeros((3, 3))) == GreyScale(low=0.0, high=1.0)
    assert grey_scale(np.full((3, 3), np.nan)) == GreyScale(low=0.0, high=1.0)


def test_values_that_are_no_numbers_are_shown_and_counted() -> None:
    array = np.zeros((8, 8))
    array[:, :] = np.nan
    array[0, 0] = 1.0
    picture = encode(array, GreyScale(low=0.0, high=1.0), "broken")
    assert "63 of 64 values are not numbers" in picture.alt
    assert set(np.unique(decode(picture.uri))) == {0, 255}


@given(peak=st.floats(1e-6, 1e3))
def test_the_magnification_is_round_and_as_large_as_the_scale_allows(peak: float) -> None:
    scale = GreyScale(low=0.0, high=1.0)
    factor = magnification([np.array([[peak]]), None], scale)
    assert factor in MAGNIFICATIONS
    assert factor == 1 or factor * peak <= 1.0
    larger = [other for other in MAGNIFICATIONS if other > factor]
    assert not larger or larger[0] * peak > 1.0


def test_the_magnification_of_nothing_is_one() -> None:
    assert magnification([None, np.zeros((2, 2))], GreyScale(low=0.0, high=1.0)) == 1


def test_reduction_averages_blocks_and_respects_the_limit() -> None:
    values = np.arange(30.0).reshape(5, 6)
    assert reduced(values, 2).tolist() == [[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]]
    assert reduction((640, 368), 320) == 2
    picture = encode(np.ones((641, 368)), GreyScale(low=0.0, high=1.0), "x", largest_side=320)
    assert max(picture.width, picture.height) <= 320


def test_encoding_is_deterministic() -> None:
    array = np.random.default_rng(0).normal(size=(40, 30))
    scale = grey_scale(array)
    assert encode(array, scale, "x") == encode(array.copy(), scale, "x")


def _panel(n_bytes: int) -> Panel:
    picture = Picture(uri="u" * n_bytes, alt="", width=1, height=1)
    strip = Strip(title="", cells=(Cell(picture=picture, caption=""),))
    return Panel(title="", anchor="", scales=(), strips=(strip,))


def test_the_first_figure_is_drawn_small_rather_than_left_out() -> None:
    budget = PictureBudget(n_bytes=1000, n_figures=5, largest_side=320)
    drawn = budget.draw(lambda side: _panel(side * side // 10))
    assert drawn is not None
    assert drawn.n_bytes <= 1000
    assert budget.largest_side == 80


def test_later_figures_are_left_out_when_bytes_or_figures_are_spent() -> None:
    budget = PictureBudget(n_bytes=100, n_figures=2)
    assert budget.draw(lambda _: _panel(60)) is not None
    assert budget.draw(lambda _: _panel(60)) is None
    few = PictureBudget(n_bytes=100, n_figures=1)
    assert few.draw(lambda _: _panel(1)) is not None
    assert few.draw(lambda _: _panel(1)) is None


@given(
    top=st.integers(0, 59), left=st.integers(0, 79), side=st.integers(1, 12), seed=st.integers(0, 9)
)
def test_the_enlarged_part_holds_the_whole_detail(
    top: int, left: int, side: int, seed: int
) -> None:
    detail = np.zeros((60, 80))
    block = detail[top : top + side, left : left + side]
    block[:] = np.random.default_rng(seed).uniform(0.5, 1.0, size=block.shape)
    box = zoom_box(detail)
    assert box is not None
    assert np.count_nonzero(detail[box]) == np.count_nonzero(detail)
    assert detail[box].shape[0] == detail[box].shape[1]
    frame = frame_of(box, detail.shape)
    assert 0 <= frame.left <= frame.left + frame.width <= 100.01
    assert 0 <= frame.top <= frame.top + frame.height <= 100.01


@pytest.mark.parametrize("detail", [np.zeros((8, 8)), np.ones((40, 40))])
def test_nothing_is_enlarged_where_there_is_no_detail_or_it_fills_the_image(
    detail: np.ndarray,
) -> None:
    assert zoom_box(detail) is None
