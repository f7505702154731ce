"""Read images from files, folders and volumes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import numpy as np

from shaketable.errors import InputError
from shaketable.files import array_sha256
from shaketable.io.arrays import read_npy, read_npz
from shaketable.io.dicom import looks_like_dicom, read_dicom, read_header, read_series
from shaketable.io.nifti import read_nifti
from shaketable.io.png import read_png
from shaketable.io.resize import resize_image
from shaketable.io.source import ImageSource, Scale
from shaketable.io.stack import Array, Stack, as_floating, check_image, is_constant, joined

Kind = Literal["npy", "npz", "nifti", "dicom", "png"]

ENDINGS: dict[str, Kind] = {
    ".npy": "npy",
    ".npz": "npz",
    ".nii": "nifti",
    ".nii.gz": "nifti",
    ".dcm": "dicom",
    ".dicom": "dicom",
    ".ima": "dicom",
    ".png": "png",
}


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
        The file as it was named, and the slice: ``"brain.nii.gz[20]"``.
    """

    id: str
    array: Array
    sha256: str
    source: str


def load_images(
    path: str | Path,
    *,
    slices: Sequence[int] | str | None = None,
    axis: int | None = None,
    key: str | None = None,
    shape: tuple[int, int] | None = None,
    scale: Scale | None = None,
) -> tuple[LoadedImage, ...]:
    """Read images from a file or a folder.

    ========================  ======================================================================
    ``.npy``, ``.npz``        ``(H, W)`` or ``(N, H, W)``, real or complex, never pickled
    ``.nii``, ``.nii.gz``     axial slices by the header's orientation, from bottom to top, shown
                              with the front at the top and the body's right at the left
    DICOM                     one file or a folder with one series, sorted by position from the
                              feet to the head, in rescaled units (CT: Hounsfield)
    ``.png``                  grey, 8 or 16 bits, values as stored
    folder                    files of one of these kinds, sorted by name, digits as numbers; other
                              files and subfolders are left out
    ========================  ======================================================================

    Nothing is rescaled, cropped or resized unless asked for. All settings are explained at
    :class:`ImageSource`.

    Parameters
    ----------
    path
        File or folder.
    slices, axis, key, shape, scale
        See :class:`ImageSource`.

    Returns
    -------
    One entry per image, in the order of the slices asked for, files in sorted order.

    Raises
    ------
    InputError
        If there is no such file, it is damaged or of an unknown kind, a setting does not apply to
        it, or an image is empty, constant, or holds NaN or infinity.
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
        ImageSource(path=Path(path), slices=slices, axis=axis, key=key, shape=shape, scale=scale)
    )


def load_source(source: ImageSource) -> tuple[LoadedImage, ...]:
    """Read the images of a source; :func:`load_images` with its settings in one object.

    Raises
    ------
    InputError, MissingDependencyError
        As for :func:`load_images`.
    """
    path = source.path
    if not path.exists():
        raise InputError(_not_there(path))
    stacks = _folder(source) if path.is_dir() else [_file(path, _stem(path), source)]
    images = tuple(image for stack in stacks for image in _finished(stack, source))
    if not images:
        raise InputError(
            f"Expected an image with something to see in '{path}', got only constant ones; "
            "check the file."
        )
    _check_ids(images, path)
    return images


def _finished(stack: Stack, source: ImageSource) -> list[LoadedImage]:
    """Read, check, scale and resize the wanted slices of a stack."""
    images = []
    for number in source.indices(len(stack)):
        label = stack.labels[number]
        values = as_floating(stack.read(number), label)
        # Volumes usually end in empty slices; only those that were asked for by number count.
        if source.slices is None and stack.volume and values.size and is_constant(values):
            continue
        check_image(values, label)
        values = np.ascontiguousarray(_prepared(values, label, source))
        images.append(
            LoadedImage(
                id=stack.ids[number], array=values, sha256=array_sha256(values), source=label
            )
        )
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


def _file(path: Path, stem: str, source: ImageSource) -> Stack:
    kind = _kind(path)
    if kind is None:
        raise InputError(
            f"Expected an image file ({', '.join(ENDINGS)}, or DICOM without an ending), got "
            f"'{path}'; convert it, for example to .npy."
        )
    _check_applicable(kind, path, source)
    if kind == "npy":
        return read_npy(path, stem, source.axis)
    if kind == "npz":
        return read_npz(path, stem, source.axis, source.key)
    if kind == "nifti":
        return read_nifti(path, stem, source.axis)
    return read_dicom(path, stem) if kind == "dicom" else read_png(path, stem)


def _check_applicable(kind: Kind, path: Path, source: ImageSource) -> None:
    if source.key is not None and kind != "npz":
        raise InputError(f"Expected no key for '{path}', got '{source.key}'; only .npz has keys.")
    if source.axis is not None and kind in ("dicom", "png"):
        raise InputError(
            f"Expected no axis for '{path}', got {source.axis}; only arrays and NIfTI volumes are "
            "cut along an axis."
        )


def _folder(source: ImageSource) -> list[Stack]:
    """Find the stacks of a folder: one of all single images, or one per volume."""
    folder = source.path
    entries = sorted(folder.iterdir(), key=lambda entry: _natural(entry.name))
    kinds = {
        entry: kind
        for entry in entries
        if entry.is_file() and not entry.name.startswith(".") and (kind := _kind(entry))
    }
    if not kinds:
        raise InputError(
            f"Expected image files ({', '.join(ENDINGS)}) in the folder '{folder}', got none among "
            f"its {len(entries)} entries; name the folder that holds the files themselves."
        )
    if len(set(kinds.values())) > 1:
        raise InputError(
            f"Expected files of one kind in '{folder}', got {', '.join(sorted(set(kinds.values())))}; "
            "put each kind into its own folder."
        )
    if "dicom" in kinds.values():
        _check_applicable("dicom", folder, source)
        stems = {path: _stem(path) for path in kinds}
        return [read_series([read_header(path) for path in kinds], stems, folder)]
    stacks = [_file(path, _stem(path), source) for path in kinds]
    return stacks if any(stack.volume for stack in stacks) else [joined(stacks)]


def _kind(path: Path) -> Kind | None:
    name = path.name.lower()
    for ending, kind in ENDINGS.items():
        if name.endswith(ending):
            return kind
    # Scanners write DICOM files without an ending, or with a number as one.
    without_ending = path.suffix == "" or path.suffix[1:].isdigit()
    return "dicom" if without_ending and looks_like_dicom(path) else None


def _stem(path: Path) -> str:
    """File name without its ending, with nothing in it that a file name cannot hold."""
    name = path.name
    for ending in sorted(ENDINGS, key=len, reverse=True):
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
            break
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name) or "image"


def _check_ids(images: Sequence[LoadedImage], path: Path) -> None:
    """Check that no two images have the same id: results are filed under it."""
    repeated = [name for name, count in Counter(image.id for image in images).items() if count > 1]
    if repeated:
        sources = ", ".join(image.source for image in images if image.id == repeated[0])
        raise InputError(
            f"Expected file names in '{path}' that differ in letters and digits before their "
            f"endings, got {sources}; rename them."
        )


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sorting key under which ``slice2`` comes before ``slice10``."""
    parts = re.findall(r"\d+|\D+", name)
    key = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]
    return [*key, (2, 0, name)]


def _not_there(path: Path) -> str:
    if not path.parent.is_dir():
        return (
            f"Expected a file or folder '{path}', got nothing there, nor the folder "
            f"'{path.parent}'; check the path."
        )
    siblings = [entry.name for entry in sorted(path.parent.iterdir())]
    close = get_close_matches(path.name, siblings, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"check the names in '{path.parent}'."
    return f"Expected a file or folder '{path}', got nothing there; {hint}"
