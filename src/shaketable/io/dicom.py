"""DICOM files and series, in the units of their headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shaketable.errors import InputError, MissingDependencyError
from shaketable.io.reader import ReadSettings
from shaketable.io.stack import Array, Stack, StackSlice, needed_module, one_file
from shaketable.io.subjects import patient_subject

# What pip installs to decode each family of compressed pixels, by a part of the syntax's name.
DECODERS = (
    ("JPEG 2000", "pylibjpeg pylibjpeg-openjpeg"),
    ("JPEG-LS", "pyjpegls"),
    ("JPEG", "pylibjpeg pylibjpeg-libjpeg"),
)


@dataclass(frozen=True, kw_only=True)
class DicomHeader:
    """What is needed of a file's header before its pixels are read; no name and no patient's id."""

    path: Path
    subject: str | None
    series: str
    n_frames: int
    position: float | None
    number: int | None


def looks_like_dicom(path: Path) -> bool:
    """Tell whether a file has the four letters at byte 128 that DICOM files have."""
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def read_header(path: Path) -> DicomHeader:
    """Read a DICOM header.

    Raises
    ------
    InputError
        If the file is damaged, of another kind, or holds no grey image.
    MissingDependencyError
        If pydicom is not installed.
    """
    dataset = _read(path, stop_before_pixels=True)
    if "Rows" not in dataset or int(dataset.get("SamplesPerPixel", 1)) != 1:
        raise InputError(
            f"Expected one grey image in '{path}', got "
            f"{'colour' if 'Rows' in dataset else 'a DICOM file without an image'}; leave it out."
        )
    number = dataset.get("InstanceNumber")
    return DicomHeader(
        path=path,
        subject=patient_subject(str(dataset.get("PatientID") or "")),
        series=str(dataset.get("SeriesInstanceUID", "")),
        n_frames=int(dataset.get("NumberOfFrames") or 1),
        position=_position(dataset),
        number=None if number is None else int(number),
    )


def read_dicom(path: Path, settings: ReadSettings) -> Stack:
    """Read one DICOM file, with one frame or several (numbered as stored).

    Values are ``RescaleSlope · stored + RescaleIntercept``, in Hounsfield units for CT;
    ``MONOCHROME1`` images, whose low values are meant white, are inverted within the stored range
    first.

    Raises
    ------
    InputError, MissingDependencyError
        As for :func:`read_header`; InputError too if a key or an axis is given,
        MissingDependencyError too where a decoder is missing.
    """
    settings.refuse_key(path)
    settings.refuse_axis(path)
    return _frames(read_header(path), settings.stem)


def read_series(headers: Sequence[DicomHeader], stems: Mapping[Path, str], folder: Path) -> Stack:
    """Read the files of one series as a stack, sorted along the normal of the slices.

    Axial slices run from the feet to the head. Where a header has no position all are sorted by
    instance number, and where one has no number either, by file name.

    Raises
    ------
    InputError
        If the files belong to several series, or one has several frames.
    """
    n_series = len({header.series for header in headers})
    if n_series > 1:
        raise InputError(
            f"Expected one DICOM series in '{folder}', got {n_series}; put each into its own folder."
        )
    several = [header.path for header in headers if header.n_frames > 1]
    if several and len(headers) > 1:
        raise InputError(
            f"Expected files of one frame in '{folder}', got several in '{several[0].name}'; "
            "load that file by itself."
        )
    if several:
        return _frames(headers[0], stems[several[0]])
    ordered = _sorted(headers)
    return Stack(
        slices=tuple(
            StackSlice(id=stems[header.path], file=header.path, subject=header.subject)
            for header in ordered
        ),
        read=lambda number: _values(ordered[number].path, 0),
        volume=False,
    )


def _frames(header: DicomHeader, stem: str) -> Stack:
    path = header.path
    n_slices = header.n_frames if header.n_frames > 1 else None
    return one_file(
        path, stem, n_slices, lambda frame: _values(path, frame), subject=header.subject
    )


def _sorted(headers: Sequence[DicomHeader]) -> list[DicomHeader]:
    if all(header.position is not None for header in headers):
        return sorted(headers, key=lambda header: (header.position, header.path.name))
    if all(header.number is not None for header in headers):
        return sorted(headers, key=lambda header: (header.number, header.path.name))
    return list(headers)


def _position(dataset: Any) -> float | None:
    """Distance of the slice from the origin along its normal, in mm."""
    corner = dataset.get("ImagePositionPatient")
    directions = dataset.get("ImageOrientationPatient")
    if not corner or not directions or len(corner) != 3 or len(directions) != 6:
        return None
    along_row, along_column = np.array(directions, dtype=float).reshape(2, 3)
    # Rounded to a micrometre, so that the noise of oblique directions does not decide.
    return round(float(np.cross(along_row, along_column) @ np.array(corner, dtype=float)), 3)


def _values(path: Path, frame: int) -> Array:
    dataset = _read(path, stop_before_pixels=False)
    _check_decoder(dataset, path)
    try:
        pixels = np.asarray(dataset.pixel_array)
    # pydicom's decoders raise whatever the codec raises; all mean that there is no image to read.
    except Exception as error:
        raise InputError(
            f"Expected pixels that can be decoded in '{path}', got: "
            f"{' '.join(str(error).split())[:120]}; check that it opens in an image viewer."
        ) from error
    pixels = pixels[frame] if pixels.ndim == 3 else pixels
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        signed = int(dataset.get("PixelRepresentation", 0)) == 1
        top = -1 if signed else 2 ** int(dataset.BitsStored) - 1
        pixels = top - pixels.astype(np.int64)
    slope, intercept = _rescaling(dataset, frame)
    # Single precision holds sixteen stored bits exactly, and a slope to seven digits.
    return (slope * pixels.astype(np.float64) + intercept).astype(np.float32)


def _rescaling(dataset: Any, frame: int) -> tuple[float, float]:
    """Slope and intercept, from the file's header or, in enhanced files, from the frame's."""
    places = [dataset]
    for groups, number in (
        (dataset.get("SharedFunctionalGroupsSequence"), 0),
        (dataset.get("PerFrameFunctionalGroupsSequence"), frame),
    ):
        if groups and len(groups) > number:
            places.extend(groups[number].get("PixelValueTransformationSequence") or [])
    slope, intercept = 1.0, 0.0
    for place in places:
        slope = float(place.get("RescaleSlope", slope))
        intercept = float(place.get("RescaleIntercept", intercept))
    return slope, intercept


def _read(path: Path, *, stop_before_pixels: bool) -> Any:
    pydicom = needed_module("pydicom", "pydicom", f"'{path}'")
    try:
        return pydicom.dcmread(path, stop_before_pixels=stop_before_pixels)
    except (pydicom.errors.InvalidDicomError, OSError, EOFError, ValueError) as error:
        raise InputError(
            f"Expected a DICOM file in '{path}', got one that is damaged or of another kind; "
            "check that it opens in an image viewer."
        ) from error


def _check_decoder(dataset: Any, path: Path) -> None:
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax is None or not syntax.is_compressed:
        return
    pixels = needed_module("pydicom.pixels", "pydicom", f"'{path}'")
    try:
        available = pixels.get_decoder(syntax).is_available
    except NotImplementedError:
        available = False
    if not available:
        packages = [package for part, package in DECODERS if part in syntax.name]
        step = f"run: pip install {packages[0]}" if packages else "save it uncompressed"
        raise MissingDependencyError(
            f"Expected a decoder for {syntax.name} to read '{path}', got none; {step}."
        )
