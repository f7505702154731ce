"""Fields that are set beside the file of a plan, several networks, devices."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from shaketable.errors import PlanError
from shaketable.plan import load_plan, override, plan_from
from shaketable.plan.locate import parse_plan, read_plan_file
from shaketable.probes import WorstCase
from tests.helpers.small_plan import write_small_plan


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    return write_small_plan(tmp_path)


def test_fields_are_set_and_the_file_is_left_alone(path: Path) -> None:
    before = read_plan_file(path)
    after = override(before, [
        "probes.worst_case.radii=[5e-3, 0.02]", "images.units=yes", "probes.structural.size=6",
        "baselines=", "seed=4", "seed=5",
    ])  # fmt: skip
    assert before.data == read_plan_file(path).data
    assert after.data["probes"]["worst_case"]["radii"] == [5e-3, 0.02]
    assert after.data["images"]["units"] == "yes"
    assert after.data["probes"]["structural"] == {"size": 6}
    assert after.data["baselines"] is None
    assert after.data["seed"] == 5


def test_a_plan_is_loaded_with_what_is_set(path: Path) -> None:
    loaded = load_plan(path, ["probes.worst_case.radii=[0.01]", "seed=9"])
    [probe] = loaded.plan.probes
    assert isinstance(probe, WorstCase)
    assert (probe.radii, loaded.seed) == ((0.01,), 9)
    assert loaded.plan.source["seed"] == 9


def test_entries_of_lists_are_numbers() -> None:
    plan = parse_plan("a: [{b: 1}, {b: 2}]", file="plan.yaml", folder=Path())
    assert override(plan, ["a.1.b=7"]).data == {"a": [{"b": 1}, {"b": 7}]}


@pytest.mark.parametrize(
    ("assignment", "field", "sentence"),
    [
        ("seed", "", "Expected --set FIELD=VALUE"),
        ("=3", "", "Expected --set FIELD=VALUE"),
        ("images..count=3", "", "Expected --set FIELD=VALUE"),
        ("seed=[", "", "a value as in a plan, got '\\['"),
        ("images.path.x=3", "images.path", "fields inside images.path, got 'images.npy' there"),
        ("probes.worst_case.radii.a=3", "probes.worst_case.radii", "one of the 2 entries"),
        ("probes.worst_case.radii.2=3", "probes.worst_case.radii", "one of the 2 entries"),
        ("probes.worst_case.radi=[0.1]", "probes.worst_case.radi", "did you mean 'radii'"),
        ("prob.worst_case.radii=[0.1]", "prob", "did you mean 'probes'"),
        ("probes.worst_case.radii=[0.2, 0.1]", "probes.worst_case.radii", "increasing"),
        ("network.object=networks:Nett", "network.object", "did you mean 'Net'"),
    ],
)
def test_mistakes_name_what_set_them(
    path: Path, assignment: str, field: str, sentence: str
) -> None:
    with pytest.raises(PlanError, match=sentence) as error:
        load_plan(path, [assignment])
    assert error.value.field == field
    assert "--set" in str(error.value)
    assert error.value.line is None


def test_a_mistake_elsewhere_keeps_its_line(path: Path) -> None:
    path.write_text(path.read_text().replace("n_random: 1", "n_random: 0"))
    with pytest.raises(PlanError, match="n_random") as error:
        load_plan(path, ["seed=3"])
    assert error.value.line is not None
    assert error.value.file == str(path)


def networks(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"network": None, "networks": list(entries)}


NET = {"object": "networks:Net"}
ZERO_FILLED = {"object": "networks:zero_filled"}


def test_several_networks_share_the_rest(path: Path) -> None:
    loaded = load_plan(write_small_plan(path.parent, networks(NET, ZERO_FILLED)))
    assert [problem.name for problem in loaded.problems] == ["Net", "zero_filled"]
    assert loaded.problem is loaded.problems[0]
    assert len({id(problem.forward) for problem in loaded.problems}) == 1
    again = plan_from(loaded.plan.source)
    assert [problem.name for problem in again.problems] == ["Net", "zero_filled"]
    assert again.plan.source == loaded.plan.source


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        (networks(NET, NET), "networks.1.name", "'Net' for another network too"),
        (
            networks(NET, {**NET, "name": "total-variation"}),
            "networks.1.name",
            "a reference method",
        ),
        (networks(NET, {"object": "networks:Nett"}), "networks.1.object", "did you mean 'Net'"),
        (networks(NET, {**ZERO_FILLED, "differentiable": False}), "probes.worst_case", "black-box"),
        (networks(), "networks", "at least 1 entries"),
        ({"networks": [NET]}, "networks", "either network or networks, got both"),
        ({"network": None}, "network", "Expected the field 'network'"),
        ({"device": "gpu"}, "device", "called cpu, cuda, cuda:0 or mps, got 'gpu'"),
        ({"device": ["cpu", "cuda:9999"]}, "device.1", "a device that this machine has"),
        ({"workers": 0}, "workers", "at least 1"),
    ],
)
def test_mistakes_in_networks_and_devices(
    path: Path, changes: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(PlanError, match=sentence) as error:
        load_plan(write_small_plan(path.parent, changes))
    assert error.value.field == field


def test_where_it_is_computed_is_no_part_of_what_is_stored(path: Path) -> None:
    loaded = load_plan(write_small_plan(path.parent, {"device": "cpu", "workers": 3}))
    assert (loaded.device, loaded.workers) == (("cpu",), 3)
    assert not {"device", "workers"} & set(loaded.plan.source)
    plain = load_plan(path := write_small_plan(path.parent, {"device": ["cpu", "cpu"]}))
    assert (plain.device, plain.workers) == (("cpu", "cpu"), None)
    assert plain.plan.source == loaded.plan.source
