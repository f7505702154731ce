"""Where the object is in an image, and where in it a detail can go."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.signal import fftconvolve

from shaketable.errors import InputError

Mask = NDArray[np.bool_]

# Pixels between a detail and the rim of the object, or another detail.
MARGIN = 2
# A position is drawn from this share of the possible ones, those of lowest cost.
BEST_SHARE = 0.1
# Share of the peak brightness that a detail should find free above what lies under it.
HEADROOM = 0.3


def brightness(image: NDArray[Any]) -> NDArray[np.float64]:
    """Height above the background: ``|x|`` of a complex image, ``x - floor`` of a real one.

    The floor of a real image is zero, or its first percentile where that is negative: images scaled
    to [-1, 1] and Hounsfield units have a background below zero.
    """
    if np.iscomplexobj(image):
        return np.asarray(np.abs(image), dtype=np.float64)
    floor = min(0.0, float(np.percentile(image, 1)))
    return np.asarray(np.maximum(image.astype(np.float64) - floor, 0))


def object_mask(image: NDArray[Any], *, threshold: float = 0.1) -> Mask:
    """Find the object: the largest bright region, with its holes filled.

    The brightness is smoothed by a Gaussian of 1/64 of the image's shorter side, which closes the
    gaps between tissues, compared with the threshold, and what the smoothing added at the rim is
    taken off again. The peak is the 99th percentile, so that a few bright vessels do not hide the
    rest.

    Parameters
    ----------
    image
        ``(H, W)``, real or complex, any unit; finite.
    threshold
        Pixels above this share of the peak brightness belong to the object; between 0 and 1.

    Returns
    -------
    ``(H, W)`` booleans.

    Examples
    --------
    >>> image = np.zeros((9, 9))
    >>> image[2:7, 2:7] = 1
    >>> image[4, 4] = 0
    >>> int(object_mask(image).sum())
    25
    """
    bright = brightness(image)
    width = min(bright.shape) / 64
    smooth = ndimage.gaussian_filter(bright, width)
    if smooth.max() == 0:
        return np.zeros(bright.shape, dtype=bool)
    peak = np.percentile(smooth[smooth > 0.01 * smooth.max()], 99)
    filled = ndimage.binary_fill_holes(smooth > threshold * peak)
    # A smoothed step falls to the threshold this many standard deviations outside its edge.
    n_grown = round(width * NormalDist().inv_cdf(1 - threshold))
    if n_grown > 0:
        filled = ndimage.binary_erosion(filled, iterations=n_grown, border_value=1)
    labels, n_regions = ndimage.label(filled)
    if n_regions == 0:
        return np.zeros(bright.shape, dtype=bool)
    sizes = np.bincount(labels.ravel())[1:]
    result: Mask = labels == 1 + int(sizes.argmax())
    return result


def choose_position(
    image: NDArray[Any],
    template: NDArray[np.float64],
    allowed: Mask,
    generator: np.random.Generator,
) -> tuple[int, int] | None:
    """Draw a place for a template among the best ones where it lies fully inside.

    With the brightness ``b``, scaled to a maximum of 1, and means over the template's support, the
    cost of a place is ``mean(b²) - mean(b)² + mean(max(0, b - 0.7)²) / 3``: low where the image is
    smooth, and dark enough that a detail of 30 % contrast shows on the image's own grey scale.

    Parameters
    ----------
    image
        ``(H, W)``, real or complex.
    template
        ``(h, w)`` in [0, 1]; what is positive is its support.
    allowed
        ``(H, W)``: where the support may lie, less a rim of two pixels.
    generator
        Draws among the candidates.

    Returns
    -------
    The centre as (row, column), see :func:`shaketable.geometry.centred_window`; None where the
    template fits nowhere.
    """
    support = (template > 0).astype(np.float64)
    if any(small > large for small, large in zip(support.shape, allowed.shape, strict=True)):
        return None
    eroded = ndimage.binary_erosion(allowed, iterations=MARGIN)
    n_pixels = support.sum()
    fits = _sums_under(eroded.astype(np.float64), support) > n_pixels - 0.5
    if not fits.any():
        return None
    bright = brightness(image)
    bright = bright / bright.max()
    variance = _sums_under(bright**2, support) / n_pixels
    variance -= (_sums_under(bright, support) / n_pixels) ** 2
    overflow = np.maximum(bright - (1 - HEADROOM), 0)
    # A third, because a rough background hides a detail more than a bright one.
    cost = variance + _sums_under(overflow**2, support) / (3 * n_pixels)
    candidates = np.argwhere(fits)
    # Rounded, because the last digits of a fast Fourier transform differ between machines.
    costs = np.round(cost[fits], 9)
    n_kept = max(1, round(BEST_SHARE * len(candidates)))
    kept = np.argsort(costs, kind="stable")[:n_kept]
    top, left = candidates[kept[generator.integers(n_kept)]]
    return int(top) + support.shape[0] // 2, int(left) + support.shape[1] // 2


def as_image(image: NDArray[Any]) -> NDArray[Any]:
    """Check that an image can carry a detail.

    Raises
    ------
    InputError
        If it is not a two-dimensional, finite, floating-point image that is not zero everywhere.
    """
    if image.ndim != 2 or not np.issubdtype(image.dtype, np.inexact):
        raise InputError(
            f"Expected one real or complex floating-point image (H, W), got {image.dtype} of shape "
            f"{tuple(image.shape)}; pass the images of a batch one by one."
        )
    if image.size == 0 or not np.isfinite(image).all() or not image.any():
        raise InputError(
            "Expected a finite image that is not zero everywhere, got one that is empty, zero, or "
            "holds NaN or infinity; details are placed inside an object."
        )
    return image


def _sums_under(values: NDArray[np.float64], support: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of the values under the support, for every position of its top left corner."""
    result: NDArray[np.float64] = fftconvolve(values, support[::-1, ::-1], mode="valid")
    return result
