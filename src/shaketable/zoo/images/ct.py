"""Images of computed tomography: to train on, and those that exist on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shaketable.errors import InputError, MissingDependencyError
from shaketable.io import ellipse_phantoms, load_images, resize_image
from shaketable.zoo.images.bundled import TEST_SLICES, axial_slice
from shaketable.zoo.images.training import image_files, resampled_square

Array = npt.NDArray[Any]

# Phantoms that are tested have another seed than those of the recipe.
TEST_SEED = 1000
_N_TEST = 20
# Every scan counts as much as any other: it gives this many images, thinned or repeated.
_PER_SCAN = 24
# In Hounsfield units air is -1000; other images have no values so low.
_AIR_AT_MOST = -500.0
# A slice shows the object when this share of its pixels attenuates more than a fifth of water.
_LEAST_OBJECT = 0.05
_CT_ID = "pydicom-ct-small"


def ellipse_test_images(shape: tuple[int, int]) -> Tensor:
    """``(20, H, W)`` float32 random ellipses, attenuation relative to water."""
    phantoms = ellipse_phantoms(_N_TEST, shape, seed=TEST_SEED)
    return torch.from_numpy(np.stack([phantom.array for phantom in phantoms]))


def ellipse_test_ids() -> tuple[str, ...]:
    """The names of :func:`ellipse_test_images`."""
    return tuple(f"ellipses-{TEST_SEED}-{number:03d}" for number in range(_N_TEST))


def medical_test_images(shape: tuple[int, int]) -> Tensor:
    """One CT slice and eight slices of an average brain, on the scale of attenuation.

    The first is a real CT image, a vertebra and its surroundings (128 x 128 pixels, bundled with
    pydicom for its tests), resampled. No library bundles more of CT that can be read everywhere. The
    others are T1-weighted MR, the template of :func:`shaketable.zoo.bundled_images`, scaled to a
    brightest pixel of 1.1: shapes and texture of anatomy, but not the contrast of CT.

    Parameters
    ----------
    shape
        ``(H, W)`` in pixels.

    Returns
    -------
    Tensor
        ``(9, H, W)`` float32, attenuation relative to water.

    Raises
    ------
    MissingDependencyError
        If pydicom or nilearn is not installed.
    """
    slices = [resize_image(_small_ct(), shape)]
    for plane in TEST_SLICES:
        brain = resize_image(axial_slice(plane), shape)
        slices.append(brain * (1.1 / brain.max()))
    return torch.from_numpy(np.stack(slices).clip(min=0).astype(np.float32))


def medical_test_ids() -> tuple[str, ...]:
    """The names of :func:`medical_test_images`."""
    return (_CT_ID, *(f"mni152-z{plane:03d}" for plane in TEST_SLICES))


def _small_ct() -> Array:
    return load_images(small_ct_file(), scale="hounsfield")[0].array.astype(np.float64)


def small_ct_file() -> Path:
    """The CT slice that pydicom bundles.

    Raises
    ------
    MissingDependencyError
        If pydicom is not installed.
    """
    try:
        from pydicom.data import get_testdata_file
    except ImportError as error:
        raise MissingDependencyError(
            "Expected pydicom for the bundled CT image, but it is not installed; "
            "run: pip install 'shaketable[demo]'"
        ) from error
    return Path(str(get_testdata_file("CT_small.dcm", download=False)))


def read_attenuation_images(paths: Sequence[Path], size: int) -> Tensor:
    """Read files and folders into square images of attenuation relative to water.

    Each file of a volume and each folder of a DICOM series is a scan and gives 24 images: evenly
    spaced slices, or all of them over and over, so that every scan counts as much as any other.
    Scans with values below -500 are in Hounsfield units and become ``max(HU + 1000, 0) / 1000``;
    others (MR, as extra anatomy) are divided by the 99.5th percentile of each slice. Slices that show
    almost nothing are left out.

    Parameters
    ----------
    paths
        Files that :func:`shaketable.io.load_images` reads, or folders: one DICOM series, or files of
        any of the other kinds, subfolders included.
    size
        Height and width of the result in pixels; slices are padded to squares and resampled.

    Returns
    -------
    Tensor
        ``(24 n_scans, size, size)`` float32.

    Raises
    ------
    InputError
        If a file cannot be read or nothing in the files shows an object.
    MissingDependencyError
        If a file needs nibabel or pydicom and it is not installed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     np.save(Path(folder, "one.npy"), np.pad(np.full((4, 4), 40.0), 2, constant_values=-1000))
    ...     images = read_attenuation_images([Path(folder)], 8)
    >>> images.shape, round(float(images.max()), 1)
    (torch.Size([24, 8, 8]), 1.0)
    """
    images: list[Array] = []
    for file in (file for path in paths for file in image_files(path)):
        scan = _scan(file)
        if scan:
            squares = (resampled_square(scan[number], size) for number in _spread(len(scan)))
            images += [square.clip(min=0).astype(np.float32) for square in squares]
    if not images:
        raise InputError(
            f"Expected images that show an object in {', '.join(map(str, paths))}, got none; "
            "check the files."
        )
    return torch.from_numpy(np.stack(images))


def _scan(path: Path) -> list[Array]:
    """The slices of a scan that show something, in units of water."""
    slices = [np.real(image.array).astype(np.float64) for image in load_images(path)]
    in_hounsfield = min(float(s.min()) for s in slices) < _AIR_AT_MOST
    scaled = [
        np.maximum(s + 1000, 0) / 1000
        if in_hounsfield
        else np.maximum(s, 0) / max(float(np.percentile(s, 99.5)), 1e-12)
        for s in slices
    ]
    return [s for s in scaled if float(np.mean(s > 0.2)) >= _LEAST_OBJECT]


def _spread(count: int) -> list[int]:
    """Numbers of the slices that stand for a scan of ``count``."""
    if count < _PER_SCAN:
        return [number % count for number in range(_PER_SCAN)]
    return [int(number) for number in np.linspace(0, count - 1, _PER_SCAN).round()]
