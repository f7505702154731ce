"""Boxes in pixel grids."""

from __future__ import annotations

import numpy as np
import pytest

from shaketable.errors import InputError
from shaketable.geometry import centred_window, embed


@pytest.mark.parametrize(
    ("size", "centre", "rows", "columns"),
    [
        ((3, 3), (4, 5), (3, 6), (4, 7)),
        ((2, 4), (4, 5), (3, 5), (3, 7)),
        ((1, 1), (0, 9), (0, 1), (9, 10)),
        ((8, 10), None, (0, 8), (0, 10)),
    ],
)
def test_window_lies_around_its_centre(
    size: tuple[int, int],
    centre: tuple[int, int] | None,
    rows: tuple[int, int],
    columns: tuple[int, int],
) -> None:
    assert centred_window(size, (8, 10), centre) == (slice(*rows), slice(*columns))


@pytest.mark.parametrize(
    ("size", "centre"), [((3, 3), (0, 5)), ((3, 3), (4, 9)), ((9, 1), None), ((1, 1), (8, 0))]
)
def test_window_over_the_edge_is_refused(
    size: tuple[int, int], centre: tuple[int, int] | None
) -> None:
    with pytest.raises(InputError, match="inside the 8 x 10 grid"):
        centred_window(size, (8, 10), centre)


def test_embed_keeps_values_and_dtype_and_fills_the_rest() -> None:
    small = np.array([[1 + 2j, 3]], dtype=np.complex64)
    large = embed(small, (3, 4), centre=(2, 1), fill=-1)
    assert large.dtype == np.complex64
    np.testing.assert_array_equal(large[2, :2], small[0])
    assert (large == -1).sum() == 10
