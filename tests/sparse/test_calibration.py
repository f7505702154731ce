"""Choosing the strength on other images."""

from __future__ import annotations

import math

import pytest
import torch

from shaketable.errors import InputError
from shaketable.metrics import psnr
from shaketable.sparse import AtNoiseLevel, TotalVariation, WaveletL1, calibrate
from tests.helpers.data import shared_data
from tests.sparse.scenes import lines, scene

STRENGTHS = (0.3, 0.003, 0.03)


def test_the_largest_strength_near_the_best_is_taken() -> None:
    forward, images = lines(), scene(batch=2)
    result = calibrate(
        TotalVariation(gap=1e-2), images, forward, strengths=STRENGTHS, loss_allowed=0.0
    )
    assert result.strengths.tolist() == sorted(STRENGTHS)
    assert tuple(result.psnr.shape) == (3, 2)
    best = int(result.psnr.mean(1).argmax())
    assert result.method.strength == sorted(STRENGTHS)[best]
    assert result.method.gap == 1e-2
    expected = psnr(result.method(forward(images), forward), images)
    torch.testing.assert_close(expected, result.psnr[best])
    generous = calibrate(
        TotalVariation(gap=1e-2), images, forward, strengths=STRENGTHS, loss_allowed=100.0
    )
    assert generous.method.strength == 0.3
    assert "within 100 dB" in str(generous.method.describe()["rule"])


def test_several_maps_are_pooled_and_noise_asks_for_more() -> None:
    images = scene(batch=1, noise=0.0)
    maps = [lines(rate=0.4), lines(rate=0.6)]
    method = WaveletL1(levels=2, wavelet="db1", gap=1e-2)
    clean = calibrate(method, images, maps, strengths=STRENGTHS)
    noisy = calibrate(method, images, maps, strengths=STRENGTHS, noise=0.3, seed=1)
    assert tuple(clean.psnr.shape) == (3, 2)
    assert noisy.method.strength > clean.method.strength
    again = calibrate(method, images, maps, strengths=STRENGTHS, noise=0.3, seed=1)
    assert torch.equal(again.psnr, noisy.psnr)


@pytest.mark.parametrize(
    "changes",
    [
        {"strengths": ()},
        {"strengths": ("0.1",)},
        {"strengths": (0.1, -1.0)},
        {"noise": -1.0},
        {"loss_allowed": -1.0},
        {"loss_allowed": math.nan},
        {"seed": 1.5},
    ],
)
def test_impossible_calibrations_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(
        InputError, match=r"Expected (images, maps and strengths|noise|loss_allowed|every|seed)"
    ):
        calibrate(TotalVariation(), scene(), lines(), **changes)  # type: ignore[arg-type]


def test_only_methods_with_a_strength_are_calibrated() -> None:
    for method in (AtNoiseLevel(method=TotalVariation(), noise=0.1), TotalVariation):
        with pytest.raises(InputError, match="Expected a sparse method with a strength"):
            calibrate(method, scene(), lines())  # type: ignore[type-var]


@pytest.mark.data
@pytest.mark.parametrize("method", [TotalVariation(), TotalVariation(values="ri"), WaveletL1()])
def test_default_strengths_are_near_the_best_on_the_images_they_come_from(
    method: TotalVariation | WaveletL1,
) -> None:
    import nibabel
    from skimage.transform import resize

    path = shared_data("brain-openms/patient01_study1_FLAIR.nii.gz")
    volume = nibabel.load(path).get_fdata(dtype="float32")
    image = resize(volume[:, :, 18], (64, 64), anti_aliasing=True)
    images = torch.from_numpy(image / image.max())[None].to(torch.complex64)
    forward = lines((64, 64), rate=1 / 3)
    strengths = (method.strength / 16, method.strength / 4, method.strength, 4 * method.strength)
    curve = calibrate(method, images, forward, strengths=strengths)
    assert bool(curve.converged.all())
    assert float(curve.psnr[2].mean()) >= float(curve.psnr.mean(1).max()) - 0.15
    zero_filled = psnr(forward.adjoint(forward(images)), images)
    assert float(curve.psnr[2].mean()) > float(zero_filled) + 1
