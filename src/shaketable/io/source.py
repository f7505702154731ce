"""Which images to read, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shaketable.errors import InputError
from shaketable.io.subjects import Subjects, check_subjects

Scale = Literal["max", "hounsfield"]
SCALES: tuple[Scale, ...] = ("max", "hounsfield")


@dataclass(frozen=True, kw_only=True)
class ImageSource:
    """Settings of :func:`shaketable.io.load_images`, as a plan holds them.

    Attributes
    ----------
    path
        A file, or a folder of files of one kind.
    slices
        Numbers of the slices within a stack (a volume, an array ``(N, H, W)``, a DICOM series, a
        folder of single images), or a text as ``"10:40:3"`` with Python's meaning; None: all,
        except those of volumes that are constant.
    axis
        The axis along which an array or a volume is cut: of an array 0, 1 or 2, None: 0; of a NIfTI
        volume 0 = sagittal, 1 = coronal, 2 = axial whatever its storage, None: axial.
    key
        The array's name in an ``.npz``; None: its only one of two or three dimensions.
    shape
        ``(H, W)`` to resize to, see :func:`shaketable.io.resize_image`; None: as it is.
    scale
        ``"max"``: divide each image by ``max|x|``. ``"hounsfield"``: turn Hounsfield units into
        attenuation relative to water, ``max(0, HU + 1000) / 1000``. None: as stored.

    subjects
        Whose images they are: labels of your own by image id, file name, or pattern for either
        (``{"patient1*": "A"}``), which records show as they are; ``"folder"``: images of one folder
        are of one subject. None, and for images that the mapping leaves out: what the file says,
        which is a hash of the PatientID for DICOM (see
        :func:`shaketable.io.subjects.patient_subject`) and nothing for other formats.

    Raises
    ------
    InputError
        If a setting is out of its range.

    Examples
    --------
    >>> ImageSource(path=Path("brain.nii.gz"), slices="20:30:5").indices(40)
    (20, 25)
    """

    path: Path
    slices: Sequence[int] | str | None = None
    axis: int | None = None
    key: str | None = None
    shape: tuple[int, int] | None = None
    scale: Scale | None = None
    subjects: Subjects | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))
        if self.axis not in (None, 0, 1, 2):
            raise InputError(f"Expected axis 0, 1 or 2, got {self.axis!r}; leave it out if unsure.")
        if self.scale is not None and self.scale not in SCALES:
            raise InputError(
                f"Expected scale 'max', 'hounsfield' or none, got {self.scale!r}; "
                "leave it out to keep the values as stored."
            )
        if self.shape is not None:
            object.__setattr__(self, "shape", _checked_shape(self.shape))
        if self.subjects is not None:
            check_subjects(self.subjects)
        if isinstance(self.slices, str):
            _parse_slices(self.slices)
        elif self.slices is not None:
            object.__setattr__(self, "slices", _checked_numbers(self.slices))

    def indices(self, n_slices: int) -> tuple[int, ...]:
        """Numbers of the wanted slices of a stack, in the order asked for.

        Raises
        ------
        InputError
            If one is not in ``0 ... n_slices - 1``, or none is left.
        """
        if self.slices is None:
            return tuple(range(n_slices))
        if isinstance(self.slices, str):
            chosen = tuple(range(n_slices)[_parse_slices(self.slices)])
        else:
            chosen = tuple(self.slices)
        beyond = [number for number in chosen if not 0 <= number < n_slices]
        if beyond or not chosen:
            got = str(beyond[0]) if beyond else f"'{self.slices}', which leaves none"
            raise InputError(
                f"Expected slices between 0 and {n_slices - 1}, got {got}; "
                f"'{self.path}' holds {n_slices}."
            )
        return chosen


def _checked_shape(shape: Sequence[int]) -> tuple[int, int]:
    good = not isinstance(shape, str) and len(shape) == 2
    if not good or not all(_is_whole(side) and side > 0 for side in shape):
        raise InputError(
            f"Expected a shape of two positive whole numbers, got {shape!r}; for example 256, 256."
        )
    return (int(shape[0]), int(shape[1]))


def _checked_numbers(slices: Sequence[int]) -> tuple[int, ...]:
    numbers = tuple(slices)
    if not numbers or not all(_is_whole(number) and number >= 0 for number in numbers):
        raise InputError(
            f"Expected slice numbers from 0 upwards, got {list(numbers)!r}; "
            "count from 0, or write a text as '10:-10' to count from the end."
        )
    if len(set(numbers)) < len(numbers):
        raise InputError(
            f"Expected every slice once, got {list(numbers)!r}; an image tested twice counts twice."
        )
    return tuple(int(number) for number in numbers)


def _is_whole(value: object) -> bool:
    # Not isinstance(value, int): NumPy's integers count, True and 1.0 do not.
    return hasattr(value, "__index__") and not isinstance(value, bool)


def _parse_slices(text: str) -> slice:
    parts = text.split(":")
    try:
        numbers = [int(part) if part.strip() else None for part in parts]
        if len(numbers) not in (2, 3) or numbers[2:] == [0]:
            raise ValueError(text)
    except ValueError:
        raise InputError(
            f"Expected slices as 'start:stop' or 'start:stop:step', got {text!r}; "
            "for example '10:40:3', or a list of numbers."
        ) from None
    return slice(*numbers)
