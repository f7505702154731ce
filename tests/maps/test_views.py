"""Sequences of views: exact counts, nesting, even spacing where it is promised."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shaketable.errors import InputError
from shaketable.maps.sampling import equispaced_views

SEQUENCE = equispaced_views()


def _numbers(n_views: int) -> list[int]:
    """The numbers of the views of a set, of 1000."""
    return (SEQUENCE.angles(n_views / 1000) * 1000 / torch.pi).round().int().tolist()


def _gaps(n_views: int) -> np.ndarray:
    numbers = _numbers(n_views)
    return np.diff([*numbers, numbers[0] + 1000])


@pytest.mark.parametrize("n_views", [10, 50, 100, 200, 1000])
def test_views_are_every_kth_where_that_is_promised(n_views: int) -> None:
    assert _numbers(n_views) == list(range(0, 1000, 1000 // n_views))


def test_fifty_views_are_the_papers() -> None:
    degrees = torch.rad2deg(SEQUENCE.angles(0.05))
    assert degrees.numpy() == pytest.approx(np.linspace(0, 180 * (1 - 1 / 50), 50))


def test_twenty_views_halve_the_gaps_of_ten_as_well_as_fifty_allow() -> None:
    assert set(_gaps(20)) == {40, 60}


@settings(max_examples=30, deadline=None)
@given(fewer=st.integers(1, 1000), more=st.integers(1, 1000))
def test_sets_are_exact_sorted_and_nested(fewer: int, more: int) -> None:
    fewer, more = sorted((fewer, more))
    few, many = _numbers(fewer), _numbers(more)
    assert len(set(few)) == len(few) == fewer
    assert few == sorted(few)
    assert set(few) <= set(many)
    assert max(few) < 1000


def test_the_next_view_stands_in_a_largest_gap() -> None:
    for n_views in (10, 13, 27, 44, 53, 77):
        before, gaps = set(_numbers(n_views)), _gaps(n_views)
        (new,) = set(_numbers(n_views + 1)) - before
        distance = min(min(abs(new - old), 1000 - abs(new - old)) for old in before)
        # Candidates are every 20th below 50 views and every 5th above.
        step = 20 if n_views < 50 else 5
        assert distance == gaps.max() // (2 * step) * step


def test_rates_count_views_of_full_sampling() -> None:
    assert SEQUENCE.n_views(0.05) == 50
    assert SEQUENCE.lowest_rate == 0.001
    assert SEQUENCE.describe() == {
        "pattern": "equispaced views", "n_total": 1000, "even": [10, 50, 200],
    }  # fmt: skip
    for rate in (0.0, 0.0004, 1.01, float("nan")):
        with pytest.raises(InputError, match="one view of 1000"):
            SEQUENCE.angles(rate)


@pytest.mark.parametrize(
    ("n_total", "even", "sentence"),
    [
        (1000, (20, 50), "got 20 before 50"),
        (1000, (50, 10), "got 50 before 10"),
        (1000, (50, 50), "got 50 before 50"),
        (360, (50,), "got 50 before 360"),
        (1000, (0, 50), "positive whole numbers"),
        (0, (), "positive whole numbers"),
    ],
)
def test_refuses_chains_that_are_not_nested(
    n_total: int, even: tuple[int, ...], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        equispaced_views(n_total, even=even)


def test_a_chain_may_be_empty_or_end_with_all_views() -> None:
    assert len(equispaced_views(7, even=()).angles(1.0)) == 7
    assert len(equispaced_views(8, even=(4, 8)).angles(0.5)) == 4
