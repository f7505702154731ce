"""Arrays as small greyscale PNG pictures inside the page."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shaketable.blocks.quantities import readable

Array = NDArray[Any]
MAGNIFICATIONS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)


@dataclass(frozen=True, kw_only=True)
class GreyScale:
    """Which value is black and which is white.

    Parameters
    ----------
    low, high
        The values drawn black and white, in the image's units; beyond them is clipped.
    signed
        Whether values are drawn (real images that hold negative values) or magnitudes.
    """

    low: float
    high: float
    signed: bool = False

    @property
    def sentence(self) -> str:
        """The scale as it is printed."""
        return f"{readable(self.low)} (black) to {readable(self.high)} (white)"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture inside the page.

    Parameters
    ----------
    uri
        ``data:image/png;base64,...``.
    alt
        What it shows, in words.
    width, height
        Stored pixels.
    """

    uri: str
    alt: str
    width: int
    height: int


def shown_values(array: Array, signed: bool = False) -> Array:
    """``(H, W)`` magnitudes as float64, or the values themselves where ``signed``."""
    return np.asarray(array.real if signed else np.abs(array), dtype=np.float64)


def grey_scale(image: Array) -> GreyScale:
    """Return the scale of a figure, from the tested image alone: nothing else changes it.

    Complex and non-negative images: 0 to the largest magnitude. Real images with negative values:
    smallest to largest value.
    """
    finite = image[np.isfinite(image)]
    if finite.size == 0:
        return GreyScale(low=0.0, high=1.0)
    signed = not np.iscomplexobj(finite) and bool(finite.min() < 0)
    values = shown_values(finite, signed)
    low = float(values.min()) if signed else 0.0
    high = float(values.max())
    return GreyScale(low=low, high=high if high > low else low + 1.0, signed=signed)


def largest(arrays: Sequence[Array | None]) -> float:
    """Return the largest finite magnitude in some arrays; 0 where there is none."""
    found = 0.0
    for array in arrays:
        if array is not None:
            values = np.abs(array)
            values = values[np.isfinite(values)]
            found = max(found, float(values.max()) if values.size else 0.0)
    return found


def magnification(perturbations: Sequence[Array | None], scale: GreyScale) -> int:
    """Return the largest round factor that keeps 99.8 % of every perturbation within the scale."""
    sizes = [np.abs(array)[np.isfinite(array)] for array in perturbations if array is not None]
    peak = max((float(np.quantile(size, 0.998)) for size in sizes if size.size), default=0.0)
    if peak <= 0:
        return 1
    room = (scale.high - scale.low) / peak
    return max((factor for factor in MAGNIFICATIONS if factor <= room), default=1)


def reduced(values: Array, factor: int) -> Array:
    """Return the means of ``factor x factor`` blocks; a border that fills no block is cut off."""
    if factor == 1:
        return values
    height, width = (length // factor for length in values.shape)
    blocks = values[: height * factor, : width * factor]
    means: Array = blocks.reshape(height, factor, width, factor).mean(axis=(1, 3))
    return means


def reduction(shape: Sequence[int], largest_side: int) -> int:
    """By which whole factor a picture is made smaller so that no side exceeds the limit."""
    factor = math.ceil(max(shape) / largest_side)
    return max(1, min(factor, *shape))


def encode(array: Array, scale: GreyScale, alt: str, largest_side: int = 512) -> Picture:
    """One picture: black at ``scale.low``, white at ``scale.high``, 8 bit.

    Values that are no numbers are drawn as a checkerboard and counted in the alternative text.

    Parameters
    ----------
    array
        ``(H, W)``, real or complex.
    scale
        The grey scale.
    alt
        What the picture shows.
    largest_side
        Larger pictures are reduced by averaging whole blocks.
    """
    values = shown_values(array, scale.signed)
    broken = ~np.isfinite(values)
    n_broken = int(broken.sum())
    values = np.clip(
        (np.where(broken, scale.low, values) - scale.low) / (scale.high - scale.low), 0, 1
    )
    if n_broken:
        rows, columns = np.indices(values.shape)
        values = np.where(broken, (rows // 4 + columns // 4) % 2, values)
        alt = f"{alt} ({n_broken} of {values.size} values are not numbers: checkerboard)"
    values = reduced(values, reduction(values.shape, largest_side))
    grey = np.rint(255 * values).astype(np.uint8)
    height, width = grey.shape
    return Picture(uri=_png(grey), alt=alt, width=width, height=height)


def _png(grey: Array) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(grey)).save(buffer, format="PNG", compress_level=7)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
