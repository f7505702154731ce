"""NumPy and PNG files, written here in good and bad form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shaketable.errors import InputError
from shaketable.io import load_images
from tests.helpers.data import shared_data


def ramp(*shape: int, dtype: type = np.float32) -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


@pytest.mark.parametrize(
    ("stored", "loaded"),
    [
        (np.uint8, np.float32),
        (np.int16, np.float32),
        (np.uint16, np.float32),
        (np.int32, np.float64),
        (np.float16, np.float32),
        (np.float32, np.float32),
        (">f8", np.float64),
        (np.complex64, np.complex64),
        (np.complex128, np.complex128),
    ],
)
def test_npy_keeps_values_in_a_floating_dtype(tmp_path: Path, stored: type, loaded: type) -> None:
    values = ramp(6, 8).astype(stored)
    np.save(tmp_path / "one.npy", values)
    [image] = load_images(tmp_path / "one.npy")
    assert image.array.dtype == loaded
    np.testing.assert_array_equal(image.array, values)
    assert (image.id, image.source) == ("one", str(tmp_path / "one.npy"))


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_npy_stack_is_cut_along_its_axis(tmp_path: Path, axis: int | None) -> None:
    values = ramp(3, 4, 5) * (1 + 2j)
    np.save(tmp_path / "stack.npy", values)
    images = load_images(tmp_path / "stack.npy", axis=axis)
    assert [image.id for image in images] == [f"stack-{n:03d}" for n in range((3, 4, 5)[axis or 0])]
    np.testing.assert_array_equal(images[2].array, values.take(2, axis or 0))
    assert images[2].source.endswith("stack.npy[2]")


@pytest.mark.parametrize(
    ("slices", "expected"),
    [([4, 1], [4, 1]), (range(0, 6, 2), [0, 2, 4]), ("1:4", [1, 2, 3]), ("-2:", [4, 5])],
)
def test_slices_come_in_the_order_asked_for(
    tmp_path: Path, slices: object, expected: list[int]
) -> None:
    np.save(tmp_path / "stack.npy", ramp(6, 4, 4))
    images = load_images(tmp_path / "stack.npy", slices=slices)  # type: ignore[arg-type]
    assert [image.id for image in images] == [f"stack-{number:03d}" for number in expected]
    assert [image.array[0, 0] for image in images] == [16 * number for number in expected]


def test_npz_takes_its_only_image_array_or_the_named_one(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=ramp(2, 4, 4), numbers=np.arange(2))
    np.savez(tmp_path / "b.npz", first=ramp(2, 4, 4), second=-ramp(5, 4))
    assert len(load_images(tmp_path / "a.npz")) == 2
    [image] = load_images(tmp_path / "b.npz", key="second")
    np.testing.assert_array_equal(image.array, -ramp(5, 4))


@pytest.mark.parametrize(
    ("key", "sentence"),
    [(None, r"first \(2, 4, 4\), second \(5, 4\)"), ("secnd", "did you mean 'second'")],
)
def test_npz_without_a_usable_key_lists_what_it_holds(
    tmp_path: Path, key: str | None, sentence: str
) -> None:
    np.savez(tmp_path / "b.npz", first=ramp(2, 4, 4), second=ramp(5, 4))
    with pytest.raises(InputError, match=sentence):
        load_images(tmp_path / "b.npz", key=key)


def _save_pickle(path: Path) -> None:
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def _cut_in_half(path: Path) -> None:
    np.save(path, ramp(40, 40))
    path.write_bytes(path.read_bytes()[:900])


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (_save_pickle, "pickled objects"),
        (_cut_in_half, "damaged"),
        (lambda path: path.write_bytes(b"no array at all"), "damaged"),
        (lambda path: path.write_bytes(b""), "damaged"),
        (lambda path: np.save(path, ramp(5)), r"\(H, W\) or \(N, H, W\).*got shape \(5,\)"),
        (lambda path: np.save(path, ramp(2, 2, 4, 4)), "one complex array"),
        (lambda path: np.save(path, np.zeros((4, 4))), "the value 0 everywhere"),
        (lambda path: np.save(path, np.zeros((3, 4, 4))), "only constant ones"),
        (lambda path: np.save(path, np.zeros((0, 4))), "got an empty one"),
        (lambda path: np.save(path, np.zeros((0, 4, 4))), "only constant ones"),
        (lambda path: np.save(path, np.full((4, 4), np.nan)), "16 that are NaN"),
        (lambda path: np.save(path, np.where(ramp(4, 4) == 3, np.inf, 1)), "1 that are NaN"),
        (lambda path: np.save(path, np.array([["a", "b"]])), "values of type <U1"),
    ],
)
def test_bad_npy_is_refused_by_name(tmp_path: Path, write: object, sentence: str) -> None:
    path = tmp_path / "bad.npy"
    write(path)  # type: ignore[operator]
    with pytest.raises(InputError, match=sentence) as caught:
        load_images(path)
    assert "bad.npy" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bad_npz_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    np.savez_compressed(path, images=np.random.default_rng(0).standard_normal((40, 40)))
    content = bytearray(path.read_bytes())
    content[2000:2100] = bytes(100)
    for damaged in (b"no archive", bytes(content), bytes(content[:900])):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"bad\.npz"):
            load_images(path)
    np.savez(path, images=np.array([None, 1], dtype=object))
    with pytest.raises(InputError, match="pickled"):
        load_images(path)


def test_array_inside_the_wrong_container_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "archive.npz", images=ramp(4, 4))
    (tmp_path / "archive.npz").rename(tmp_path / "array.npy")
    with pytest.raises(InputError, match=r"an \.npy file"):
        load_images(tmp_path / "array.npy")
    np.save(tmp_path / "plain.npy", ramp(4, 4))
    (tmp_path / "plain.npy").rename(tmp_path / "plain.npz")
    with pytest.raises(InputError, match=r"an \.npz archive"):
        load_images(tmp_path / "plain.npz")


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535)])
def test_grey_png_keeps_its_values(tmp_path: Path, dtype: type, top: int) -> None:
    values = np.linspace(0, top, 48).reshape(6, 8).astype(dtype)
    Image.fromarray(values).save(tmp_path / "grey.png")
    [image] = load_images(tmp_path / "grey.png")
    assert image.array.dtype == np.float32
    np.testing.assert_array_equal(image.array, values)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_colour_png_is_refused(tmp_path: Path, mode: str) -> None:
    Image.fromarray(ramp(8, 8, dtype=np.uint8)).convert(mode).save(tmp_path / "colour.png")
    with pytest.raises(InputError, match=rf"colour\.png.*\(mode {mode}\).*convert"):
        load_images(tmp_path / "colour.png")


def test_damaged_and_disguised_png_are_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "cut.png")
    content = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(content[: len(content) // 2])
    Image.fromarray(noise).save(tmp_path / "jpeg.png", format="JPEG")
    for name in ("cut.png", "jpeg.png"):
        with pytest.raises(InputError, match=rf"{name}', got one that is damaged"):
            load_images(tmp_path / name)


@pytest.mark.data
def test_real_archive_of_slices() -> None:
    images = load_images(shared_data("cardiac/slices.npz"), slices=[0, 55], scale="max")
    assert [image.id for image in images] == ["slices-000", "slices-055"]
    for image in images:
        assert image.array.shape == (256, 256)
        assert image.array.max() == 1
