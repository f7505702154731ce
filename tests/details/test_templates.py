"""The drawn details: known shapes, symmetries, areas, and texts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from shaketable.details import DETAIL_NAMES, template
from shaketable.details.lesion import lesion
from shaketable.details.lettering import lettering, line_breaks
from shaketable.details.suits import club, diamond, graded_heart, heart, spade, suits
from shaketable.details.templates import text_of
from shaketable.errors import InputError


@pytest.mark.parametrize("name", [*DETAIL_NAMES, "text:Hi, 5"])
@pytest.mark.parametrize("size", [5, 16, 41])
def test_template_is_cropped_and_peaks_at_one(name: str, size: int) -> None:
    drawn = template(name, size)
    assert drawn.dtype == np.float64
    assert drawn.min() >= 0
    assert drawn.max() == 1
    assert drawn.any(axis=0).sum() >= 0.7 * drawn.shape[1]
    assert drawn.any(axis=1).sum() >= 0.7 * drawn.shape[0]


@pytest.mark.parametrize("draw", [spade, heart, diamond, club])
@pytest.mark.parametrize("size", [11, 24])
def test_suits_are_mirror_symmetric(draw: object, size: int) -> None:
    drawn = draw(size)  # type: ignore[operator]
    np.testing.assert_allclose(drawn, drawn[:, ::-1], atol=1e-12)


def test_diamond_has_the_area_of_its_formula() -> None:
    # |u/a|^p + |v|^p <= 1 covers 4 a Γ(1 + 1/p)² / Γ(1 + 2/p).
    from scipy.special import gamma

    exponent, half_width = 0.88, 0.84
    area = 4 * half_width * gamma(1 + 1 / exponent) ** 2 / gamma(1 + 2 / exponent)
    assert diamond(64).mean() == pytest.approx(area / 4, rel=2e-3)


def test_heart_has_its_lobes_above_and_its_tip_below() -> None:
    drawn = heart(40)
    widths = (drawn > 0.5).sum(axis=1)
    assert int(widths.argmax()) < 20
    assert widths[-2] < widths[5]
    assert drawn[2, 20] < drawn[2, 10], "the cleft between the lobes"


def test_spade_is_one_piece_with_a_foot() -> None:
    drawn = spade(40) > 0.5
    assert ndimage.label(drawn)[1] == 1
    widths = drawn.sum(axis=1)
    assert widths[1] < widths[20]
    assert widths[-1] > widths[33], "the stem widens towards its foot"


def test_club_has_three_leaves() -> None:
    row_of_leaves = club(60)[34] > 0.5
    assert row_of_leaves[4:8].all()
    assert row_of_leaves[-8:-4].all()
    assert not (club(60) > 0.5)[10, :15].any(), "the upper leaf stands alone"
    assert ndimage.label(club(60) > 0.5)[1] == 1


def test_edges_are_antialiased() -> None:
    for draw in (spade, heart, diamond, club):
        drawn = draw(24)
        assert ((drawn > 0) & (drawn < 1)).sum() > 20


def test_size_scales_the_same_shape() -> None:
    coarse, fine = spade(20), spade(40)
    np.testing.assert_allclose(fine.reshape(20, 2, 20, 2).mean(axis=(1, 3)), coarse, atol=0.02)


@pytest.mark.parametrize("n_rows", [1, 2])
def test_suits_are_the_four_shapes_apart(n_rows: int) -> None:
    drawn, gap = suits(20, n_rows=n_rows), 5
    n_columns = 4 // n_rows
    assert drawn.shape == (n_rows * 25 - gap, n_columns * 25 - gap)
    for number, one in enumerate((spade, heart, diamond, club)):
        top, left = 25 * (number // n_columns), 25 * (number % n_columns)
        np.testing.assert_array_equal(drawn[top : top + 20, left : left + 20], one(20))
    assert ndimage.label(drawn > 0.5)[1] == 4


def test_graded_heart_is_a_heart_with_a_rising_intensity() -> None:
    graded, plain = graded_heart(32), heart(32)
    np.testing.assert_array_equal(graded > 0, plain > 0)
    row = graded[14][plain[14] == 1]
    assert (np.diff(row) > 0).all()
    assert row[-1] / row[0] > 2.5


def test_lesion_is_one_smooth_piece_and_its_outline_depends_on_the_seed() -> None:
    blobs = [lesion(31, seed=seed) for seed in range(8)]
    for blob in blobs:
        assert ndimage.label(blob > 0.01)[1] == 1
        assert blob[15, 15] == 1
        assert np.abs(np.diff(blob, axis=0)).max() < 0.35, "no sharp edge"
        assert 0.2 < blob.mean() < 0.6
    assert not np.allclose(blobs[0], blobs[1])
    np.testing.assert_array_equal(blobs[3], lesion(31, seed=3))


def test_letters_differ_and_match_their_known_shape() -> None:
    i_shape, t_shape = lettering("I", 24), lettering("T", 24)
    assert i_shape.shape[1] < 8
    assert abs(i_shape.shape[0] - 24) <= 3
    assert t_shape[:3].sum() > 2 * t_shape[-3:].sum(), "a T is heavy at its top"
    letter_o = lettering("O", 24) > 0.5
    assert ndimage.label(~np.pad(letter_o, 1))[1] == 2, "an O has one hole"


def test_word_is_made_of_its_letters() -> None:
    # C A N U S E E I T: nine separate pieces of ink.
    assert ndimage.label(lettering("CAN U SEE IT", 40) > 0.3)[1] == 9


def test_line_break_puts_words_below_each_other() -> None:
    one, two = lettering("SEE IT", 20), lettering("SEE\nIT", 20)
    assert two.shape[0] > 2 * one.shape[0]
    assert two.shape[1] < one.shape[1]
    gap = two[one.shape[0] : one.shape[0] + 6]
    assert gap.max() == 0


@pytest.mark.parametrize(
    ("n_lines", "expected"),
    [(1, "CAN U SEE IT"), (2, "CAN U\nSEE IT"), (4, "CAN\nU\nSEE\nIT"), (5, None)],
)
def test_line_breaks_balance_the_lines(n_lines: int, expected: str | None) -> None:
    assert line_breaks("CAN U SEE IT", n_lines) == expected


def test_text_of_names() -> None:
    assert text_of("can-u-see-it") == "CAN U SEE IT"
    assert text_of("text:a b") == "a b"
    assert text_of("club") is None


@pytest.mark.parametrize(
    ("name", "size", "sentence"),
    [
        ("spad", 16, "did you mean 'spade'"),
        ("zebra", 16, "'text:'"),
        ("heart", 4, "at least 5, got 4"),
        ("text:  ", 16, "visible character"),
        ("text:♠", 16, "got '♠'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(name: str, size: int, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        template(name, size)
