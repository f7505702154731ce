"""The metrics against scikit-image, and where the field's own go wrong."""

import numpy as np
import pytest
import torch
from skimage import metrics as skimage_metrics
from torch import Tensor

from shaketable.errors import InputError, ShapeError
from shaketable.metrics import psnr, relative_error, ssim

ALL = [relative_error, psnr, ssim]
every_metric = pytest.mark.parametrize("metric", ALL)


def _pair(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    reference = torch.rand(3, 24, 20, dtype=dtype, generator=random)
    return reference + 0.1 * torch.randn(3, 24, 20, dtype=dtype, generator=random), reference


def test_agree_with_scikit_image_on_real_images() -> None:
    image, reference = _pair()
    image, reference = image.abs(), reference.abs()
    for index, (got, wanted) in enumerate(zip(image.numpy(), reference.numpy(), strict=True)):
        expected = skimage_metrics.peak_signal_noise_ratio(wanted, got, data_range=wanted.max())
        assert float(psnr(image, reference)[index]) == pytest.approx(expected, rel=1e-12)
        expected = skimage_metrics.structural_similarity(
            wanted,
            got,
            data_range=wanted.max(),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        assert float(ssim(image, reference)[index]) == pytest.approx(expected, rel=1e-12)
        expected = skimage_metrics.normalized_root_mse(wanted, got)
        assert float(relative_error(image, reference)[index]) == pytest.approx(expected, rel=1e-12)


def test_ssim_is_the_formula_of_wang_et_al() -> None:
    image, reference = _pair()
    x, y = image[0].numpy(), reference[0].numpy()
    taps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(taps, taps) / taps.sum() ** 2

    def mean(values: np.ndarray) -> np.ndarray:
        patches = np.lib.stride_tricks.sliding_window_view(values, (11, 11))
        return (patches * window).sum(axis=(2, 3))

    x = np.abs(x)
    c1, c2 = (0.01 * y.max()) ** 2, (0.03 * y.max()) ** 2
    covariance = mean(x * y) - mean(x) * mean(y)
    variances = mean(x**2) - mean(x) ** 2 + mean(y**2) - mean(y) ** 2
    top = (2 * mean(x) * mean(y) + c1) * (2 * covariance + c2)
    bottom = (mean(x) ** 2 + mean(y) ** 2 + c1) * (variances + c2)
    assert float(ssim(image, reference)[0]) == pytest.approx((top / bottom).mean(), rel=1e-9)


@every_metric
def test_one_number_in_double_precision_per_image(metric: object) -> None:
    image, reference = _pair(torch.complex64)
    values = metric(image, reference)
    assert values.dtype == torch.float64
    assert tuple(values.shape) == (3,)
    alone = torch.cat([metric(image[i : i + 1], reference[i : i + 1]) for i in range(3)])
    assert torch.equal(values, alone)


def test_complex_differences_are_complex() -> None:
    reference = torch.ones(1, 16, 16, dtype=torch.complex64)
    turned = 1j * reference
    assert relative_error(turned, reference).item() == pytest.approx(np.sqrt(2))
    assert psnr(turned, reference).item() == pytest.approx(10 * np.log10(1 / 2))
    assert psnr(0 * reference, turned).item() == pytest.approx(0)
    assert relative_error(turned.real, turned).item() == pytest.approx(1)


def test_ssim_sees_magnitudes_only() -> None:
    image, reference = _pair(torch.complex128)
    assert torch.allclose(ssim(image * 1j, reference), ssim(image, reference), rtol=1e-12)
    assert torch.allclose(ssim(image.abs(), reference.abs()), ssim(image, reference), rtol=1e-12)


def test_the_peak_is_the_references() -> None:
    _, reference = _pair()
    bright = reference.clone()
    bright[:, 12, 10] += 10
    mean_square = 100 / reference[0].numel()
    expected = 10 * np.log10(float(reference[0].max()) ** 2 / mean_square)
    assert psnr(bright, reference)[0].item() == pytest.approx(expected)
    assert not torch.allclose(psnr(bright, reference), psnr(reference, bright))
    assert not torch.allclose(ssim(bright, reference), ssim(reference, bright))


def test_identical_images() -> None:
    _, reference = _pair(torch.complex128)
    assert relative_error(reference, reference).tolist() == [0.0] * 3
    assert psnr(reference, reference).tolist() == [float("inf")] * 3
    assert ssim(reference, reference).tolist() == pytest.approx([1.0] * 3)


@every_metric
def test_scaling_both_changes_nothing(metric: object) -> None:
    image, reference = _pair()
    assert torch.allclose(metric(1e3 * image, 1e3 * reference), metric(image, reference))


@pytest.mark.parametrize("metric", [relative_error, psnr])
def test_can_be_differentiated(metric: object) -> None:
    image, reference = _pair(torch.complex128)
    gradient = torch.autograd.grad(metric(image.requires_grad_(), reference).sum(), image)[0]
    assert bool(gradient.isfinite().all())
    assert bool((gradient != 0).any())


@every_metric
def test_nan_in_the_image_is_nan_and_stays_in_its_image(metric: object) -> None:
    image, reference = _pair()
    image[1, 12, 12] = float("nan")
    assert metric(image, reference).isnan().tolist() == [False, True, False]


@every_metric
def test_other_shapes_are_refused(metric: object) -> None:
    image, reference = _pair()
    with pytest.raises(ShapeError, match=r"shape \(3, 24, 20\), got \(1, 24, 20\)") as caught:
        metric(image[:1], reference)
    assert caught.value.got == (1, 24, 20)
    with pytest.raises(ShapeError, match=r"\(B, H, W\), got \(24, 20\); add a batch"):
        metric(image[0], reference[0])


@every_metric
def test_references_that_measure_nothing_are_refused(metric: object) -> None:
    image, reference = _pair()
    black = reference.clone()
    black[2] = 0
    with pytest.raises(InputError, match="not zero everywhere"):
        metric(image, black)
    with pytest.raises(InputError, match="finite reference"):
        metric(image, reference / 0)


def test_ssim_needs_its_window() -> None:
    with pytest.raises(ShapeError, match="at least 11 x 11"):
        ssim(torch.ones(1, 10, 64), torch.ones(1, 10, 64))
