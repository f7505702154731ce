"""Every image says which file and slice it is, and whose hash that file has."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shaketable.io import (
    LoadedImage,
    Provenance,
    SlicePosition,
    ellipse_phantoms,
    images,
    load_images,
    provenance_of,
)
from shaketable.io.provenance import shown_path
from tests.helpers.dicom import ramp, write_dicom

NAMES = st.text(alphabet="abcXYZ019._-", min_size=1, max_size=6).filter(lambda s: s.strip("."))


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def where(image: LoadedImage) -> tuple[int, int] | None:
    return None if image.slice is None else (image.slice.index, image.slice.axis)


def test_an_image_alone_in_its_file(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", noise(5, 5))
    Image.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4)).save(tmp_path / "y.png")
    for name in ("x.npy", "y.png"):
        [image] = load_images(str(tmp_path / name), scale="max")
        assert image.file == tmp_path / name
        assert image.file_sha256 == sha256(tmp_path / name)
        assert (image.slice, image.subject) == (None, None)


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_slices_of_an_array_say_number_and_axis(tmp_path: Path, axis: int | None) -> None:
    values = noise(3, 4, 5)
    np.savez(tmp_path / "x.npz", values=values)
    loaded = load_images(tmp_path / "x.npz", axis=axis, slices=[2, 0])
    assert [where(image) for image in loaded] == [(2, axis or 0), (0, axis or 0)]
    for image in loaded:
        assert isinstance(image.slice, SlicePosition)
        same = values.take(image.slice.index, image.slice.axis)
        np.testing.assert_array_equal(image.array, same)


def test_a_number_is_that_in_the_file_where_empty_slices_are_left_out(tmp_path: Path) -> None:
    volume = noise(5, 4, 4)
    volume[[0, 2, 4]] = 0
    np.save(tmp_path / "x.npy", volume)
    assert [where(image) for image in load_images(tmp_path / "x.npy")] == [(1, 0), (3, 0)]


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_slices_of_a_nifti_volume_say_the_anatomical_axis(tmp_path: Path, axis: int | None) -> None:
    nibabel = pytest.importorskip("nibabel")
    path = tmp_path / "scan.nii.gz"
    nibabel.Nifti1Image(noise(4, 5, 6), np.eye(4)).to_filename(path)
    [image] = load_images(path, slices=[3], axis=axis)
    assert where(image) == (3, 2 if axis is None else axis)
    assert (image.file, image.file_sha256) == (path, sha256(path))


def test_every_slice_of_a_series_has_its_own_file(tmp_path: Path) -> None:
    pytest.importorskip("pydicom")
    for number, name in enumerate(("c", "a", "b")):
        write_dicom(tmp_path / name, ramp(number), InstanceNumber=number)
    loaded = load_images(tmp_path)
    assert [image.file for image in loaded] == [tmp_path / name for name in ("c", "a", "b")]
    assert [image.file_sha256 for image in loaded] == [sha256(tmp_path / name) for name in "cab"]
    assert {image.slice for image in loaded} == {None}


def test_frames_are_slices_of_one_file(tmp_path: Path) -> None:
    pytest.importorskip("pydicom")
    path = write_dicom(tmp_path / "f.dcm", np.stack([ramp(0), ramp(1)]))
    assert [where(image) for image in load_images(path)] == [(0, 0), (1, 0)]
    assert {image.file_sha256 for image in load_images(tmp_path)} == {sha256(path)}


def test_a_file_is_hashed_once_and_only_if_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[Path] = []

    def counting(path: Path) -> str:
        hashed.append(path)
        return sha256(path)

    monkeypatch.setattr(images, "file_sha256", counting)
    np.save(tmp_path / "x.npy", noise(20, 4, 4))
    assert len({image.file_sha256 for image in load_images(tmp_path / "x.npy")}) == 1
    assert hashed == [tmp_path / "x.npy"]
    hashed.clear()
    for name in "abc":
        np.save(tmp_path / f"{name}.npy", noise(4, 4) + ord(name))
    (tmp_path / "x.npy").unlink()
    load_images(tmp_path, slices=[1])
    assert hashed == [tmp_path / "b.npy"]


def test_phantoms_come_from_no_file() -> None:
    for number, phantom in enumerate(ellipse_phantoms(2, (8, 8), seed=4)):
        made = f"random ellipses, seed 4, number {number}"
        assert provenance_of(phantom, Path()) == Provenance(source=made)
        assert (phantom.file, phantom.file_sha256, phantom.subject) == (None, None, None)


def test_a_provenance_is_plain_data(tmp_path: Path) -> None:
    path = tmp_path / "study" / "data" / "x.npy"
    path.parent.mkdir(parents=True)
    np.save(path, noise(3, 4, 5))
    [image] = load_images(path, slices=[2], axis=1, subjects={"x-002": "A"})
    expected = {
        "file": "data/x.npy", "file_sha256": sha256(path), "slice": 2, "axis": 1,
        "subject": "A", "source": None,
    }  # fmt: skip
    assert provenance_of(image, tmp_path / "study").describe() == expected
    elsewhere = provenance_of(image, tmp_path / "study" / "data" / "other").describe()
    assert elsewhere == {**expected, "file": "x.npy"}


@given(above=st.lists(NAMES, min_size=1), inside=st.lists(NAMES, min_size=1))
def test_a_path_never_shows_a_folder_outside_the_plan(above: list[str], inside: list[str]) -> None:
    folder = Path("/nowhere-at-all", *above)
    assert shown_path(folder.joinpath(*inside), folder) == "/".join(inside)
    # A neighbour whose name begins in the same way is not inside.
    neighbour = folder.with_name(folder.name + "x")
    assert shown_path(neighbour.joinpath(*inside), folder) == inside[-1]
    assert shown_path(folder, folder.joinpath(*inside)) == folder.name


def test_relative_paths_and_links_count_as_where_they_lead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "jane-doe").mkdir()
    (tmp_path / "study" / "data").symlink_to(tmp_path / "jane-doe")
    monkeypatch.chdir(tmp_path / "study")
    assert shown_path(Path("a/../b.npy"), tmp_path / "study") == "b.npy"
    assert shown_path(Path("../jane-doe/b.npy"), Path()) == "b.npy"
    assert shown_path(Path("data/b.npy"), Path()) == "b.npy"
