"""Subjects: labels of the user, folders, and DICOM patients that are never named."""

from __future__ import annotations

import hashlib
import re
from fnmatch import translate
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shaketable.errors import InputError, SubjectError
from shaketable.io import ImageSource, LoadedImage, StackSlice, load_images, provenance_of
from shaketable.io.dicom import read_header
from shaketable.io.stack import Stack
from shaketable.io.subjects import folder_subject, patient_subject, with_subjects
from tests.helpers.dicom import ramp, write_dicom

HASHED = re.compile(r"subject-[0-9a-f]{8}")
PATIENT, NAME = "MRN-0048151623", "Doe^Jane"


def subjects_of(loaded: tuple[LoadedImage, ...]) -> dict[str, str | None]:
    return {image.id: image.subject for image in loaded}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("p1-a", "p1-b", "p2-a"):
        values = np.random.default_rng(len(name)).standard_normal((2, 4, 4))
        np.save(tmp_path / f"{name}.npy", values)
    return tmp_path


def test_nobody_said_whose(folder: Path) -> None:
    assert {image.subject for image in load_images(folder)} == {None}


def test_labels_by_id_file_name_and_pattern(folder: Path) -> None:
    labels = {"p1-*": "A", "p1-b.npy": "B", "p1-b-001": "C", "p2-[a-c].npy": "D"}
    assert subjects_of(load_images(folder, subjects=labels)) == {
        "p1-a-000": "A", "p1-a-001": "A", "p1-b-000": "B", "p1-b-001": "C",
        "p2-a-000": "D", "p2-a-001": "D",
    }  # fmt: skip
    partly = subjects_of(load_images(folder, subjects={"p1*": "Jane"}))
    assert [partly["p1-a-000"], partly["p2-a-000"]] == ["Jane", None]


def test_labels_of_slices_that_are_not_read_are_no_mistake(folder: Path) -> None:
    labels = {"*-000": "first", "*-001": "second"}
    loaded = load_images(folder, slices=[0], subjects=labels)
    assert set(subjects_of(loaded).values()) == {"first"}


@pytest.mark.parametrize(
    ("subjects", "sentence"),
    [
        ({"p1-a.np": "A"}, "did you mean 'p1-a.npy'"),
        ({"zzzz*": "A"}, "fits none; one there is 'p1-a-000'"),
        ({"p1*": "A", "*a-000": "B"}, r"'p1-a-000', got 'A' by 'p1\*', 'B' by '\*a-000'"),
        ({}, "as 'folder' or as labels"),
        ({"*": ""}, "as 'folder' or as labels"),
        ({"*": 3}, "as 'folder' or as labels"),
        ("file", "as 'folder' or as labels"),
        (["A"], "as 'folder' or as labels"),
    ],
)
def test_wrong_subjects_are_refused(folder: Path, subjects: object, sentence: str) -> None:
    with pytest.raises(SubjectError, match=sentence) as caught:
        load_images(folder, subjects=subjects)  # type: ignore[arg-type]
    assert isinstance(caught.value, InputError)
    assert "\n" not in str(caught.value)


def test_patterns_may_agree(folder: Path) -> None:
    loaded = load_images(folder, subjects={"p1*": "A", "*a-000": "A"})
    assert subjects_of(loaded)["p1-a-000"] == "A"


TEXTS = st.text(alphabet="ab", min_size=1, max_size=3)
PATTERNS = st.text(alphabet="ab*?", min_size=1, max_size=4)


@settings(deadline=None, max_examples=300)
@given(
    slices=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5),
    entries=st.dictionaries(PATTERNS, st.sampled_from("XY"), min_size=1, max_size=4),
)
def test_every_slice_gets_the_label_of_its_closest_entry(
    slices: list[tuple[str, str]], entries: dict[str, str]
) -> None:
    known = tuple(StackSlice(id=i, file=Path("f", n), subject="own") for i, n in slices)
    stack = Stack(slices=known, read=lambda _: np.zeros((1, 1)), volume=True)

    def fits(entry: str, name: str) -> bool:
        return re.match(translate(entry), name) is not None

    expected, ambiguous = [], False
    for name, file in slices:
        patterns = {entries[e] for e in entries if fits(e, name) or fits(e, file)}
        label = entries.get(name) or entries.get(file)
        ambiguous |= label is None and len(patterns) > 1
        expected.append(label or (next(iter(patterns)) if patterns else "own"))
    idle = [e for e in entries if not any(fits(e, name) for pair in slices for name in pair)]
    if ambiguous or idle:
        with pytest.raises(SubjectError, match="fits none" if idle else "one subject"):
            with_subjects([stack], entries, Path("f"))
        return
    [named] = with_subjects([stack], entries, Path("f"))
    assert [each.subject for each in named.slices] == expected


def test_images_of_a_folder_are_of_one_subject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for person in ("jane-doe", "john-doe"):
        (tmp_path / person).mkdir()
        for name in "ab":
            np.save(tmp_path / person / f"{name}.npy", np.arange(16.0).reshape(4, 4))
        loaded = load_images(tmp_path / person, subjects="folder")
        found.append(subjects_of(loaded)["a"])
        assert set(subjects_of(loaded).values()) == {found[-1]}
        monkeypatch.chdir(tmp_path / person)
        assert load_images("a.npy", subjects="folder")[0].subject == found[-1]
    assert found[0] != found[1]
    for subject in found:
        assert subject is not None
        assert HASHED.fullmatch(subject)


def test_a_patient_is_the_same_in_all_files_and_another_is_not(tmp_path: Path) -> None:
    pytest.importorskip("pydicom")
    patients = [PATIENT, PATIENT + " ", "MRN-0048151624", ""]
    for number, patient in enumerate(patients):
        write_dicom(tmp_path / f"{number}.dcm", ramp(), PatientID=patient)
    first, again, other, nobody = (image.subject for image in load_images(tmp_path))
    assert first == again == patient_subject(PATIENT)
    assert other not in (first, None)
    assert nobody is None
    assert first is not None
    assert HASHED.fullmatch(first)
    assert folder_subject(Path(PATIENT, "a.npy")) != first
    plain = hashlib.sha256(PATIENT.encode()).hexdigest()
    assert plain[:8] not in first, "a table of plain hashes does not fit"


def test_neither_id_nor_name_of_a_patient_is_kept(tmp_path: Path) -> None:
    pytest.importorskip("pydicom")
    path = write_dicom(
        tmp_path / "scan.dcm", np.stack([ramp(), ramp(1)]), PatientID=PATIENT, PatientName=NAME
    )
    loaded = load_images(path)
    shown = [read_header(path), *loaded, *(provenance_of(image, tmp_path) for image in loaded)]
    for text in map(repr, shown):
        assert HASHED.search(text)
        for private in (PATIENT, "0048151623", "Doe", "Jane"):
            assert private not in text
    named = load_images(path, subjects={"scan-001": "volunteer 1"})
    assert subjects_of(named) == {"scan-000": patient_subject(PATIENT), "scan-001": "volunteer 1"}
    in_folder = load_images(path, subjects="folder")
    assert {image.subject for image in in_folder} == {folder_subject(path)}


def test_subjects_are_a_setting_of_a_source(folder: Path) -> None:
    source = ImageSource(path=folder, subjects={"*": "A"})
    assert source.subjects == {"*": "A"}
    with pytest.raises(SubjectError, match="as 'folder'"):
        ImageSource(path=folder, subjects="Folder")  # type: ignore[arg-type]
