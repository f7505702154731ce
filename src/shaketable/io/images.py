"""Read images from files, folders and volumes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from shaketable.errors import InputError
from shaketable.files import array_sha256, file_sha256
from shaketable.io.finding import find_stacks
from shaketable.io.resize import resize_image
from shaketable.io.source import ImageSource, Scale
from shaketable.io.stack import Array, SlicePosition, Stack
from shaketable.io.subjects import Subjects, with_subjects
from shaketable.io.values import as_floating, check_image, is_constant


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedImage:
    """One image, and where it came from.

    Attributes
    ----------
    id
        File stem, and slice number where the file holds several; safe in file names.
    array
        ``(H, W)`` float32, float64, complex64 or complex128; finite, not constant.
    sha256
        Of ``array``, see :func:`array_sha256`.
    source
        The file as it was named, and the slice: ``"brain.nii.gz[20]"``; how a generated image was
        made.
    file
        The file as it was named, of a DICOM series the one of this slice; None where there is none.
    file_sha256
        Of the bytes of the file; None where there is none.
    slice
        Where in the file it lies, ``.index`` and ``.axis``; None where the file is this one image.
    subject
        Whose image it is, see :class:`ImageSource`; None where nobody said.
    """

    id: str
    array: Array
    sha256: str
    source: str
    file: Path | None = None
    file_sha256: str | None = None
    slice: SlicePosition | None = None
    subject: str | None = None


def load_images(
    path: str | Path,
    *,
    slices: Sequence[int] | str | None = None,
    axis: int | None = None,
    key: str | None = None,
    shape: tuple[int, int] | None = None,
    scale: Scale | None = None,
    subjects: Subjects | None = None,
) -> tuple[LoadedImage, ...]:
    """Read images from a file or a folder.

    ========================  ======================================================================
    ``.npy``, ``.npz``        ``(H, W)`` or ``(N, H, W)``, real or complex, never pickled
    ``.nii``, ``.nii.gz``     axial slices by the header's orientation, from bottom to top, shown
                              with the front at the top and the body's right at the left
    DICOM                     one file or a folder with one series, sorted by position from the
                              feet to the head, in rescaled units (CT: Hounsfield)
    ``.png``                  grey, 8 or 16 bits, values as stored
    others                    what installed packages bring readers for (:class:`shaketable.io.Reader`)
    folder                    files of one of these kinds, sorted by name, digits as numbers; other
                              files and subfolders are left out
    ========================  ======================================================================

    Nothing is rescaled, cropped or resized unless asked for. All settings are explained at
    :class:`ImageSource`.

    Parameters
    ----------
    path
        File or folder.
    slices, axis, key, shape, scale, subjects
        See :class:`ImageSource`.

    Returns
    -------
    One entry per image, in the order of the slices asked for, files in sorted order.

    Raises
    ------
    InputError
        If there is no such file, it is damaged or of an unknown kind, a setting does not apply to
        it, or an image is empty, constant, or holds NaN or infinity; SubjectError, which is one, if
        subjects do not fit the images.
    MissingDependencyError
        If nibabel or pydicom, or a DICOM decoder, is needed and not installed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "two.npy")
    ...     np.save(file, np.arange(32).reshape(2, 4, 4))
    ...     [image.id for image in load_images(file, scale="max")]
    ['two-000', 'two-001']
    """
    return load_source(
        ImageSource(
            path=Path(path), slices=slices, axis=axis, key=key,
            shape=shape, scale=scale, subjects=subjects,
        )
    )  # fmt: skip


def load_source(source: ImageSource) -> tuple[LoadedImage, ...]:
    """Read the images of a source; :func:`load_images` with its settings in one object.

    Raises
    ------
    InputError, MissingDependencyError
        As for :func:`load_images`.
    """
    path = source.path
    stacks = with_subjects(find_stacks(source), source.subjects, path)
    # Once per file, and only of files that images are taken from.
    hash_of = cache(file_sha256)
    images = tuple(image for stack in stacks for image in _finished(stack, source, hash_of))
    if not images:
        raise InputError(
            f"Expected an image with something to see in '{path}', got only constant ones; "
            "check the file."
        )
    _check_ids(images, path)
    return images


def _finished(
    stack: Stack, source: ImageSource, hash_of: Callable[[Path], str]
) -> list[LoadedImage]:
    """Read, check, scale and resize the wanted slices of a stack."""
    images = []
    for number in source.indices(len(stack)):
        known = stack.slices[number]
        label = known.label
        values = as_floating(stack.read(number), label)
        # Volumes usually end in empty slices; only those that were asked for by number count.
        if source.slices is None and stack.volume and values.size and is_constant(values):
            continue
        check_image(values, label)
        values = np.ascontiguousarray(_prepared(values, label, source))
        images.append(
            LoadedImage(
                id=known.id, array=values, sha256=array_sha256(values), source=label,
                file=known.file, file_sha256=hash_of(known.file), slice=known.position,
                subject=known.subject,
            )
        )  # fmt: skip
    return images


def _prepared(values: Array, label: str, source: ImageSource) -> Array:
    if source.scale == "hounsfield":
        if np.iscomplexobj(values):
            raise InputError(
                f"Expected Hounsfield units in '{label}', got complex values; use scale 'max'."
            )
        values = np.maximum(values + 1000, 0) / 1000
    if source.shape is not None:
        values = resize_image(values, source.shape)
    if source.scale == "max":
        values = values / np.abs(values).max()
    check_image(values, label)
    return values


def _check_ids(images: Sequence[LoadedImage], path: Path) -> None:
    """Check that no two images have the same id: results are filed under it."""
    repeated = [name for name, count in Counter(image.id for image in images).items() if count > 1]
    if repeated:
        sources = ", ".join(image.source for image in images if image.id == repeated[0])
        raise InputError(
            f"Expected file names in '{path}' that differ in letters and digits before their "
            f"endings, got {sources}; rename them."
        )
