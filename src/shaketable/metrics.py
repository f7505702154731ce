"""Distances of images from a reference: complex-safe, with the peak of the reference.

No metric looks at the range of the reconstruction, and none rescales: an artefact that is brighter
than the image must not make the image look better.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from shaketable.errors import InputError, ShapeError

# Wang et al. 2004: a Gaussian window of standard deviation 1.5, cut off at 11 x 11.
_SSIM_SIGMA = 1.5
_SSIM_WINDOW = 11


def relative_error(image: Tensor, reference: Tensor) -> Tensor:
    """``‖image − reference‖₂ / ‖reference‖₂`` per image, of complex differences.

    Parameters
    ----------
    image
        ``(B, H, W)``, real or complex; NaN or infinity in it gives NaN or infinity.
    reference
        ``(B, H, W)``, real or complex.

    Returns
    -------
    Tensor
        ``(B,)`` float64.

    Raises
    ------
    ShapeError
        If the shapes differ or are not ``(B, H, W)``.
    InputError
        If an image of the reference is zero everywhere, or not finite.

    Examples
    --------
    >>> import torch
    >>> relative_error(1.1j * torch.ones(1, 4, 4), 1j * torch.ones(1, 4, 4)).round(decimals=6)
    tensor([0.1000], dtype=torch.float64)
    """
    image, reference = _comparable(image, reference)
    distance: Tensor = torch.linalg.vector_norm(image - reference, dim=(1, 2))
    size: Tensor = torch.linalg.vector_norm(reference, dim=(1, 2))
    return distance / size


def psnr(image: Tensor, reference: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB per image: ``10 log₁₀(peak² / mean|image − reference|²)``.

    The peak is ``max|reference|``. Identical images have an infinite one.

    Parameters
    ----------
    image
        ``(B, H, W)``, real or complex; NaN in it gives NaN.
    reference
        ``(B, H, W)``, real or complex.

    Returns
    -------
    Tensor
        ``(B,)`` float64, in dB.

    Raises
    ------
    ShapeError
        If the shapes differ or are not ``(B, H, W)``.
    InputError
        If an image of the reference is zero everywhere, or not finite.

    Examples
    --------
    >>> import torch
    >>> psnr(torch.zeros(1, 4, 4), 1j * torch.ones(1, 4, 4))
    tensor([0.], dtype=torch.float64)
    """
    image, reference = _comparable(image, reference)
    mean_square = (image - reference).abs().square().mean(dim=(1, 2))
    return 10 * torch.log10(_peak(reference).square() / mean_square)


def ssim(image: Tensor, reference: Tensor) -> Tensor:
    """Structural similarity of the magnitudes per image, 1 for identical magnitudes.

    Gaussian window of standard deviation 1.5, 11 x 11, constants 0.01 and 0.03, the mean over all
    windows that lie inside the image, and the range of the data taken as ``max|reference|``. Not
    differentiable.

    Parameters
    ----------
    image
        ``(B, H, W)``, real or complex; NaN in it gives NaN.
    reference
        ``(B, H, W)``, real or complex, at least 11 pixels high and wide.

    Returns
    -------
    Tensor
        ``(B,)`` float64.

    Raises
    ------
    ShapeError
        If the shapes differ, are not ``(B, H, W)``, or the images are smaller than the window.
    InputError
        If an image of the reference is zero everywhere, or not finite.

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli: "Image quality assessment: from error visibility to structural
    similarity", IEEE TIP 13 (2004).

    Examples
    --------
    >>> import torch
    >>> ramp = torch.arange(256.0).reshape(1, 16, 16)
    >>> ssim(1j * ramp, ramp)
    tensor([1.], dtype=torch.float64)
    """
    from skimage import metrics

    structural_similarity: Callable[..., float] = metrics.structural_similarity
    image, reference = _comparable(image, reference)
    if min(reference.shape[1:]) < _SSIM_WINDOW:
        raise ShapeError(
            f"Expected images of at least {_SSIM_WINDOW} x {_SSIM_WINDOW} pixels, the window of "
            f"SSIM, got {tuple(reference.shape)}; use psnr for smaller ones.",
            expected=(-1, _SSIM_WINDOW, _SSIM_WINDOW),
            got=tuple(reference.shape),
        )
    magnitudes = zip(_magnitudes(image), _magnitudes(reference), strict=True)
    values = [
        structural_similarity(
            got,
            wanted,
            data_range=float(wanted.max()),
            gaussian_weights=True,
            sigma=_SSIM_SIGMA,
            use_sample_covariance=False,
        )
        for got, wanted in magnitudes
    ]
    return torch.tensor(values, dtype=torch.float64)


def _comparable(image: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Return both in double precision, after the checks that all metrics share."""
    if reference.ndim != 3 or reference.numel() == 0:
        raise ShapeError(
            f"Expected a reference of shape (B, H, W), got {tuple(reference.shape)}; "
            "add a batch dimension to a single image with x[None].",
            got=tuple(reference.shape),
        )
    if image.shape != reference.shape:
        raise ShapeError(
            f"Expected an image of the reference's shape {tuple(reference.shape)}, got "
            f"{tuple(image.shape)}; nothing is broadcast in a metric.",
            expected=tuple(reference.shape),
            got=tuple(image.shape),
        )
    if not bool(reference.isfinite().all()):
        raise InputError("Expected a finite reference, got NaN or infinity; check the image.")
    if bool((_peak(reference) == 0).any()):
        raise InputError(
            "Expected a reference that is not zero everywhere, got a black image; "
            "leave it out: no error is relative to nothing."
        )
    image = image.to(device=reference.device)
    return _in_double(image), _in_double(reference)


def _in_double(x: Tensor) -> Tensor:
    return x.to(torch.complex128 if x.is_complex() else torch.float64)


def _peak(reference: Tensor) -> Tensor:
    return reference.abs().amax(dim=(1, 2))


def _magnitudes(x: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return x.detach().abs().cpu().numpy()
