"""Whose image it is: what images of one person share, without the person's name.

Images of one subject resemble each other, so they count as one unit in statistics.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from shaketable.errors import SubjectError
from shaketable.io.stack import Stack, StackSlice

Subjects = Mapping[str, str] | Literal["folder"]

# Keep the hashes of one kind of name apart from those of the other, and from any other use of
# SHA-256: a table made elsewhere does not fit.
_PATIENT = "shaketable subject, DICOM PatientID: "
_FOLDER = "shaketable subject, folder: "


def patient_subject(patient_id: str) -> str | None:
    """A label in place of a DICOM PatientID, the same for the same id; None for an empty one.

    It is ``subject-`` and the first eight hexadecimal digits of the SHA-256 of a fixed text and the
    id. The id itself is kept nowhere. But this is no secret: the text is the same for everybody, so
    who can guess an id, for example because ids are short numbers, can try them all and see which
    one gives the label. Where that matters, give labels of your own: ``subjects={"*": "A"}``.

    Examples
    --------
    >>> patient_subject("12345")
    'subject-e1a15e58'
    """
    # DICOM pads ids with blanks that mean nothing.
    patient_id = patient_id.strip()
    return _hashed(_PATIENT, patient_id) if patient_id else None


def folder_subject(file: Path) -> str:
    """A label for the folder that a file lies in, by the folder's name alone.

    Made as that of :func:`patient_subject`, because a folder is often named after a person, and
    guessed as easily. Folders of one name are one subject, wherever they lie.
    """
    return _hashed(_FOLDER, file.resolve().parent.name)


def check_subjects(subjects: object) -> None:
    """Check that this is a way to name subjects.

    Raises
    ------
    SubjectError
        If it is neither ``"folder"`` nor a mapping of texts to labels.
    """
    if subjects == "folder":
        return
    if not isinstance(subjects, Mapping) or not subjects or not _are_texts(subjects):
        raise SubjectError(
            f"Expected subjects as 'folder' or as labels by image id, file name or pattern, got "
            f"{subjects!r}; for example {{'patient1*': 'A'}}."
        )


def with_subjects(stacks: Iterable[Stack], subjects: Subjects | None, path: Path) -> list[Stack]:
    """Say whose the slices are; those that nothing is said of keep what their files say.

    Of a mapping the label by id comes before that by file name, and this before patterns
    (``*``, ``?``, ``[...]``) for either.

    Raises
    ------
    SubjectError
        If an entry of the mapping fits no slice, or two patterns give one slice different labels.
    """
    stacks = list(stacks)
    if subjects is None:
        return stacks
    if not isinstance(subjects, str):
        _check_entries(subjects, [each for stack in stacks for each in stack.slices], path)
    return [
        replace(
            stack,
            slices=tuple(replace(each, subject=_subject(each, subjects)) for each in stack.slices),
        )
        for stack in stacks
    ]


def _subject(each: StackSlice, subjects: Subjects) -> str | None:
    if isinstance(subjects, str):
        return folder_subject(each.file)
    for name in (each.id, each.file.name):
        if name in subjects:
            return subjects[name]
    fitting = {entry: label for entry, label in subjects.items() if _fits(entry, each)}
    if len(set(fitting.values())) > 1:
        raise SubjectError(
            f"Expected one subject for the image '{each.id}', got "
            f"{', '.join(f'{label!r} by {entry!r}' for entry, label in fitting.items())}; name it by "
            "its id, or make the patterns narrower."
        )
    return next(iter(fitting.values()), each.subject)


def _check_entries(subjects: Mapping[str, str], slices: Sequence[StackSlice], path: Path) -> None:
    names = {name for each in slices for name in (each.id, each.file.name)}
    for entry in subjects:
        if entry not in names and not any(_fits(entry, each) for each in slices):
            close = get_close_matches(entry, sorted(names), n=1)
            example = close[0] if close else min(names, default="no image")
            raise SubjectError(
                f"Expected image ids, file names or patterns that fit images in '{path}' as the "
                f"names of subjects, got '{entry}', which fits none; "
                + (f"did you mean '{example}'?" if close else f"one there is '{example}'.")
            )


def _fits(pattern: str, each: StackSlice) -> bool:
    # Without a wildcard it is a name, which is looked up at once.
    is_pattern = any(sign in pattern for sign in "*?[")
    return is_pattern and (fnmatchcase(each.id, pattern) or fnmatchcase(each.file.name, pattern))


def _are_texts(subjects: Mapping[object, object]) -> bool:
    return all(isinstance(text, str) and text for pair in subjects.items() for text in pair)


def _hashed(domain: str, name: str) -> str:
    return "subject-" + hashlib.sha256((domain + name).encode()).hexdigest()[:8]
