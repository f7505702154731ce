"""The standard plans of AUTOMAP, DAGAN and MRI-VN can be made and one can be run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from shaketable import run, zoo
from shaketable.maps import FourierMap, MultiCoilFourierMap
from shaketable.plan import LoadedPlan
from shaketable.plan.load import build_plan
from shaketable.plan.locate import PlanFile
from shaketable.plan.templates import zoo_plan_file
from shaketable.probes import WorstCase
from shaketable.zoo.weights import save_weights


def small_networks() -> dict[str, torch.nn.Module]:
    """Untrained networks, small in all that weights may decide."""
    positions = FourierMap(torch.rand(48, 48).fill_diagonal_(1) > 0.4).mask.nonzero()
    return {
        "automap": zoo.AUTOMAP(positions, (48, 48), 8, 2),
        "dagan": zoo.DAGAN(width=1, n_levels=6),
        "mri-vn": zoo.MRIVN(n_stages=1, n_filters=2, kernel_size=3),
    }


def standard_plan(name: str, folder: Path) -> LoadedPlan:
    """The standard plan of a network, with weights written here."""
    torch.manual_seed(0)
    save_weights(small_networks()[name], folder / "small.safetensors")
    plan = zoo_plan_file("standard", name)
    network = {"zoo": name, "weights": str(folder / "small.safetensors")}
    data = {**plan.data, "network": network}
    return build_plan(PlanFile(file=plan.file, folder=folder, data=data, lines=plan.lines))


@pytest.mark.parametrize("name", ["automap", "dagan", "mri-vn"])
def test_standard_plans_can_be_made(tmp_path: Path, name: str) -> None:
    loaded = standard_plan(name, tmp_path)
    probes = [probe.name for probe in loaded.plan.probes]
    assert ("sampling" in probes) == (name != "automap")
    assert list(loaded.plan.not_applicable) == (["sampling"] if name == "automap" else [])
    assert {"worst_case", "structural", "neighbourhood"} <= set(probes)
    assert set(loaded.plan.baselines) == {"total-variation"}
    assert loaded.problem.real == (name != "mri-vn")
    assert isinstance(loaded.problem.forward, MultiCoilFourierMap) == (name == "mri-vn")
    n_images = {"automap": 8, "dagan": 3, "mri-vn": 2}[name]
    assert len(loaded.images) == len(loaded.image_ids) == n_images
    searched = [probe for probe in loaded.plan.probes if probe.name == "worst_case"]
    # Several coils take too long for both.
    domains = ["image"] if name == "mri-vn" else ["image", "data"]
    assert [probe.domain for probe in searched if isinstance(probe, WorstCase)] == domains


def test_a_network_of_real_images_runs(tmp_path: Path) -> None:
    loaded = standard_plan("dagan", tmp_path)
    sampling = next(probe for probe in loaded.plan.probes if probe.name == "sampling")
    baselines = {"total-variation": loaded.plan.baselines["total-variation"]}
    plan = replace(loaded.plan, probes=(sampling,), baselines=baselines)
    finished = run(
        loaded.problem, loaded.images[:1], plan, out=tmp_path / "run",
        image_ids=loaded.image_ids[:1], seed=0,
    )  # fmt: skip
    rows = [row for row in finished.results["records"] if row["method"] == "total-variation"]
    qualities = [row["psnr"] for row in sorted(rows, key=lambda row: row["rate"])]
    assert len(qualities) == 6
    assert qualities[-1] > qualities[0] + 3
