"""NIfTI and DICOM: round trips, orientation, units, order, and damaged files."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from shaketable.errors import InputError, MissingDependencyError
from shaketable.io import load_images
from tests.helpers.data import shared_data
from tests.helpers.dicom import make_dataset, ramp, write_dicom

nibabel = pytest.importorskip("nibabel")
pydicom = pytest.importorskip("pydicom")


def canonical_volume() -> np.ndarray:
    """A volume of distinct values with axes right, front, up; integers that int16 holds."""
    return np.arange(4 * 5 * 6).reshape(4, 5, 6).astype(np.int16)


def write_nifti(path: Path, codes: str, volume: np.ndarray | None = None) -> Path:
    """Store the canonical volume in another order of axes; the header says which."""
    canonical = nibabel.Nifti1Image(canonical_volume() if volume is None else volume, np.eye(4))
    target = nibabel.orientations.axcodes2ornt(codes)
    canonical.as_reoriented(
        nibabel.orientations.ornt_transform(nibabel.io_orientation(np.eye(4)), target)
    ).to_filename(path)
    return path


@pytest.mark.parametrize("codes", ["RAS", "LAS", "LPS", "PIR", "SRA", "ILP"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_nifti_slices_do_not_depend_on_storage(tmp_path: Path, codes: str, ending: str) -> None:
    path = write_nifti(tmp_path / f"scan{ending}", codes)
    volume = canonical_volume()
    axial = load_images(path, slices=[0, 4])
    assert [image.id for image in axial] == ["scan-000", "scan-004"]
    # Rows from front to back, columns from the body's right to its left.
    np.testing.assert_array_equal(axial[1].array, volume[::-1, ::-1, 4].T)
    coronal = load_images(path, slices=[1], axis=1)[0].array
    np.testing.assert_array_equal(coronal, volume[::-1, 1, ::-1].T)
    sagittal = load_images(path, slices=[3], axis=0)[0].array
    np.testing.assert_array_equal(sagittal, volume[3, ::-1, ::-1].T)
    assert len(load_images(path)) == 6
    assert len(load_images(path, axis=0)) == 4


def test_nifti_scaling_and_complex_values(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(canonical_volume(), np.eye(4))
    image.header.set_slope_inter(0.5, -3)
    image.to_filename(tmp_path / "scaled.nii")
    stored = np.asarray(nibabel.load(tmp_path / "scaled.nii").dataobj)
    loaded = load_images(tmp_path / "scaled.nii", slices=[2])[0].array
    np.testing.assert_allclose(loaded, stored[::-1, ::-1, 2].T, rtol=1e-6)
    values = (canonical_volume() * (1 - 2j)).astype(np.complex64)
    nibabel.Nifti1Image(values, np.eye(4)).to_filename(tmp_path / "complex.nii")
    loaded = load_images(tmp_path / "complex.nii", slices=[2])[0].array
    assert loaded.dtype == np.complex64
    np.testing.assert_array_equal(loaded, values[::-1, ::-1, 2].T)


def test_nifti_with_a_trailing_axis_of_one_is_a_volume(tmp_path: Path) -> None:
    nibabel.Nifti1Image(canonical_volume()[..., None], np.eye(4)).to_filename(tmp_path / "a.nii")
    assert len(load_images(tmp_path / "a.nii")) == 6


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 2])


def test_bad_nifti_is_refused_by_name(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    volume = generator.integers(0, 999, (16, 16, 16)).astype(np.int16)
    for name in ("cut.nii", "cut.nii.gz"):
        _truncate(write_nifti(tmp_path / name, "RAS", volume))
    (tmp_path / "text.nii").write_text("not a volume")
    (tmp_path / "text.nii.gz").write_text("not a volume")
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(InputError, match=f"NIfTI volume in '.*{path.name}'"):
            load_images(path)


@pytest.mark.parametrize(
    ("shape", "affine", "sentence"),
    [
        ((4, 4, 4, 3), np.eye(4), r"got shape \(4, 4, 4, 3\)"),
        ((4, 4), np.eye(4), r"got shape \(4, 4\)"),
        ((4, 4, 4), np.diag([1.0, 1, 0, 1]), "singular"),
    ],
)
def test_nifti_that_is_no_volume_is_refused(
    tmp_path: Path, shape: tuple[int, ...], affine: np.ndarray, sentence: str
) -> None:
    values = np.arange(np.prod(shape)).reshape(shape).astype(np.float32)
    image = nibabel.Nifti1Image(values, None)
    image.header.set_sform(affine, code=1)
    image.header.set_qform(None, code=0)
    image.to_filename(tmp_path / "x.nii")
    with pytest.raises(InputError, match=sentence):
        load_images(tmp_path / "x.nii")


def test_dicom_is_rescaled(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", ramp(), RescaleSlope=2, RescaleIntercept=-1024)
    [image] = load_images(path)
    assert (image.id, image.array.dtype) == ("a", np.float32)
    np.testing.assert_array_equal(image.array, 2.0 * ramp() - 1024)
    [plain] = load_images(write_dicom(tmp_path / "b.dcm", ramp()))
    np.testing.assert_array_equal(plain.array, ramp())


def test_monochrome1_is_inverted_within_the_stored_range(tmp_path: Path) -> None:
    inverted = {"PhotometricInterpretation": "MONOCHROME1", "RescaleSlope": 2}
    [unsigned] = load_images(write_dicom(tmp_path / "u.dcm", ramp(), **inverted))
    np.testing.assert_array_equal(unsigned.array, 2.0 * (4095 - ramp().astype(float)))
    signed_values = ramp().astype(np.int16) - 20
    [signed] = load_images(write_dicom(tmp_path / "s.dcm", signed_values, **inverted))
    np.testing.assert_array_equal(signed.array, 2.0 * (-1 - signed_values.astype(float)))


def test_series_is_sorted_by_position_not_by_name(tmp_path: Path) -> None:
    heights = {"a": 30.0, "b": -10.0, "c": 5.0}
    for number, (name, height) in enumerate(heights.items()):
        write_dicom(
            tmp_path / name,
            ramp(number),
            ImagePositionPatient=[1.0, 2.0, height],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            InstanceNumber=number,
        )
    (tmp_path / "SOURCE.txt").write_text("left out")
    assert [image.id for image in load_images(tmp_path)] == ["b", "c", "a"]
    assert [image.id for image in load_images(tmp_path, slices=[2])] == ["a"]


def test_series_without_positions_is_sorted_by_number_or_by_name(tmp_path: Path) -> None:
    for name, number in (("x1", 7), ("x2", 3), ("x10", 5)):
        write_dicom(tmp_path / f"{name}.dcm", ramp(number), InstanceNumber=number)
    assert [image.id for image in load_images(tmp_path)] == ["x2", "x10", "x1"]
    for name in ("x1", "x2", "x10"):
        write_dicom(tmp_path / f"{name}.dcm", ramp(3))
    assert [image.id for image in load_images(tmp_path)] == ["x1", "x2", "x10"]


def test_frames_of_one_file_are_slices(tmp_path: Path) -> None:
    from pydicom.dataset import Dataset

    frames = np.stack([ramp(number) for number in range(3)])
    shared, transformation = Dataset(), Dataset()
    transformation.RescaleSlope, transformation.RescaleIntercept = 3, -7
    shared.PixelValueTransformationSequence = [transformation]
    write_dicom(tmp_path / "f.dcm", frames, SharedFunctionalGroupsSequence=[shared])
    images = load_images(tmp_path / "f.dcm", slices=[2])
    assert images[0].id == "f-002"
    np.testing.assert_array_equal(images[0].array, 3.0 * frames[2] - 7)
    assert len(load_images(tmp_path)) == 3


def test_two_series_frames_in_a_series_and_colour_are_refused(tmp_path: Path) -> None:
    write_dicom(tmp_path / "a.dcm", ramp())
    write_dicom(tmp_path / "b.dcm", ramp(1), SeriesInstanceUID="9.9.9")
    with pytest.raises(InputError, match=r"one DICOM series in .*got 2"):
        load_images(tmp_path)
    write_dicom(tmp_path / "b.dcm", np.stack([ramp(), ramp(1)]))
    with pytest.raises(InputError, match=r"several in 'b\.dcm'"):
        load_images(tmp_path)
    write_dicom(tmp_path / "c.dcm", ramp(), SamplesPerPixel=3)
    with pytest.raises(InputError, match=r"one grey image in '.*c\.dcm', got colour"):
        load_images(tmp_path / "c.dcm")


def test_dicom_without_an_image_is_refused(tmp_path: Path) -> None:
    dataset = make_dataset(ramp())
    del dataset.Rows  # type: ignore[attr-defined]
    dataset.save_as(tmp_path / "a.dcm")  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="without an image"):
        load_images(tmp_path / "a.dcm")


def test_bad_dicom_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "text.dcm").write_text("not DICOM")
    with pytest.raises(InputError, match=r"DICOM file in '.*text\.dcm'"):
        load_images(tmp_path / "text.dcm")
    write_dicom(tmp_path / "short.dcm", ramp(), PixelData=bytes(10))
    with pytest.raises(InputError, match=r"decoded in '.*short\.dcm'"):
        load_images(tmp_path / "short.dcm")


@pytest.mark.parametrize(
    ("syntax", "package"),
    [("JPEG2000Lossless", "pylibjpeg-openjpeg"), ("JPEGLSLossless", "pyjpegls")],
)
def test_missing_decoder_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, syntax: str, package: str
) -> None:
    dataset = make_dataset(ramp())
    dataset.file_meta.TransferSyntaxUID = getattr(pydicom.uid, syntax)  # type: ignore[attr-defined]
    dataset.PixelData = pydicom.encaps.encapsulate([bytes(64)])  # type: ignore[attr-defined]
    dataset["PixelData"].VR = "OB"  # type: ignore[index]
    dataset.save_as(tmp_path / "a.dcm")  # type: ignore[attr-defined]
    from pydicom.pixels.decoders.base import Decoder

    monkeypatch.setattr(Decoder, "is_available", property(lambda self: False))
    with pytest.raises(MissingDependencyError, match=rf"a\.dcm', got none; run: pip .*{package}"):
        load_images(tmp_path / "a.dcm")


@pytest.mark.parametrize(("library", "name"), [("nibabel", "x.nii.gz"), ("pydicom", "x.dcm")])
def test_missing_library_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, name: str
) -> None:
    (tmp_path / name).write_bytes(bytes(200))
    # None in sys.modules makes the import fail as if nothing were installed.
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingDependencyError, match=rf"{library}.*shaketable\[medical\]"):
        load_images(tmp_path / name)


def test_files_of_the_library_itself() -> None:
    # Bundled with pydicom: a head CT and an abdominal MR slice.
    from pydicom.data import get_testdata_file

    ct = load_images(get_testdata_file("CT_small.dcm", download=False))[0].array
    assert ct.shape == (128, 128)
    assert -1100 < ct.min() < -700
    mr = load_images(get_testdata_file("MR_small.dcm", download=False), scale="max")[0].array
    assert mr.shape == (64, 64)
    assert mr.max() == 1


@pytest.mark.data
def test_real_brain_volume_is_axial_with_the_face_up() -> None:
    path = shared_data("brain-openms/patient01_study1_FLAIR.nii.gz")
    volume = nibabel.as_closest_canonical(nibabel.load(path))
    [image] = load_images(path, slices=[24], shape=(256, 256))
    assert image.id == "patient01_study1_FLAIR-024"
    assert image.array.shape == (256, 256)
    [stored] = load_images(path, slices=[24])
    np.testing.assert_array_equal(stored.array, np.asarray(volume.dataobj)[::-1, ::-1, 24].T)


@pytest.mark.data
@pytest.mark.parametrize(("part", "n_slices"), [("thorax", 3), ("head", 7)])
def test_real_series_in_hounsfield_units(part: str, n_slices: int) -> None:
    images = load_images(shared_data(f"ct/{part}"), scale="hounsfield")
    assert len(images) == n_slices
    for image in images:
        assert image.array.shape == (512, 512)
        assert image.array.min() == 0
        # Soft tissue is close to water.
        tissue = (image.array > 0.8) & (image.array < 1.2)
        assert tissue.mean() > 0.1


@pytest.mark.data
def test_real_series_runs_from_the_feet_to_the_head() -> None:
    folder = shared_data("ct/thorax")
    ids = [image.id for image in load_images(folder)]
    assert ids == ["03", "02", "01"], "01 is the highest of the three"
