"""Images of a plan say where they come from."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from shaketable import zoo
from shaketable.errors import PlanError
from shaketable.io import Provenance
from shaketable.io.subjects import folder_subject
from shaketable.plan import load_plan
from shaketable.plan.build_images import Images, build_images
from shaketable.plan.load import validate_plan
from shaketable.plan.locate import PlanFile, read_plan_file
from shaketable.plan.resolve import resolved
from shaketable.plan.schema import ImagesSpec
from tests.helpers.small_plan import write_small_plan


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path / "study"


def images_of(path: Path, network: zoo.ZooNetwork | None = None) -> Images:
    plan = read_plan_file(path)
    source = resolved(validate_plan(plan), plan.folder)
    return build_images(plan, ImagesSpec.model_validate(source["images"]), network)


def with_images(folder: Path, images: dict[str, Any]) -> Path:
    return write_small_plan(folder, {"images": images})


def test_images_of_a_file_in_the_folder_of_the_plan(folder: Path) -> None:
    built = images_of(with_images(folder, {"path": "images.npy", "shape": [16, 16]}))
    digest = hashlib.sha256((folder / "images.npy").read_bytes()).hexdigest()
    assert built.provenance == tuple(
        Provenance(file="images.npy", file_sha256=digest, slice=number, axis=0)
        for number in range(2)
    )
    assert len(built.ids) == len(built.values) == 2


def test_no_folder_outside_the_plan_is_shown(folder: Path) -> None:
    write_small_plan(folder.parent / "jane-doe")
    for path in ("../jane-doe/images.npy", str(folder.parent / "jane-doe" / "images.npy")):
        built = images_of(with_images(folder, {"path": path, "count": 1}))
        assert [each.file for each in built.provenance] == ["images.npy"]


def test_labels_and_folders_are_subjects(folder: Path) -> None:
    labels = {"images-000": "A", "*-001": "B"}
    path = with_images(folder, {"path": "images.npy", "subjects": labels})
    assert [each.subject for each in images_of(path).provenance] == ["A", "B"]
    assert load_plan(path).plan.source["images"]["subjects"] == labels  # type: ignore[index]
    path = with_images(folder, {"path": "images.npy", "subjects": "folder"})
    expected = folder_subject(folder / "images.npy")
    assert [each.subject for each in images_of(path).provenance] == [expected] * 2


def test_a_plan_stored_elsewhere_names_the_same_files_and_subjects(folder: Path) -> None:
    path = with_images(folder, {"path": "images.npy", "subjects": {"images*": "A"}})
    stored = folder.parent / "run" / "plan.yaml"
    stored.parent.mkdir()
    stored.write_text(yaml.safe_dump(dict(load_plan(path).plan.source)))
    assert images_of(stored).provenance == images_of(path).provenance


def test_details_in_an_image_leave_its_provenance(folder: Path) -> None:
    plain = images_of(with_images(folder, {"path": "images.npy"}))
    insert = {"details": ["heart"], "size": 6}
    inserted = images_of(with_images(folder, {"path": "images.npy", "insert": insert}))
    assert inserted.provenance == plain.provenance


def test_phantoms_say_how_they_were_made(folder: Path) -> None:
    images = {"phantoms": "ellipses", "shape": [32, 32], "count": 2, "seed": 5}
    assert images_of(with_images(folder, images)).provenance == (
        Provenance(source="random ellipses, seed 5, number 0"),
        Provenance(source="random ellipses, seed 5, number 1"),
    )


def test_images_of_the_zoo_say_what_the_zoo_knows() -> None:
    network = zoo.load("deep-mri")
    plan = PlanFile(file="plan", folder=Path(), data={})
    built = build_images(plan, ImagesSpec(zoo="test", count=2), network)
    assert built.provenance == network.image_provenance("test")[:2]
    assert [each.slice for each in built.provenance] == [50, 60]


@pytest.mark.parametrize(
    ("subjects", "sentence"),
    [
        ({"imges-000": "A"}, "did you mean 'images-000'"),
        ({"images*": "A", "*-000": "B"}, "one subject for the image 'images-000'"),
        ({}, "'folder', or texts as labels"),
        ({"images*": 3}, "'folder', or texts as labels"),
        ("file", "'folder', or texts as labels"),
    ],
)
def test_wrong_subjects_are_told_where_they_stand(
    folder: Path, subjects: object, sentence: str
) -> None:
    path = with_images(folder, {"path": "images.npy", "subjects": subjects})
    lines = path.read_text().splitlines()
    number = next(n for n, line in enumerate(lines, 1) if line.lstrip().startswith("subjects:"))
    with pytest.raises(PlanError, match=rf"images\.subjects: .*{sentence}") as caught:
        load_plan(path)
    assert caught.value.line == number
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "images", [{"zoo": "test"}, {"phantoms": "ellipses", "shape": [32, 32], "count": 1}]
)
def test_only_files_have_subjects(folder: Path, images: dict[str, Any]) -> None:
    path = with_images(folder, {**images, "subjects": "folder"})
    with pytest.raises(PlanError, match="Expected subjects only beside path"):
        load_plan(path)
