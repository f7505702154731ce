"""The measures against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shaketable.details import contrast_recovery, heart, leakage, place, template_correlation
from shaketable.errors import InputError, ShapeError


def detail_of(dtype: torch.dtype = torch.float64) -> torch.Tensor:
    image = torch.ones(48, 40, dtype=dtype)
    return place(image, heart(13), (20, 18), name="heart", contrast=0.3).array


def square(top: int, left: int, side: int = 4, shape: tuple[int, int] = (32, 32)) -> torch.Tensor:
    image = torch.zeros(shape, dtype=torch.float64)
    image[top : top + side, left : left + side] = 1
    return image


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64, torch.complex128])
def test_perfect_reconstruction(dtype: torch.dtype) -> None:
    s = detail_of(dtype)
    assert float(contrast_recovery(s, s)) == pytest.approx(1, abs=1e-12)
    assert float(template_correlation(s, s)) == pytest.approx(1, abs=1e-12)
    assert float(leakage(s, s)) == 0


def test_nothing_left() -> None:
    s = detail_of()
    nothing = torch.zeros_like(s)
    assert float(contrast_recovery(nothing, s)) == 0
    assert float(template_correlation(nothing, s)) == 0
    assert float(leakage(nothing, s)) == 0


@settings(deadline=None, max_examples=40)
@given(
    factor=st.floats(-4, 4).filter(lambda value: abs(value) > 1e-3),
    angle=st.floats(-math.pi, math.pi),
)
def test_scaled_and_turned(factor: float, angle: float) -> None:
    s = detail_of(torch.complex128)
    turn = complex(math.cos(angle), math.sin(angle))
    assert float(contrast_recovery(factor * turn * s, s)) == pytest.approx(
        factor * math.cos(angle), abs=1e-9
    )
    assert float(template_correlation(factor * turn * s, s)) == pytest.approx(1, abs=1e-9)


def test_shifted_by_part_of_its_width() -> None:
    # Two 4 x 4 squares, one pixel apart: the overlap is 12 of 16 pixels.
    s, d = square(10, 10), square(10, 11)
    assert float(contrast_recovery(d, s)) == pytest.approx(0.75)
    # Window: 4 + 2 (2 + 1) = 10 pixels a side, so the mean is 16 / 100 for both.
    mean = 16 / 100
    expected = (12 / 100 - mean**2) / (mean - mean**2)
    assert float(template_correlation(d, s)) == pytest.approx(expected)
    assert float(leakage(d, s)) == 0, "one pixel is within the margin"
    assert float(leakage(d, s, margin=0)) == pytest.approx(math.sqrt(4 / 16))


def test_shifted_far_away() -> None:
    s, d = square(4, 4), square(24, 24)
    assert float(contrast_recovery(d, s)) == 0
    assert float(template_correlation(d, s)) == 0
    assert float(leakage(d, s)) == pytest.approx(1)


def test_plain_brightening_is_no_detail() -> None:
    s = square(10, 10)
    assert float(template_correlation(torch.full_like(s, 0.7), s)) == pytest.approx(0, abs=1e-7)
    assert float(template_correlation(s + 5, s)) == pytest.approx(1)


def test_dilation_is_upright_and_of_the_margin() -> None:
    s = square(10, 10, side=1)
    for distance, expected in ((2, 0.0), (3, 1.0)):
        for step in ((0, 1), (1, 0), (-1, -1)):
            d = square(10 + distance * step[0], 10 + distance * step[1], side=1)
            assert float(leakage(d, s)) == expected


def test_window_is_cut_at_the_edge() -> None:
    s = square(0, 28)
    assert float(template_correlation(s, s)) == pytest.approx(1)
    assert float(leakage(s, s)) == 0


def test_imaginary_change_recovers_no_contrast_but_keeps_the_shape() -> None:
    s = detail_of()
    assert float(contrast_recovery(1j * s, s)) == pytest.approx(0, abs=1e-12)
    assert float(template_correlation(1j * s, s)) == pytest.approx(1)


@pytest.mark.parametrize("shared", [True, False])
def test_batch_equals_one_by_one(shared: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    d = torch.randn(3, 32, 32, generator=generator, dtype=torch.complex128)
    s = torch.stack([square(4, 4), square(4, 4) if shared else square(20, 9, side=6), square(4, 4)])
    batch_s = s[0] if shared else s
    for measure in (contrast_recovery, template_correlation, leakage):
        together = measure(d, batch_s)
        alone = torch.stack([measure(d[i], s[i]) for i in range(3)])
        assert together.shape == (3,)
        assert together.dtype == torch.float64
        torch.testing.assert_close(together, alone)


def test_correlation_and_recovery_agree_with_the_formulas() -> None:
    generator = torch.Generator().manual_seed(3)
    d = torch.randn(32, 32, generator=generator, dtype=torch.float64)
    s = square(10, 10)
    assert float(contrast_recovery(d, s)) == pytest.approx(float((d * s).sum() / 16))
    window = (slice(7, 17), slice(7, 17))
    pearson = torch.corrcoef(torch.stack([d[window].ravel(), s[window].ravel()]))[0, 1]
    assert float(template_correlation(d, s)) == pytest.approx(abs(float(pearson)))
    outside = d.clone()
    outside[8:16, 8:16] = 0
    assert float(leakage(d, s)) == pytest.approx(float(outside.norm() / 4))


@pytest.mark.parametrize("measure", [contrast_recovery, template_correlation, leakage])
def test_wrong_shapes_and_empty_details_are_refused(measure: object) -> None:
    with pytest.raises(ShapeError):
        measure(torch.ones(2, 8, 8), torch.ones(3, 8, 8))  # type: ignore[operator]
    with pytest.raises(ShapeError):
        measure(torch.ones(8, 8), torch.ones(2, 8, 8))  # type: ignore[operator]
    with pytest.raises(ShapeError):
        measure(torch.ones(8), torch.ones(8))  # type: ignore[operator]
    with pytest.raises(InputError, match="not zero everywhere"):
        measure(torch.ones(8, 8), torch.zeros(8, 8))  # type: ignore[operator]


def test_detail_without_shape_and_negative_margin_are_refused() -> None:
    with pytest.raises(InputError, match="constant over its window"):
        template_correlation(torch.rand(8, 8), torch.ones(8, 8))
    with pytest.raises(InputError, match="margin"):
        leakage(square(4, 4), square(4, 4), margin=-1)
