"""Where details are put and how they are added."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from scipy import ndimage

from shaketable.details import (
    DETAIL_NAMES,
    composite,
    heart,
    make_details,
    object_mask,
    place,
    spade,
)
from shaketable.details.objects import MARGIN
from shaketable.errors import InputError, ShapeError


def disc(size: int, radius: float, *, hole: float = 0.0) -> torch.Tensor:
    """A bright disc, with a dark hole in its middle."""
    rows, columns = np.indices((size, size)) - size // 2
    distance = np.hypot(rows, columns)
    return torch.from_numpy(((distance < radius) & (distance >= hole)).astype(np.float32))


def test_object_is_the_largest_region_without_holes() -> None:
    image = disc(128, 40, hole=8).numpy()
    image[4:12, 4:12] = 1
    mask = object_mask(image)
    expected = disc(128, 40).numpy() > 0
    assert (mask & ~expected).sum() <= 0.02 * expected.sum()
    assert (expected & ~mask).sum() <= 0.08 * expected.sum()
    assert mask[64, 64], "the hole belongs to the object"
    assert not mask[8, 8], "the smaller region does not"


@pytest.mark.parametrize("offset", [-1.0, -1000.0])
def test_object_of_a_real_image_stands_on_its_negative_background(offset: float) -> None:
    image = offset + abs(offset) * disc(96, 30).numpy()
    np.testing.assert_array_equal(object_mask(image), object_mask(disc(96, 30).numpy()))


def test_bright_vessel_does_not_hide_the_object() -> None:
    image = disc(128, 40).numpy()
    image[60:63, 60:63] = 50
    assert object_mask(image).sum() > 0.8 * disc(128, 40).numpy().sum()


@pytest.mark.parametrize("name", [*DETAIL_NAMES, "text:AB"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_detail_lies_inside_the_object_with_room_to_spare(name: str, seed: int) -> None:
    image = disc(128, 50)
    [detail] = make_details(image, [name], seed=seed)
    grown = ndimage.binary_dilation(detail.support.numpy(), iterations=MARGIN)
    assert not (grown & ~object_mask(image.numpy())).any()


@pytest.mark.parametrize("contrast", [0.05, 0.3, 1.0])
def test_contrast_is_a_fraction_of_the_peak(contrast: float) -> None:
    image = 7 * disc(96, 40)
    for detail in make_details(image, DETAIL_NAMES, contrast=contrast, size=8):
        assert float(detail.array.max()) == pytest.approx(7 * contrast, rel=1e-6)
        assert float(detail.array.min()) == 0
        assert detail.array.dtype == torch.float32


def test_magnitude_of_a_complex_image_rises_by_the_contrast() -> None:
    ramp = torch.linspace(0, 2, 128)
    image = disc(128, 50) * torch.exp(1j * ramp)
    [detail] = make_details(image, ["club"], contrast=0.25, size=20)
    assert detail.array.dtype == torch.complex64
    rise = (image + detail.array).abs() - image.abs()
    torch.testing.assert_close(rise, detail.array.abs(), atol=2e-4, rtol=0)
    assert float(rise.max()) == pytest.approx(0.25, abs=1e-3)


def test_global_phase_turns_with_the_image() -> None:
    image = disc(96, 40).to(torch.complex128)
    [straight] = make_details(image, ["spade"])
    [turned] = make_details(1j * image, ["spade"])
    torch.testing.assert_close(turned.array, 1j * straight.array)


def test_same_seed_same_detail_whatever_else_is_asked_for() -> None:
    image = disc(128, 50) + 0.1 * torch.rand(128, 128, generator=torch.Generator().manual_seed(0))
    alone = make_details(image, ["club"], seed=3)[0]
    among = make_details(image, ["spade", "lesion", "club"], seed=3)[2]
    other = make_details(image, ["club"], seed=4)[0]
    assert torch.equal(alone.array, among.array)
    assert alone.position == among.position
    assert alone.position != other.position


def test_position_prefers_smooth_regions() -> None:
    generator = torch.Generator().manual_seed(1)
    image = torch.ones(128, 128)
    image[:, :80] += 0.8 * torch.rand(128, 80, generator=generator)
    for seed in range(6):
        [detail] = make_details(image, ["spade"], seed=seed, size=16)
        assert detail.position[1] > 80


def test_position_avoids_what_is_so_bright_that_nothing_shows() -> None:
    image = torch.full((128, 128), 0.95)
    image[:, 80:] = 0.5
    for seed in range(6):
        [detail] = make_details(image, ["club"], seed=seed, size=16)
        assert detail.position[1] > 80


def test_contrast_does_not_move_the_detail() -> None:
    image = disc(128, 50)
    positions = {make_details(image, ["club"], contrast=c)[0].position for c in (0.02, 0.3, 0.9)}
    assert len(positions) == 1


def test_details_kept_apart_do_not_touch() -> None:
    image = disc(160, 70)
    names = ["spade", "heart", "diamond", "club", "can-u-see-it", "lesion"]
    details = make_details(image, names, seed=5, apart=True)
    joined = composite(details)
    for first, second in combinations(details, 2):
        grown = ndimage.binary_dilation(first.support.numpy(), iterations=2)
        assert not (grown & second.support.numpy()).any(), (first.name, second.name)
    assert torch.equal(joined.array, torch.stack([d.array for d in details]).sum(0))
    assert joined.name == "+".join(names)


def test_text_too_wide_for_one_line_is_broken() -> None:
    wide, narrow = torch.ones(64, 300), torch.ones(128, 100)
    [one_line] = make_details(wide, ["can-u-see-it"], size=16)
    [broken] = make_details(narrow, ["can-u-see-it"], size=16)
    assert np.ptp(np.flatnonzero(one_line.support.any(1))) < 20
    assert np.ptp(np.flatnonzero(broken.support.any(1))) > 34


def test_four_suits_too_wide_for_one_row_stand_in_two() -> None:
    wide, narrow = torch.ones(64, 300), torch.ones(128, 60)
    [one_row] = make_details(wide, ["suits"], size=12)
    [two_rows] = make_details(narrow, ["suits"], size=12)
    assert np.ptp(np.flatnonzero(one_row.support.any(1))) == 11
    assert np.ptp(np.flatnonzero(two_rows.support.any(1))) == 26


def test_place_puts_the_template_where_it_is_told() -> None:
    drawn = heart(9)
    detail = place(torch.ones(32, 40), drawn, (10, 21), name="heart", contrast=0.5)
    expected = np.zeros((32, 40))
    expected[6:15, 17:26] = 0.5 * drawn
    np.testing.assert_allclose(detail.array.numpy(), expected, atol=1e-7)
    assert (detail.position, detail.size, detail.contrast) == ((10, 21), 9, 0.5)


def test_arrays_are_taken_too() -> None:
    detail = make_details(disc(96, 40).numpy().astype(np.float64), ["heart"])[0]
    assert detail.array.dtype == torch.float64


@pytest.mark.parametrize(
    ("image", "names", "settings", "sentence"),
    [
        (torch.ones(16, 16), ["heart"], {"size": 40}, "40 x 40 pixels"),
        (torch.ones(64, 64), ["heart"], {"size": 2}, "at least 5"),
        (disc(96, 9), ["heart"], {"size": 30}, "the 96 x 96 image"),
        (disc(96, 12), ["text:WONDERFUL"], {"size": 20}, "smaller size"),
        (torch.zeros(64, 64), ["heart"], {}, "not zero everywhere"),
        (torch.full((64, 64), float("nan")), ["heart"], {}, "finite"),
        (torch.ones(2, 64, 64), ["heart"], {}, "one by one"),
        (torch.ones(64, 64, dtype=torch.int32), ["heart"], {}, "floating-point"),
        (torch.ones(64, 64), ["heart"], {"contrast": 0.0}, "finite number above 0"),
        (torch.ones(64, 64), ["heart"], {"contrast": float("nan")}, "finite number above 0"),
        (torch.ones(64, 64), ["heart"], {"contrast": 3.0}, "at most 1"),
        (torch.ones(40, 40), ["heart"] * 9, {"size": 16, "apart": True}, "fewer details"),
    ],
)
def test_what_does_not_fit_is_refused(
    image: torch.Tensor, names: list[str], settings: dict[str, float], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        make_details(image, names, **settings)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_template_over_the_edge_is_refused() -> None:
    with pytest.raises(InputError, match="inside the 20 x 20 grid"):
        place(torch.ones(20, 20), spade(9), (2, 10), name="spade", contrast=0.5)


def test_composite_refuses_overlaps_nothing_and_other_shapes() -> None:
    image = torch.ones(32, 32)
    first = place(image, spade(9), (10, 10), name="spade", contrast=0.5)
    second = place(image, heart(9), (12, 12), name="heart", contrast=0.5)
    other = place(torch.ones(40, 40), heart(9), (30, 30), name="heart", contrast=0.5)
    with pytest.raises(InputError, match="do not overlap"):
        composite([first, second])
    with pytest.raises(InputError, match="at least one"):
        composite([])
    with pytest.raises(ShapeError, match="one image"):
        composite([first, other])
