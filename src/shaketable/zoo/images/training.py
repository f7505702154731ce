"""Reading images for training: slices of volumes and single images, as squares of one size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.io import load_images

Array = npt.NDArray[Any]

# A slice shows the object when this share of its pixels is brighter than a tenth of the peak.
_LEAST_OBJECT = 0.08
_VOLUMES = (".nii", ".nii.gz")


def read_training_images(paths: Sequence[Path], size: int) -> Tensor:
    """Read files and folders into square magnitude images.

    Volumes (NIfTI) give their axial slices; slices that show almost nothing are left out. Each
    image is padded to a square around its centre, resampled with anti-aliasing and divided by its
    largest value.

    Parameters
    ----------
    paths
        Files that :func:`shaketable.io.load_images` reads, or folders: one DICOM series, or files
        of any of the other kinds, subfolders included.
    size
        Height and width of the result in pixels.

    Returns
    -------
    Tensor
        ``(N, size, size)`` float32, each image's peak is 1.

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
    ...     np.save(Path(folder, "one.npy"), np.eye(6)[:4] + np.arange(6))
    ...     read_training_images([Path(folder)], 8).shape
    torch.Size([1, 8, 8])
    """
    slices = [s for path in paths for source in image_files(path) for s in _read(source)]
    squares = [square_image(s, size) for s in slices if _shows_object(s)]
    if not squares:
        raise InputError(
            f"Expected images that show an object in {', '.join(map(str, paths))}, got "
            f"{len(slices)} that are almost black; check the files."
        )
    return torch.from_numpy(np.stack(squares))


def require_training_images(images: Tensor, size: int) -> None:
    """Check that images are ``(N, size, size)``.

    Raises
    ------
    InputError
        If not.
    """
    if images.ndim != 3 or tuple(images.shape[1:]) != (size, size):
        raise InputError(
            f"Expected training images of shape (N, {size}, {size}), got {tuple(images.shape)}; "
            f"read them with size={size}."
        )


def square_image(image: Array, size: int) -> Array:
    """Pad ``(H, W)`` to a square, resample it to ``(size, size)`` and scale its peak to 1."""
    resized = resampled_square(np.abs(image), size)
    result: Array = (resized / max(resized.max(), 1e-12)).astype(np.float32)
    return result


def resampled_square(image: Array, size: int) -> Array:
    """Pad real ``(H, W)`` with zeros to a square and resample it to ``(size, size)`` float64."""
    from skimage import transform

    resize: Callable[..., Array] = transform.resize
    side = max(image.shape)
    missing = [side - n for n in image.shape]
    padded = np.pad(image.astype(np.float64), [(m // 2, m - m // 2) for m in missing])
    return resize(padded, (size, size), order=1, anti_aliasing=side > size)


def image_files(path: Path) -> list[Path]:
    """Return what to read one by one: a file, a folder's DICOM series, or all files below a folder."""
    if not path.is_dir():
        return [path]
    files = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
    arrays = [p for p in files if p.name.lower().endswith((".npy", ".npz", ".png", *_VOLUMES))]
    return arrays or [path]


def _read(source: Path) -> list[Array]:
    arrays = [image.array for image in load_images(source)]
    if source.name.lower().endswith(_VOLUMES):
        # The shipped weights saw volumes mirrored like this. Training draws mirror images of
        # everything, so that this only keeps the hash of its images.
        return [np.fliplr(array) for array in arrays]
    return arrays


def _shows_object(image: Array) -> bool:
    magnitude = np.abs(image)
    peak = float(magnitude.max(initial=0.0))
    return peak > 0 and float(np.mean(magnitude > 0.1 * peak)) >= _LEAST_OBJECT
