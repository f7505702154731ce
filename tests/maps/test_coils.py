"""Simulated coil maps against another library's, and what they must be."""

import numpy as np
import pytest
import torch

from shaketable.errors import InputError
from shaketable.maps import birdcage_coils
from tests.helpers.oracles import relative_difference


@pytest.mark.parametrize(("n_coils", "shape", "radius"), [(8, (32, 24), 1.5), (5, (17, 21), 2.2)])
def test_agree_with_sigpy(n_coils: int, shape: tuple[int, int], radius: float) -> None:
    mri = pytest.importorskip("sigpy.mri")
    expected = torch.from_numpy(mri.birdcage_maps((n_coils, *shape), r=radius))
    got = birdcage_coils(n_coils, shape, radius=radius, dtype=torch.complex128)
    assert relative_difference(got, expected) < 1e-13


def test_without_normalising_they_fall_with_the_distance_from_the_wire() -> None:
    coils = birdcage_coils(4, (64, 64), normalized=False, dtype=torch.complex128)
    # The first wire is at 1.5 half images to the right of the middle, pixel 32.
    assert float(coils[0, 32, 32].abs()) == pytest.approx(1 / 1.5)
    assert float(coils[0, 32, 48].abs()) == pytest.approx(1 / (1.5 - 0.5))
    turned = coils[1].abs()  # the second is below it, a quarter turn on
    assert float(turned[48, 32]) == pytest.approx(1.0)


def test_are_smooth_and_normalised() -> None:
    coils = birdcage_coils(15, (128, 96))
    assert coils.dtype == torch.complex64
    assert torch.allclose(coils.abs().square().sum(0), torch.ones(128, 96), atol=1e-5)
    # Wires come near the corners; where an object lies maps change by little from pixel to pixel.
    inside = coils[:, 16:-16, 12:-12].numpy()
    assert max(np.abs(np.diff(inside, axis=axis)).max() for axis in (1, 2)) < 0.03


@pytest.mark.parametrize(
    ("n_coils", "shape", "radius", "dtype", "sentence"),
    [
        (0, (8, 8), 1.5, torch.complex64, "at least one coil"),
        (4, (8, 8, 8), 1.5, torch.complex64, r"shape \(H, W\)"),
        (4, (8, 8), -1.0, torch.complex64, "positive radius"),
        (4, (8, 8), 1.5, torch.float32, "complex64 or complex128"),
        (4, (8, 8), 0.5, torch.complex64, "one on a pixel"),
    ],
)
def test_refuses_what_makes_no_coils(
    n_coils: int, shape: tuple[int, ...], radius: float, dtype: torch.dtype, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        birdcage_coils(n_coils, shape, radius=radius, dtype=dtype)
