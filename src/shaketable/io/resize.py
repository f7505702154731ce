"""Resize an image to a grid, keeping its aspect."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shaketable.errors import InputError
from shaketable.geometry import embed

Array = NDArray[Any]


def resize_image(image: Array, shape: tuple[int, int]) -> Array:
    """Resample an image into a grid, anti-aliased, with its aspect kept, and pad the rest.

    The image is scaled by ``min(H / h, W / w)`` and put into the middle. Every new pixel is a
    weighted mean of old ones under the kernel ``sinc(t) (0.54 + 0.46 cos(π t))``, ``|t| < 1``,
    along rows and columns in turn; ``t`` is the distance in units of the coarser of both grids, so
    that nothing above the new grid's limit of resolution is folded back. The kernel has no negative
    lobes and its weights sum to one: values stay within the old range and a constant stays itself.
    An image that already fits in one direction and is not larger in the other is only padded.

    Padding is zero, or the image's minimum where a real image has negative values (the air of a
    CT image).

    Parameters
    ----------
    image
        ``(h, w)``, real or complex floating point, any unit.
    shape
        ``(H, W)`` of the result, in pixels.

    Returns
    -------
    ``(H, W)``, in the dtype of the image; a copy.

    Raises
    ------
    InputError
        If the image is not two-dimensional and floating point, or the shape is not positive.

    Examples
    --------
    >>> resize_image(np.ones((8, 4)), (4, 4))
    array([[0., 1., 1., 0.],
           [0., 1., 1., 0.],
           [0., 1., 1., 0.],
           [0., 1., 1., 0.]])
    """
    if image.ndim != 2 or image.size == 0 or not np.issubdtype(image.dtype, np.inexact):
        raise InputError(
            f"Expected one floating-point image (H, W), got {image.dtype} of shape "
            f"{tuple(image.shape)}; convert it or pass the images of a stack one by one."
        )
    if min(shape) < 1:
        raise InputError(f"Expected a shape of positive sides, got {shape}; for example 256, 256.")
    factor = min(shape[0] / image.shape[0], shape[1] / image.shape[1])
    inner = (
        min(shape[0], max(1, round(image.shape[0] * factor))),
        min(shape[1], max(1, round(image.shape[1] * factor))),
    )
    fill = 0.0 if np.iscomplexobj(image) else min(0.0, float(image.min()))
    resampled = image
    if inner != image.shape:
        rows = resampling_matrix(image.shape[0], inner[0])
        columns = resampling_matrix(image.shape[1], inner[1])
        resampled = (rows @ image @ columns.T).astype(image.dtype)
    return embed(resampled, shape, fill=fill)


def resampling_matrix(n_old: int, n_new: int) -> NDArray[np.float64]:
    """Weights of the old pixels in the new ones: ``(n_new, n_old)``, rows sum to one.

    Both grids cover the same interval, pixel centres at half-integers.

    Examples
    --------
    >>> resampling_matrix(4, 2).round(2)
    array([[0.48, 0.48, 0.04, 0.  ],
           [0.  , 0.04, 0.48, 0.48]])
    """
    ratio = n_old / n_new
    centres = (np.arange(n_new) + 0.5) * ratio
    distance = (np.arange(n_old) + 0.5 - centres[:, None]) / max(ratio, 1.0)
    kernel = np.sinc(distance) * (0.54 + 0.46 * np.cos(np.pi * distance))
    weights = np.where(np.abs(distance) < 1, kernel, 0.0)
    result: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return result
