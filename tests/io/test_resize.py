"""Resizing: exact properties, and agreement with the continuous image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shaketable.errors import InputError
from shaketable.io import resize_image
from shaketable.io.resize import resampling_matrix

SIDES = st.integers(1, 40)


def test_same_shape_is_a_copy() -> None:
    image = np.random.default_rng(0).standard_normal((7, 9))
    resized = resize_image(image, (7, 9))
    np.testing.assert_array_equal(resized, image)
    assert not np.shares_memory(resized, image)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_dtype_is_kept(dtype: type) -> None:
    assert resize_image(np.ones((8, 8), dtype=dtype), (5, 6)).dtype == dtype


@settings(deadline=None, max_examples=60)
@given(n_old=SIDES, n_new=SIDES)
def test_weights_are_means(n_old: int, n_new: int) -> None:
    matrix = resampling_matrix(n_old, n_new)
    assert matrix.shape == (n_new, n_old)
    assert (matrix >= 0).all()
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(old=st.tuples(SIDES, SIDES), new=st.tuples(SIDES, SIDES), seed=st.integers(0, 99))
def test_values_stay_in_range(old: tuple[int, int], new: tuple[int, int], seed: int) -> None:
    image = np.random.default_rng(seed).uniform(0, 1, old)
    resized = resize_image(image, new)
    assert resized.shape == new
    assert resized.min() >= 0
    assert resized.max() <= image.max() + 1e-12


def test_complex_is_real_and_imaginary_part() -> None:
    generator = np.random.default_rng(1)
    image = generator.standard_normal((20, 16)) + 1j * generator.standard_normal((20, 16))
    resized = resize_image(image, (10, 8))
    np.testing.assert_allclose(resized.real, resize_image(image.real.copy() + 9, (10, 8)) - 9)
    np.testing.assert_allclose(resized.imag, resize_image(image.imag.copy() + 9, (10, 8)) - 9)


@pytest.mark.parametrize("n_new", [24, 32, 150])
def test_smooth_image_is_sampled_where_it_should_be(n_new: int) -> None:
    def wave(n: int) -> np.ndarray:
        line = (np.arange(n) + 0.5) / n
        return np.sin(2 * np.pi * line)[:, None] + np.cos(2 * np.pi * line)[None, :]

    resized = resize_image(wave(96), (n_new, n_new))
    np.testing.assert_allclose(resized, wave(n_new), atol=0.03)


def test_fine_pattern_is_not_folded_back() -> None:
    # Stripes at 0.45 cycles per pixel: taking every fourth pixel shows stripes that are not there.
    stripes = np.broadcast_to(np.cos(2 * np.pi * 0.45 * np.arange(128)), (128, 128)).copy()
    assert np.abs(stripes[::4, ::4]).max() > 0.9
    assert np.abs(resize_image(stripes + 1, (32, 32)) - 1)[:, 2:-2].max() < 0.05


def test_aspect_is_kept_and_the_rest_padded() -> None:
    resized = resize_image(np.ones((100, 50)), (40, 40))
    np.testing.assert_array_equal(np.flatnonzero(resized.any(axis=0)), np.arange(10, 30))
    assert resized.any(axis=1).all()
    np.testing.assert_allclose(resized[:, 10:30], 1)


def test_padding_of_an_image_below_zero_is_its_minimum() -> None:
    image = np.full((10, 4), 40.0)
    image[0, 0] = -1000
    resized = resize_image(image, (10, 10))
    assert (resized[:, :3] == -1000).all()
    assert (resize_image(image.astype(complex), (10, 10))[:, :3] == 0).all()


@pytest.mark.parametrize(
    ("image", "shape", "sentence"),
    [
        (np.ones((2, 4, 4)), (4, 4), "one by one"),
        (np.ones((4, 4), dtype=np.uint8), (4, 4), "floating-point"),
        (np.ones((4, 0)), (4, 4), "got float64 of shape"),
        (np.ones((4, 4)), (0, 4), "positive sides"),
    ],
)
def test_wrong_input_is_refused(image: np.ndarray, shape: tuple[int, int], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        resize_image(image, shape)
