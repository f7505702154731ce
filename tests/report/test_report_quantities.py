from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shaketable.blocks.quantities import (
    MISSING,
    counted,
    decibel,
    extent,
    interval,
    listed,
    mean,
    percent,
    plain,
    ratio,
    readable,
)


@given(st.floats(-1e12, 1e12, allow_nan=False, allow_subnormal=False))
def test_what_is_read_is_the_value_to_three_digits(value: float) -> None:
    shown = float(readable(value).replace("−", "-"))
    assert shown == pytest.approx(value, rel=5.1e-3, abs=1e-300)


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_does_not_exist_is_a_dash(value: float | None) -> None:
    assert readable(value) == MISSING
    assert percent(value).value is None
    assert decibel(value).value is None


def test_the_exact_value_is_kept_beside_the_rounded_text() -> None:
    number = percent(0.123456789)
    assert (number.value, str(number)) == (0.123456789, "12\N{NO-BREAK SPACE}%")
    assert str(decibel(-3.14159)) == "−3.1\N{NO-BREAK SPACE}dB"
    assert plain(2.5).value == 2.5


def test_the_end_of_an_interval_is_not_rounded_up_to_certainty() -> None:
    assert str(interval(0.7513, 0.9987, as_percent=True)) == (
        "75.1\N{NO-BREAK SPACE}% to 99.9\N{NO-BREAK SPACE}%"
    )


def test_means_and_extents_skip_what_is_missing() -> None:
    assert mean([1.0, None, 3.0]) == 2.0
    assert mean([None]) is None
    assert extent([None, 3.0, 1.0]) == (1.0, 3.0)
    assert extent([]) == (None, None)
    assert ratio(1.0, 0.0) is None
    assert ratio(None, 1.0) is None
    assert ratio(1.0, 4.0) == 0.25


def test_words_are_counted_and_listed() -> None:
    assert [counted(n, "image") for n in (0, 1, 2)] == ["0 images", "1 image", "2 images"]
    assert [listed("abc"[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
