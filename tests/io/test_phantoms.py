from __future__ import annotations

import numpy as np
import pytest

from shaketable.errors import InputError
from shaketable.io import array_sha256, ellipse_phantoms


def test_images_are_what_their_seed_and_number_say() -> None:
    few, many = ellipse_phantoms(2, (64, 48), seed=5), ellipse_phantoms(4, (64, 48), seed=5)
    assert [image.sha256 for image in many[:2]] == [image.sha256 for image in few]
    assert len({image.sha256 for image in (*many, *ellipse_phantoms(4, (64, 48), seed=6))}) == 8
    assert [image.id for image in many] == [f"ellipses-5-00{number}" for number in range(4)]
    for image in many:
        assert image.array.shape == (64, 48)
        assert image.array.dtype == np.float32
        assert image.sha256 == array_sha256(image.array)


def test_without_anything_inside_it_is_one_smooth_edged_ellipse() -> None:
    for image in ellipse_phantoms(5, (128, 128), n_inside=(0, 0)):
        value = image.array.max()
        assert 0.8 <= value <= 1.2
        down, right = np.nonzero(image.array > value / 2)
        # Second moments of a full ellipse: a² / 4 along each half axis a.
        covariance = np.cov(down, right)
        half_axes = 2 * np.sqrt(np.linalg.eigvalsh(covariance)) / 64
        assert 0.54 < half_axes[0] <= half_axes[1] < 0.91
        area = np.pi * half_axes[0] * half_axes[1] * 64**2
        assert image.array.sum() / value == pytest.approx(area, rel=5e-3)
        assert (down.mean(), right.mean()) == pytest.approx((63.5, 63.5), abs=0.1)
        edge = (image.array > 0.01) & (image.array < value - 0.01)
        assert 150 < edge.sum() < 700  # about one pixel along the circumference


def test_the_same_draw_has_the_same_shapes_in_another_size() -> None:
    [small], [large] = (
        ellipse_phantoms(1, (64, 64), seed=2),
        ellipse_phantoms(1, (128, 128), seed=2),
    )
    shrunk = large.array.reshape(64, 2, 64, 2).mean(axis=(1, 3))
    error = np.linalg.norm(shrunk - small.array) / np.linalg.norm(small.array)
    assert error < 0.02


def test_nothing_is_negative_or_reaches_the_border() -> None:
    images = np.stack([image.array for image in ellipse_phantoms(12, (96, 96), seed=1)])
    assert images.min() == 0
    border = np.ones((96, 96), dtype=bool)
    border[2:-2, 2:-2] = False
    assert images[:, border].max() == 0
    assert images.max(axis=(1, 2)).min() > 0.5
    inside = images[:, 48 - 8 : 48 + 8, 48 - 8 : 48 + 8]
    assert inside.std() > 0.05


@pytest.mark.parametrize(
    "change",
    [{"count": 0}, {"shape": (4, 64)}, {"seed": -1}, {"n_inside": (5, 3)}],
    ids=str,
)
def test_impossible_numbers_are_refused(change: dict[str, object]) -> None:
    settings = {"count": 1, "shape": (16, 16), **change}
    with pytest.raises(InputError, match="at least one image of at least 8 x 8"):
        ellipse_phantoms(**settings)  # type: ignore[arg-type]
