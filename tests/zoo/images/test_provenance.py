"""The zoo's test images are what their provenance says."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from shaketable import zoo
from shaketable.io import Provenance, ellipse_phantoms, load_images
from shaketable.zoo.images.bundled import bundled_image_ids, bundled_images
from shaketable.zoo.images.ct import ellipse_test_ids, ellipse_test_images, medical_test_ids
from shaketable.zoo.images.provenance import held_out_provenance
from shaketable.zoo.registry import find_entry


def test_the_slices_of_the_template_are_in_its_file() -> None:
    nibabel = pytest.importorskip("nibabel")
    struct = pytest.importorskip("nilearn.datasets.struct")
    path = Path(struct.MNI152_FILE_PATH)
    volume = np.asarray(nibabel.load(path).dataobj, dtype=np.float32)
    images = bundled_images((volume.shape[1], volume.shape[0])).abs().numpy()
    for image_id, image in zip(bundled_image_ids(), images, strict=True):
        said = held_out_provenance(image_id)
        assert said.file == path.name
        assert said.file_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (said.subject, said.source) == ("mni152", "bundled with nilearn")
        assert said.slice is not None
        assert said.axis is not None
        plane = volume.take(said.slice, said.axis)[:, ::-1].T
        np.testing.assert_allclose(image, plane / plane.max(), atol=1e-6)


def test_the_small_ct_is_a_file_of_pydicom() -> None:
    data = pytest.importorskip("pydicom.data")
    path = Path(str(data.get_testdata_file("CT_small.dcm", download=False)))
    said = held_out_provenance(medical_test_ids()[0])
    assert said == Provenance(
        file="CT_small.dcm",
        file_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        subject=load_images(path)[0].subject,
        source="bundled with pydicom",
    )


def test_ellipses_can_be_made_again_from_what_is_said() -> None:
    said = [held_out_provenance(image_id) for image_id in ellipse_test_ids()]
    assert all(each == Provenance(source=each.source) for each in said)
    made = {image.source: image.array for image in ellipse_phantoms(20, (16, 16), seed=1000)}
    for each, image in zip(said, ellipse_test_images((16, 16)), strict=True):
        assert each.source is not None
        np.testing.assert_array_equal(made[each.source], image.numpy())


@pytest.mark.parametrize("name", zoo.names())
def test_every_test_image_has_a_source(name: str) -> None:
    for image_id in find_entry(name).image_ids():
        assert held_out_provenance(image_id).source is not None


def test_of_other_images_nothing_is_known() -> None:
    assert held_out_provenance("somebody-elses") == Provenance()
