"""Estimated coil maps against those that the data were made with, by both libraries."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from shaketable.errors import InputError, MissingDependencyError
from shaketable.maps import MultiCoilFourierMap, birdcage_coils, espirit, espirit_coils
from tests.helpers.oracles import relative_difference

SHAPE = (40, 36)


@pytest.fixture(params=["sigpy", "bart"])
def library(request: pytest.FixtureRequest) -> espirit.Library:
    if request.param == "sigpy":
        pytest.importorskip("sigpy")
    elif shutil.which("bart") is None:
        pytest.skip("the program bart is not installed")
    name: espirit.Library = request.param
    return name


def _object() -> torch.Tensor:
    """An ellipse with a structure and a smooth phase."""
    height, width = SHAPE
    down = torch.linspace(-1, 1, height, dtype=torch.float64)[:, None]
    right = torch.linspace(-1, 1, width, dtype=torch.float64)[None, :]
    inside = (down / 0.8) ** 2 + (right / 0.7) ** 2 < 1
    return inside * (1 + 0.3 * torch.cos(9 * down + 4 * right)) * torch.exp(0.8j * right)


def _data(mask: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    coils = birdcage_coils(6, SHAPE, dtype=torch.complex128)
    A = MultiCoilFourierMap(torch.ones(SHAPE) if mask is None else mask, coils)
    return A(_object()[None])[0], coils


def test_finds_the_coils_that_made_the_data(library: espirit.Library) -> None:
    kspace, coils = _data()
    found = espirit_coils(kspace, calibration=20, crop=0.9, library=library)
    assert found.shape == coils.shape
    assert found.dtype == torch.complex64
    seen = (found != 0).any(dim=0)
    middle = _object().abs() > 0.5
    assert float(seen[middle].to(torch.float64).mean()) > 0.99
    assert torch.allclose(found.abs().square().sum(0)[seen], torch.ones(int(seen.sum())), atol=1e-4)
    # One phase per pixel is free: the first coil is made real.
    turned = coils * (coils[0].conj() / coils[0].abs())
    both = seen & middle
    assert relative_difference(found[:, both], turned[:, both]) < 0.03
    assert float(found[0][both].imag.abs().max()) < 1e-4
    assert float(found[0][both].real.min()) > 0


def test_takes_the_largest_full_square_and_nothing_outside_it(library: espirit.Library) -> None:
    mask = torch.zeros(SHAPE, dtype=torch.bool)
    mask[12:28, 10:26] = True  # a centred square of 16
    mask = torch.fft.ifftshift(mask)
    kspace, _ = _data(mask)
    whole, _ = _data()
    found = espirit_coils(kspace, library=library)
    same = espirit_coils(whole, calibration=16, library=library)
    seen = (found != 0).any(0) & (same != 0).any(0)
    assert float(seen.to(torch.float64).mean()) > 0.3
    assert relative_difference(found[:, seen], same[:, seen]) < 1e-2
    with pytest.raises(InputError, match="fully sampled middle of at least 17 x 17"):
        espirit_coils(kspace, calibration=17, library=library)


def test_both_libraries_agree() -> None:
    pytest.importorskip("sigpy")
    if shutil.which("bart") is None:
        pytest.skip("the program bart is not installed")
    random = np.random.default_rng(0)
    kspace, _ = _data()
    noise = random.normal(size=(2, *kspace.shape)) * 0.02 * float(kspace.abs().mean())
    kspace = kspace + torch.complex(*torch.from_numpy(noise))
    for threshold in (0.01, 0.1):  # of singular values; BART counts their squares
        one, other = (
            espirit_coils(kspace, threshold=threshold, crop=0.8, library=name)
            for name in ("sigpy", "bart")
        )
        seen = (one != 0).any(0) & (other != 0).any(0)
        assert float((one != 0).any(0).to(torch.float64).mean()) == pytest.approx(
            float(seen.to(torch.float64).mean()), abs=0.02
        )
        assert relative_difference(one[:, seen], other[:, seen]) < 0.02


def test_says_what_to_install_where_neither_library_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espirit, "_sigpy_is_installed", lambda: False)
    monkeypatch.setattr(espirit.shutil, "which", lambda name: None)
    kspace, _ = _data()
    with pytest.raises(MissingDependencyError, match=r"sigpy or bart .*shaketable\[mri\]"):
        espirit_coils(kspace)
    with pytest.raises(MissingDependencyError, match="Expected bart to estimate"):
        espirit_coils(kspace, library="bart")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kernel_width": 1}, "kernel of at least 2"),
        ({"threshold": 0.0}, "threshold and crop between 0 and 1"),
        ({"crop": 1.0}, "threshold and crop between 0 and 1"),
        ({"library": "matlab"}, "got 'matlab'"),
        ({"calibration": 4}, "at least 4 x 4"),
    ],
)
def test_refuses_impossible_settings(change: dict[str, object], sentence: str) -> None:
    kspace, _ = _data()
    with pytest.raises(InputError, match=sentence):
        espirit_coils(kspace, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "kspace",
    [torch.ones(40, 36, dtype=torch.complex64), torch.ones(2, 8, 8), torch.zeros(2, 8, 8) * 1j],
)
def test_refuses_data_that_are_none(kspace: torch.Tensor) -> None:
    with pytest.raises(InputError, match=r"complex data of shape \(C, H, W\)"):
        espirit_coils(kspace)


def test_refuses_data_with_dc_in_the_middle() -> None:
    mask = torch.zeros(SHAPE, dtype=torch.bool)
    mask[12:28, 10:26] = True
    kspace, _ = _data(torch.fft.ifftshift(mask))
    with pytest.raises(InputError, match=r"check that DC is at \[0, 0\]"):
        espirit_coils(torch.fft.fftshift(kspace, dim=(-2, -1)))
