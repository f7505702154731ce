"""Images that an installed library bundles: slices of the MNI152 template in nilearn."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shaketable.errors import MissingDependencyError
from shaketable.io import resize_image
from shaketable.zoo.images.training import square_image

Array = npt.NDArray[Any]

# Axial planes of the 1 mm template, from below the basal ganglia to the top of the brain.
TEST_SLICES = (50, 60, 70, 80, 95, 105, 115, 125)
# Training keeps this far from the planes that are tested, in millimetres.
_DISTANCE = 3
_TRAINED_PLANES = range(30, 141)


def bundled_image_ids() -> tuple[str, ...]:
    """The names of :func:`bundled_images`, such as ``mni152-z095``."""
    return tuple(f"mni152-z{plane:03d}" for plane in TEST_SLICES)


def bundled_images(shape: tuple[int, int]) -> Tensor:
    """Axial T1-weighted slices of an average brain, without the skull, as complex images.

    The template is a magnitude image; :func:`with_smooth_phase` makes it what a scanner measures.

    Parameters
    ----------
    shape
        ``(H, W)`` in pixels; the slice is resampled with anti-aliasing and keeps its aspect.

    Returns
    -------
    Tensor
        ``(8, H, W)`` complex64, the largest modulus of each is 1.

    Raises
    ------
    MissingDependencyError
        If nilearn is not installed.

    References
    ----------
    Fonov et al.: Unbiased average age-appropriate atlases for pediatric studies. NeuroImage 54(1),
    2011 (the ICBM 152 template, bundled in nilearn).
    """
    slices = [resize_image(axial_slice(plane), shape) for plane in TEST_SLICES]
    magnitudes = torch.from_numpy(np.stack([s / s.max() for s in slices]).astype(np.float32))
    return with_smooth_phase(magnitudes)


def with_smooth_phase(magnitudes: Tensor) -> Tensor:
    """Give magnitude images the smooth phase that MR images have.

    Coils, field inhomogeneity and echo timing leave a slowly varying phase on every MR image.
    Without one the spectrum is symmetric: half of the samples then say all, and any method that
    expects a real image looks better than it is on measured data. The phase is the same for all
    images: ``u - 0.6 v + 0.8 (u² - v²) + 0.7 u v + 0.5 cos(2.2 v)`` radians, with u across and v
    down, both from -1 to 1.

    Parameters
    ----------
    magnitudes
        ``(B, H, W)`` real.

    Returns
    -------
    Tensor
        ``(B, H, W)`` complex with the given moduli.

    References
    ----------
    Shimron, Tamir, Wang, Lustig: Implicit data crimes: machine learning bias arising from misuse of
    public data. PNAS 119(13), 2022.

    Examples
    --------
    >>> images = with_smooth_phase(torch.ones(1, 4, 4))
    >>> images.dtype, bool(torch.allclose(images.abs(), torch.ones(1, 4, 4)))
    (torch.complex64, True)
    """
    height, width = magnitudes.shape[-2:]
    v = torch.linspace(-1, 1, height, dtype=magnitudes.dtype)[:, None]
    u = torch.linspace(-1, 1, width, dtype=magnitudes.dtype)
    phase = u - 0.6 * v + 0.8 * (u**2 - v**2) + 0.7 * u * v + 0.5 * torch.cos(2.2 * v)
    return torch.polar(magnitudes, phase.expand_as(magnitudes).contiguous())


def template_training_images(size: int) -> Tensor:
    """Axial slices of the template for training without any file, 3 mm from every tested plane.

    They show the same brain as the test images, so that quality on those flatters a network that
    was trained on these.

    Parameters
    ----------
    size
        Height and width in pixels.

    Returns
    -------
    Tensor
        ``(N, size, size)`` float32 magnitudes, the peak of each is 1.

    Raises
    ------
    MissingDependencyError
        If nilearn is not installed.
    """
    planes = [
        plane
        for plane in _TRAINED_PLANES
        if min(abs(plane - tested) for tested in TEST_SLICES) >= _DISTANCE
    ]
    return torch.from_numpy(np.stack([square_image(axial_slice(p), size) for p in planes]))


def axial_slice(plane: int) -> Array:
    """``(233, 197)`` float64 slice of the 1 mm template, front at the top, in [0, 1]."""
    return np.ascontiguousarray(_template()[:, ::-1, plane].T)


@cache
def _template() -> Array:
    try:
        with warnings.catch_warnings():
            # Importing nilearn may warn of its own plans, which are no concern of the user here.
            warnings.simplefilter("ignore")
            from nilearn.datasets import load_mni152_template

            image = load_mni152_template(resolution=1)
    except ImportError as error:
        raise MissingDependencyError(
            "Expected nilearn for the bundled test images, but it is not installed; "
            "run: pip install 'shaketable[demo]'"
        ) from error
    return np.asarray(image.get_fdata(), dtype=np.float64)
