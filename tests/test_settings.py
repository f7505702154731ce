"""Numbers that users set."""

import math

import numpy as np
import pytest

from shaketable.errors import InputError
from shaketable.settings import require_number, require_whole


@pytest.mark.parametrize("value", [0.5, 1, np.float32(0.5), np.int64(1)])
def test_numbers_within_their_bounds_pass(value):
    require_number("gain", value, above=0, at_most=1)


@pytest.mark.parametrize("value", [0, -1, 1.1, math.nan, math.inf, True, "1", None, 1j])
def test_other_numbers_are_refused_with_name_bounds_and_value(value):
    with pytest.raises(InputError) as caught:
        require_number("gain", value, above=0, at_most=1)
    assert str(caught.value) == (
        f"Expected gain to be a finite number above 0 and at most 1, got {value!r}."
    )


@pytest.mark.parametrize("value", [2, np.int32(2)])
def test_whole_numbers_pass(value):
    require_whole("n", value, at_least=2)


@pytest.mark.parametrize("value", [1, 2.0, True, "2", math.nan])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(InputError, match="n to be a whole number of at least 2, got "):
        require_whole("n", value, at_least=2)
