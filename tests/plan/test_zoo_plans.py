from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml

from shaketable import zoo
from shaketable.errors import PlanError
from shaketable.plan import LoadedPlan, load_plan
from shaketable.plan.load import validate_plan
from shaketable.plan.templates import zoo_plan_file
from tests.helpers.data import shared_data

PLAN = {
    "network": {"zoo": "deep-mri"},
    "images": {"zoo": "test", "count": 2},
    "probes": {"sampling": {"rates": [0.5]}},
}


def load(folder: Path, **changes: object) -> LoadedPlan:
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({**PLAN, **changes}, sort_keys=False))
    return load_plan(path)


@pytest.mark.parametrize("written", [{}, {"map": "zoo"}, {"map": {"type": "zoo"}}])
def test_a_zoo_network_brings_its_map_and_images(
    tmp_path: Path, written: dict[str, object]
) -> None:
    loaded, network = load(tmp_path, **written), zoo.load("deep-mri")
    assert loaded.problem.name == "deep-mri"
    assert loaded.image_ids == network.image_ids("test")[:2]
    assert torch.equal(loaded.images, network.images("test")[:2])
    assert torch.equal(loaded.problem.forward.mask, network.forward.mask)
    assert loaded.plan.probes[0].trained_rate == network.trained_rate
    assert loaded.plan.source["map"] == {"type": "zoo"}


def test_a_zoo_network_works_on_another_map(tmp_path: Path) -> None:
    pattern = {"pattern": "radial-lines", "rate": 0.3}
    loaded = load(tmp_path, map={"type": "fourier", "sampling": pattern})
    assert loaded.problem.forward.rate == pytest.approx(0.3, abs=1e-4)
    assert loaded.plan.probes[0].trained_rate == 0.3


@pytest.mark.data
def test_published_weights_bring_their_own_size(tmp_path: Path) -> None:
    weights = str(shared_data("deep-mri/d5_c5.npz"))
    loaded = load(tmp_path, network={"zoo": "deep-mri", "weights": weights, "name": "published"})
    assert loaded.problem.name == "published"
    assert tuple(loaded.images.shape) == (2, 256, 256)


@pytest.fixture
def small_network(tmp_path: Path) -> Path:
    """Weights of a narrow FBPConvNet, as training leaves them."""
    from shaketable.zoo.weights import save_weights

    save_weights(zoo.FBPConvNet(2, equivariant=True), tmp_path / "ct.safetensors")
    return tmp_path / "ct.safetensors"


def test_a_network_of_computed_tomography_brings_real_images(
    tmp_path: Path, small_network: Path
) -> None:
    network = {"zoo": "ell-50", "weights": str(small_network)}
    rates = {"sampling": {"rates": [0.02]}}
    loaded = load(
        tmp_path, network=network, images={"zoo": "test", "count": 1, "real": True}, probes=rates
    )
    assert loaded.problem.real
    assert "relative to water" in loaded.problem.units
    assert loaded.images.dtype == torch.float32
    assert loaded.problem.forward.data_shape == (50, 363)
    with pytest.raises(PlanError, match="real: true beside the images of ell-50"):
        load(tmp_path, network=network)


def test_the_standard_plan_is_that_of_the_network() -> None:
    assert zoo_plan_file("standard", "deep-mri").data["images"] == {"zoo": "test", "count": 3}
    for name in ("ell-50", "med-50"):
        plan = zoo_plan_file("standard", name)
        assert plan.data["images"]["real"] is True
        assert plan.data["network"] == {"zoo": name}
        spec = validate_plan(plan)
        [sampling] = spec.probes.sampling.value
        # Views in thousandths: half a turn has 1000.
        assert all((1000 * rate) % 1 < 1e-9 for rate in sampling.rates)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"images": {"zoo": "test", "real": True}}, r"images\.real: Expected complex images"),
        ({"images": {"zoo": "test", "shape": [64, 64]}}, "Expected shape only beside path"),
        ({"network": {"zoo": "deep-mri", "arguments": {"a": 1}}}, "only beside object"),
    ],
)
def test_what_does_not_go_with_the_zoo(
    tmp_path: Path, changes: dict[str, object], says: str
) -> None:
    with pytest.raises(PlanError, match=says):
        load(tmp_path, **changes)
