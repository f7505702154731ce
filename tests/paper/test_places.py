"""Places found by measurement, against trying all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shaketable.paper.places import Box, place_around, strongest_place


@given(arrays(np.float64, (9, 13), elements=st.integers(-3, 3).map(float)))
@settings(max_examples=50, deadline=None)
def test_the_strongest_place_is_the_one_found_by_trying_all(change):
    box = strongest_place(change, share=1 / 3)
    assert box.side == 3
    energy = {
        (i, j): float((change[i : i + 3, j : j + 3] ** 2).sum())
        for i in range(7)
        for j in range(11)
    }
    assert energy[box.row, box.column] == max(energy.values())


@given(
    st.integers(0, 29), st.integers(0, 39), st.integers(1, 30), st.integers(1, 40),
    st.sampled_from([0.0, 0.2, 1.0]),
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_the_place_around_a_detail_holds_all_of_it_and_lies_inside(
    top, left, height, width, margin
):
    detail = np.zeros((30, 40))
    detail[top : top + height, left : left + width] = 1
    box = place_around(detail, margin)
    longer = max(detail.any(axis=1).sum(), detail.any(axis=0).sum())
    assert box.side == min(round((1 + 2 * margin) * longer), 30)
    part = box.cut(detail)
    assert part.shape == (box.side, box.side)
    if longer <= box.side:
        assert part.sum() == detail.sum()


def test_a_box_cuts_rows_and_columns():
    image = np.arange(20).reshape(4, 5)
    assert Box(row=1, column=2, side=2).cut(image).tolist() == [[7, 8], [12, 13]]
    with pytest.raises(ValueError, match="zero-size"):
        place_around(np.zeros((3, 3)))
