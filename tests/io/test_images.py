"""Folders, scaling, ids, hashes, and what a user gets wrong."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shaketable.errors import InputError
from shaketable.io import ImageSource, array_sha256, load_images, load_source


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def write_pngs(folder: Path, names: list[str]) -> None:
    for number, name in enumerate(names):
        values = np.full((4, 4), number, dtype=np.uint8)
        values[0, 0] = 200
        Image.fromarray(values).save(folder / name)


def test_folder_is_sorted_with_digits_as_numbers(tmp_path: Path) -> None:
    write_pngs(tmp_path, ["b10.png", "b9.png", "a.png"])
    (tmp_path / "notes.txt").write_text("left out")
    (tmp_path / ".hidden.png").write_bytes(b"left out")
    (tmp_path / "sub").mkdir()
    assert [image.id for image in load_images(tmp_path)] == ["a", "b9", "b10"]
    assert [image.id for image in load_images(tmp_path, slices=[2, 0])] == ["b10", "a"]


def test_folder_of_stacks_takes_the_slices_of_each(tmp_path: Path) -> None:
    for name in ("x", "y"):
        np.save(tmp_path / f"{name}.npy", noise(4, 5, 5))
    ids = [image.id for image in load_images(tmp_path, slices=[3, 1])]
    assert ids == ["x-003", "x-001", "y-003", "y-001"]


def test_empty_ends_of_volumes_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    volume = noise(4, 5, 5)
    volume[[0, 3]] = 0
    np.save(tmp_path / "volume.npy", volume)
    assert [image.id for image in load_images(tmp_path / "volume.npy")] == [
        "volume-001",
        "volume-002",
    ]
    with pytest.raises(InputError, match=r"volume\.npy\[3\]', got the value 0 everywhere"):
        load_images(tmp_path / "volume.npy", slices=[1, 3])


def test_bad_slice_is_named_and_never_left_out(tmp_path: Path) -> None:
    volume = noise(3, 5, 5)
    volume[1, 2, 2] = np.nan
    np.save(tmp_path / "volume.npy", volume)
    with pytest.raises(InputError, match=r"volume\.npy\[1\]"):
        load_images(tmp_path / "volume.npy")


def test_scale_max_and_shape(tmp_path: Path) -> None:
    values = noise(32, 16) + 1j * noise(32, 16, seed=1)
    np.save(tmp_path / "x.npy", values)
    [image] = load_images(tmp_path / "x.npy", shape=(24, 24), scale="max")
    assert image.array.shape == (24, 24)
    assert np.abs(image.array).max() == pytest.approx(1)
    [stored] = load_images(tmp_path / "x.npy")
    np.testing.assert_array_equal(stored.array, values)


def test_hounsfield_units_become_attenuation(tmp_path: Path) -> None:
    np.save(tmp_path / "ct.npy", np.array([[-2000.0, -1000.0], [0.0, 1000.0]]))
    [image] = load_images(tmp_path / "ct.npy", scale="hounsfield")
    np.testing.assert_array_equal(image.array, [[0, 0], [1, 2]])
    np.save(tmp_path / "mr.npy", noise(4, 4) * 1j)
    with pytest.raises(InputError, match="complex"):
        load_images(tmp_path / "mr.npy", scale="hounsfield")


def test_ids_are_safe_in_file_names(tmp_path: Path) -> None:
    np.save(tmp_path / "my scan (é), 2.npy", noise(2, 5, 5))
    for image in load_images(tmp_path):
        assert re.fullmatch(r"[A-Za-z0-9._-]+", image.id)


def test_equal_ids_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a b.npy", noise(5, 5))
    np.save(tmp_path / "a_b.npy", noise(5, 5))
    with pytest.raises(InputError, match=r"a b\.npy, .*a_b\.npy; rename"):
        load_images(tmp_path)


def test_hash_depends_on_values_shape_and_dtype_and_not_on_layout() -> None:
    values = noise(4, 6)
    base = array_sha256(values)
    assert base == hashlib.sha256(b"f8:4,6:" + values.astype("<f8").tobytes()).hexdigest()
    assert array_sha256(np.asfortranarray(values)) == base
    assert array_sha256(values.astype(">f8")) == base
    others = [values.reshape(6, 4), values.astype(np.float32), values + 1e-12, values.view("i8")]
    assert base not in {array_sha256(other) for other in others}


def test_loading_twice_gives_the_same_hash(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", noise(5, 5))
    first, second = (load_images(tmp_path / "x.npy", scale="max")[0] for _ in range(2))
    assert first.sha256 == second.sha256 == array_sha256(first.array)


def test_missing_file_suggests_a_sibling(tmp_path: Path) -> None:
    write_pngs(tmp_path, ["brain_axial.png"])
    with pytest.raises(InputError, match=r"did you mean 'brain_axial\.png'"):
        load_images(tmp_path / "brain_axia.png")
    with pytest.raises(InputError, match="check the names"):
        load_images(tmp_path / "zzz.npy")
    with pytest.raises(InputError, match="nor the folder"):
        load_images(tmp_path / "nowhere" / "x.npy")


def test_folder_without_images_or_of_two_kinds_is_refused(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing here")
    with pytest.raises(InputError, match="got none among its 1 entries"):
        load_images(tmp_path)
    write_pngs(tmp_path, ["a.png"])
    np.save(tmp_path / "b.npy", noise(5, 5))
    with pytest.raises(InputError, match="got npy, png"):
        load_images(tmp_path)


@pytest.mark.parametrize("name", ["x.jpg", "x.mat", "nothing"])
def test_unknown_kinds_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bytes(200))
    with pytest.raises(InputError, match="Expected an image file"):
        load_images(tmp_path / name)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"slices": [9]}, "between 0 and 2, got 9"),
        ({"slices": [-1]}, "from 0 upwards"),
        ({"slices": [1, 1]}, "every slice once"),
        ({"slices": [0.5]}, "from 0 upwards"),
        ({"slices": []}, "from 0 upwards"),
        ({"slices": "7:9"}, "leaves none"),
        ({"slices": "a:b"}, "'start:stop'"),
        ({"slices": "3"}, "'start:stop'"),
        ({"slices": "::0"}, "'start:stop'"),
        ({"axis": 3}, "axis 0, 1 or 2, got 3"),
        ({"shape": (4,)}, "two positive whole numbers"),
        ({"shape": (4, -4)}, "two positive whole numbers"),
        ({"shape": (4.5, 4)}, "two positive whole numbers"),
        ({"scale": "min"}, "'max', 'hounsfield' or none"),
        ({"key": "images"}, "no key"),
    ],
)
def test_wrong_settings_are_refused(
    tmp_path: Path, settings: dict[str, object], sentence: str
) -> None:
    np.save(tmp_path / "x.npy", noise(3, 5, 5))
    with pytest.raises(InputError, match=sentence) as caught:
        load_images(tmp_path / "x.npy", **settings)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_axis_of_a_single_image_is_refused(tmp_path: Path) -> None:
    write_pngs(tmp_path, ["a.png"])
    np.save(tmp_path / "x.npy", noise(5, 5))
    with pytest.raises(InputError, match="no axis"):
        load_images(tmp_path / "a.png", axis=0)
    with pytest.raises(InputError, match="leave axis out"):
        load_images(tmp_path / "x.npy", axis=0)


def test_source_holds_the_settings(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", noise(3, 5, 5))
    source = ImageSource(path=tmp_path / "x.npy", slices=[2], shape=[4, 4], scale="max")  # type: ignore[arg-type]
    assert source.shape == (4, 4)
    [from_source] = load_source(source)
    [direct] = load_images(tmp_path / "x.npy", slices=[2], shape=(4, 4), scale="max")
    assert from_source.sha256 == direct.sha256
