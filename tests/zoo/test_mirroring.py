"""Mirroring against NumPy's."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from shaketable.zoo.mirroring import mirror


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 20))
def test_is_numpys_symmetric_padding(height: int, width: int, margin: int) -> None:
    image = torch.arange(2 * height * width, dtype=torch.float64).reshape(2, height, width)
    got = mirror(image, margin)
    expected = [np.pad(part, margin, mode="symmetric") for part in image.numpy()]
    np.testing.assert_array_equal(got.numpy(), np.stack(expected))
