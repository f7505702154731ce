"""Plans of computed tomography and of several coils."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shaketable.errors import PlanError
from shaketable.io import ellipse_phantoms
from shaketable.maps import (
    MultiCoilFourierMap,
    RadonMap,
    birdcage_coils,
    espirit_coils,
    sampling,
    to_centred,
)
from shaketable.plan import LoadedPlan, load_plan, plan_from
from shaketable.probes import Sampling
from tests.helpers.small_plan import SIZE, phantoms, write_small_plan

SHAPE = (SIZE, SIZE)
LINES = {"pattern": "equispaced-lines", "rate": 0.5, "n_center": 8}
BIRDCAGE = {"type": "birdcage", "n_coils": 5}
MULTI_COIL = {"type": "multi-coil-fourier", "sampling": LINES, "coils": BIRDCAGE}
VIEWS = {"pattern": "equispaced-views", "n_views": 6, "n_total": 60, "even": [6]}
RADON = {"type": "radon", "sampling": VIEWS}
PROJECTION = {"network": {"object": "shaketable.maps:filtered_back_projection"}}
REAL = {"images": {"path": "images.npy", "real": True}, "baselines": {}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def load(folder: Path, changes: dict[str, Any]) -> LoadedPlan:
    return load_plan(write_small_plan(folder, {"baselines": {}, **changes}))


def test_views_of_a_pattern(folder: Path) -> None:
    probes = {"sampling": {"rates": [0.05, 0.5]}}
    loaded = load(folder, {**PROJECTION, **REAL, "map": RADON, "probes": probes})
    forward = loaded.problem.forward
    assert isinstance(forward, RadonMap)
    sequence = sampling.equispaced_views(60, even=(6,))
    assert torch.equal(forward.angles, sequence.angles(0.1))
    assert forward.data_shape == (6, 47)
    [probe] = loaded.plan.probes
    assert isinstance(probe, Sampling)
    assert probe.trained_rate == 0.1
    assert {rate: each.data_shape for rate, each in probe.maps.items()} == {
        0.05: (3, 47), 0.1: (6, 47), 0.5: (30, 47),
    }  # fmt: skip
    assert plan_from(loaded.plan.source).problem.forward.describe() == forward.describe()


def test_the_number_of_detectors_holds_at_every_rate(folder: Path) -> None:
    loaded = load(folder, {
        **PROJECTION, **REAL, "map": {**RADON, "n_detectors": 33},
        "probes": {"sampling": {"rates": [0.5]}},
    })  # fmt: skip
    [probe] = loaded.plan.probes
    assert isinstance(probe, Sampling)
    assert {forward.data_shape[1] for forward in probe.maps.values()} == {33}


def test_views_without_a_chain_are_those_of_the_library(folder: Path) -> None:
    views = {"pattern": "equispaced-views", "n_views": 20}
    loaded = load(folder, {**PROJECTION, **REAL, "map": {"type": "radon", "sampling": views}})
    assert isinstance(loaded.problem.forward, RadonMap)
    assert torch.equal(loaded.problem.forward.angles, sampling.equispaced_views().angles(0.02))


def test_angles_from_a_file_stay_the_same_from_another_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(folder / "angles.npy", np.array([0.0, 0.5, 2.0]))
    loaded = load(folder, {**PROJECTION, **REAL, "map": {"type": "radon", "angles": "angles.npy"}})
    monkeypatch.chdir("/")
    again = plan_from(loaded.plan.source).problem.forward
    assert isinstance(again, RadonMap)
    assert again.angles.tolist() == [0.0, 0.5, 2.0]


def test_coils_of_a_birdcage(folder: Path) -> None:
    loaded = load(folder, {"map": MULTI_COIL, "probes": {"sampling": {"rates": [0.25, 0.75]}}})
    forward = loaded.problem.forward
    assert isinstance(forward, MultiCoilFourierMap)
    assert torch.equal(forward.coils, birdcage_coils(5, SHAPE))
    sequence = sampling.equispaced_lines(SHAPE, rate=0.5, n_center=8)
    assert torch.equal(forward.mask, sequence.mask(0.5))
    [probe] = loaded.plan.probes
    assert isinstance(probe, Sampling)
    assert sorted(probe.maps) == [0.25, 0.5, 0.75]
    for rate, each in probe.maps.items():
        assert isinstance(each, MultiCoilFourierMap)
        assert torch.equal(each.coils, forward.coils)
        assert torch.equal(each.mask, sequence.mask(rate))


def test_coils_and_mask_from_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coils = birdcage_coils(3, SHAPE, radius=2.0)
    np.savez(folder / "coils.npz", coils=coils.numpy(), other=np.zeros(3))
    mask = np.zeros(SHAPE)
    mask[12:20] = 1
    np.save(folder / "mask.npy", mask)
    loaded = load(folder, {"map": {
        "type": "multi-coil-fourier", "mask": "mask.npy", "centred": True,
        "coils": {"type": "file", "file": "coils.npz", "key": "coils"},
    }})  # fmt: skip
    monkeypatch.chdir("/")
    for each in (loaded, plan_from(loaded.plan.source)):
        forward = each.problem.forward
        assert isinstance(forward, MultiCoilFourierMap)
        assert torch.equal(forward.coils, coils)
        assert torch.equal(forward.mask, torch.from_numpy(np.fft.ifftshift(mask)) == 1)


@pytest.mark.parametrize("centred", [True, False])
def test_coils_estimated_from_data(folder: Path, centred: bool) -> None:
    pytest.importorskip("sigpy")
    image = torch.from_numpy(phantoms(1)).to(torch.complex64)
    kspace = MultiCoilFourierMap(torch.ones(SHAPE), birdcage_coils(4, SHAPE))(image)[0]
    np.save(folder / "kspace.npy", (to_centred(kspace) if centred else kspace).numpy())
    estimated = {"type": "espirit", "file": "kspace.npy", "centred": centred, "calibration": 20}
    estimated |= {"library": "sigpy", "crop": 0.8}
    loaded = load(folder, {"map": {**MULTI_COIL, "coils": estimated}})
    forward = loaded.problem.forward
    assert isinstance(forward, MultiCoilFourierMap)
    expected = espirit_coils(kspace, calibration=20, crop=0.8, library="sigpy")
    assert torch.allclose(forward.coils, expected, atol=1e-3)


def test_images_may_be_phantoms(folder: Path) -> None:
    images = {"phantoms": "ellipses", "shape": [24, 32], "count": 3, "seed": 7, "real": True}
    loaded = load(folder, {**PROJECTION, "map": RADON, "images": images})
    expected = ellipse_phantoms(3, (24, 32), seed=7)
    assert loaded.image_ids == tuple(image.id for image in expected)
    assert torch.equal(loaded.images, torch.from_numpy(np.stack([i.array for i in expected])))
    assert not loaded.images.is_complex()


PHANTOMS = {"phantoms": "ellipses", "shape": [32, 32], "count": 1}


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"map": {**RADON, "angles": "a.npy"}}, "map", "either sampling or angles"),
        ({"map": {**RADON, "key": "a"}}, "map", "key only beside angles"),
        ({"map": {"type": "radon", "angles": "a.npy"}}, "map.angles", "got nothing there"),
        ({"map": {"type": "radon", "angles": "images.npy"}}, "map.angles", "finite angle"),
        ({"map.sampling.n_views": 61}, "map.sampling", "n_views of at most n_total"),
        ({"map.sampling.even": [7]}, "map.sampling", "got 7 before 60"),
        ({"map.sampling.rate": 0.1}, "map.sampling.rate", "n_views, n_total, even"),
        ({"map": {**MULTI_COIL, "mask": "m.npy"}}, "map", "either sampling or mask"),
        ({"map": {**MULTI_COIL, "coils": {"type": "bird"}}}, "map.coils.type", "birdcage, file, espirit"),
        (
            {"map": {**MULTI_COIL, "coils": {"type": "espirit", "file": "images.npy"}}},
            "map.coils", "complex data of shape",
        ),
        (
            {"map": {**MULTI_COIL, "coils": {"type": "file", "file": "wide.npy"}}},
            "map.coils", r"shape \(C, 32, 32\)",
        ),
        ({"images": {**PHANTOMS, "path": "images.npy"}}, "images", "one of path, zoo and phantoms"),
        ({"images": {"phantoms": "ellipses", "count": 2}}, "images", "shape and count"),
        ({"images": {**PHANTOMS, "scale": "max"}}, "images", "scale only beside path"),
        ({"images.seed": 3}, "images", "seed only beside phantoms"),
    ],
)  # fmt: skip
def test_mistakes_are_reported_with_their_field(
    folder: Path, changes: dict[str, Any], field: str, sentence: str
) -> None:
    np.save(folder / "wide.npy", np.ones((2, 32, 40)))
    plan = {**PROJECTION, **REAL, "map": {**RADON, "sampling": dict(VIEWS)}}
    path = write_small_plan(folder, {**plan, **changes})
    with pytest.raises(PlanError, match=sentence) as error:
        load_plan(path)
    assert error.value.field.startswith(field)
