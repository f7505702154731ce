"""Held-out images for networks that make real images: magnitudes of the bundled slices."""

from __future__ import annotations

from torch import Tensor

from shaketable.zoo.bundled import bundled_images


def bundled_magnitudes(shape: tuple[int, int]) -> Tensor:
    """``(8, H, W)`` float32 in [0, 1]: the slices of :func:`shaketable.zoo.bundled_images`.

    Raises
    ------
    MissingDependencyError
        If nilearn is not installed.
    """
    return bundled_images(shape).abs()
