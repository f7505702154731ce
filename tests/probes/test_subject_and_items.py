"""Subjects, tasks and their seeds; no number depends on order, sharding or other images."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from shaketable import (
    Budget,
    MatrixMap,
    Neighbourhood,
    Plan,
    Problem,
    Sampling,
    Search,
    Structural,
    WorstCase,
)
from shaketable.errors import InputError, ShapeError
from shaketable.probes import Subject
from shaketable.probes.probe import key_of, number, plain, sampled_sha256, slug, support
from shaketable.runs.tasks import Task, all_tasks, tasks_of
from shaketable.statistics import mean_interval
from tests.helpers import networks
from tests.helpers.measuring import measure_in_run

QUICK = Search(budget=Budget(n_gradients=4))
PROBES = (
    WorstCase(radii=(0.01, 0.02), search=QUICK, n_random=2),
    WorstCase(radii=(0.01,), search=QUICK, domain="data", n_random=1),
    Structural(details=("heart", "lesion")),
    Sampling.fourier(networks.sequence(), rates=(0.5, 0.75), trained_rate=0.5),
    Neighbourhood(search=QUICK, n_draws=4),
)


def subject(chosen: list[int]) -> Subject:
    images = networks.images(4)
    network = networks.Unstable(networks.fourier(), networks.images(1), gain=4.0)
    return Subject(
        problems=(Problem(forward=networks.fourier(), reconstruct=network, name="net"),),
        images=images[chosen],
        image_ids=tuple(f"i{index}" for index in chosen),
        baselines={"zero-filled": networks.zero_filled},
    )


def everything(probe, case: Subject, seed: int = 5) -> dict:
    found = {}
    for index, image in enumerate(case.image_ids):
        outcome = measure_in_run(probe, case, index, seed)
        arrays = {name: values.tobytes() for name, values in outcome.arrays.items()}
        found[image] = (outcome.records, arrays)
    return found


@pytest.mark.parametrize(
    "probe", PROBES, ids=["image", "data", "structural", "sampling", "neighbourhood"]
)
def test_order_sharding_and_other_images_change_no_number_and_no_array(probe):
    together = everything(probe, subject([0, 1, 2]))
    backwards = everything(probe, subject([2, 1, 0]))
    shards = everything(probe, subject([0])) | everything(probe, subject([1, 3, 2]))
    assert together == backwards
    assert together == {key: shards[key] for key in together}
    assert len(together) == 3


@pytest.mark.parametrize("probe", [PROBES[0], PROBES[2], PROBES[4]], ids=lambda probe: probe.name)
def test_another_seed_is_another_measurement(probe):
    assert everything(probe, subject([0]), 5) != everything(probe, subject([0]), 6)


def task(item: str, *, image: int = 0, method: str = "net", network: str = "") -> Task:
    return Task(probe="any", item=item, image=image, method=method, network=network)


def test_a_tasks_seed_depends_on_the_runs_seed_and_its_item_alone():
    assert task("a").seed(1) == task("a", image=9).seed(1)
    assert task("a").seed(1) == task("a", method="tv").seed(1)
    assert task("a").seed(1) == task("a", method="tv", network="net").seed(1)
    seeds = {task(item).seed(seed) for item in "abc" for seed in (1, 2, 3)}
    assert len(seeds) == 9
    assert all(0 <= seed < 2**48 for seed in seeds)


def test_task_keys_are_those_of_the_run_directory():
    tasks = all_tasks(PROBES, subject([0, 1]))
    keys = ("worst_case-image", "worst_case-data", "structural", "sampling", "neighbourhood")
    assert [key_of(probe) for probe in PROBES] == list(keys)
    assert list(dict.fromkeys(task.item for task in tasks)) == [
        f"{probe}-{image}" for probe in keys for image in ("i0", "i1")
    ]
    given = [f"@zero-filled@{network}" for network in ("net",)]
    assert [task.key for task in tasks] == [
        f"{probe}-{image}{method}"
        for probe in keys
        for image in ("i0", "i1")
        for method in ("@net", "@zero-filled", *(given if probe.startswith("worst") else ()))
    ]


def test_reference_methods_wait_for_every_network_and_for_nothing_else():
    one = subject([0]).problem
    case = Subject(
        problems=(one, replace(one, name="other net")),
        images=networks.images(2),
        image_ids=("i0", "i1"),
        baselines={"tv": networks.zero_filled, "zf": networks.zero_filled},
    )
    tasks = tasks_of(PROBES[0], case)
    waiting = {task.key: task.needs for task in tasks if task.needs is not None}
    assert waiting == {
        f"worst_case-image-{image}@{method}@{network}": f"worst_case-image-{image}@{network}"
        for image in ("i0", "i1")
        for method in ("tv", "zf")
        for network in ("net", "other-net")
    }
    assert len(tasks) == 2 * 4 + len(waiting)
    keys = [task.key for task in tasks]
    assert all(keys.index(need) < keys.index(key) for key, need in waiting.items())
    assert all(task.needs is None for task in tasks_of(PROBES[2], case))


def test_methods_are_the_network_and_then_the_baselines_on_the_same_map():
    case = subject([0])
    assert [(method.name, method.role) for method in case.methods] == [
        ("net", "network"), ("zero-filled", "baseline")
    ]  # fmt: skip
    assert all(method.problem.forward is case.problem.forward for method in case.methods)
    assert case.primary_baseline == "zero-filled"


NET = Problem(forward=networks.fourier(), reconstruct=networks.zero_filled, name="net")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image_ids": ("one",)}, r"one name per image \(2\), got 1"),
        ({"image_ids": ("one", "one")}, "rename those that are alike"),
        ({"image_ids": ("a/b", "a b")}, "a/b, a b"),
        ({"baselines": {"net": networks.zero_filled}}, "'net' for both"),
        ({"problems": (NET, NET)}, "network names .* net, net"),
        ({"problems": (replace(NET, name="a b"), replace(NET, name="a/b"))}, "a b, a/b"),
        ({"baselines": {"n/t": networks.zero_filled, "n t": networks.zero_filled}}, "method names"),
        ({"problems": (NET, replace(NET, name="tv")), "baselines": {"tv": print}}, "'tv' for both"),
        ({"problems": ()}, "at least one problem"),
        ({"problems": (NET, replace(NET, name="b", real=True))}, "real=True for 'b'"),
        (
            {"problems": (NET, replace(NET, name="b", forward=networks.fourier(0.75)))},
            "another one for 'b'",
        ),
    ],
)
def test_subjects_that_cannot_be_told_apart_are_refused(changes, said):
    settings = {
        "problems": (NET,),
        "images": networks.images(2),
        "image_ids": ("one", "two"),
    }
    with pytest.raises(InputError, match=said):
        Subject(**(settings | changes))


def test_signals_of_one_dimension_are_refused_before_any_work():
    problem = Problem(forward=MatrixMap(torch.eye(9)), reconstruct=networks.zero_filled, real=True)
    with pytest.raises(ShapeError, match=r"image_shape=\(H, W\)"):
        Subject(problems=(problem,), images=torch.rand(1, 9), image_ids=("one",))


def test_names_become_file_names():
    assert slug("patient 7/slice:3.nii") == "patient-7-slice-3.nii"
    assert slug("../../etc") == "etc"
    assert slug("患者") == "image"


def test_numbers_that_do_not_exist_are_null():
    assert [number(x) for x in (1, torch.tensor(2.0), float("nan"), float("inf"))] == [
        1.0, 2.0, None, None
    ]  # fmt: skip


def test_sentences_show_numbers_that_can_be_read():
    assert [plain(x) for x in (0.0123, 4.31, 55.5, 123.4, 12345.6)] == [
        "0.012", "4.3", "56", "123", "12,346"
    ]  # fmt: skip
    assert support(mean_interval([1.0, 2.0]), plain) == "95 % interval -4.9 to 7.9, 2 images"
    assert support(mean_interval([1.0]), plain) == "1 image, too few for an interval"


def test_a_maps_samples_have_a_hash_of_their_own():
    one, other = networks.fourier(0.5), networks.fourier(0.75)
    assert sampled_sha256(one) == sampled_sha256(networks.fourier(0.5)) != sampled_sha256(other)
    assert sampled_sha256(MatrixMap(torch.eye(4))) is None


def test_a_plan_describes_its_probes_by_name():
    described = Plan(probes=PROBES).describe()["probes"]
    assert set(described) == {"worst_case", "structural", "sampling", "neighbourhood"}
    assert [one["domain"] for one in described["worst_case"]] == ["image", "data"]
    assert described["structural"]["details"] == ["heart", "lesion"]
    only = Plan(probes=PROBES[:1]).describe()["probes"]["worst_case"]
    assert only["search"]["update"] == {
        "name": "SphereAscent", "step": 0.8, "step_continued": 0.3, "momentum": [0.3, 0.9],
        "overshoot": 2.0,
    }  # fmt: skip
    assert only["search"]["budget"]["n_gradients"] == 4
    assert only["search"]["objective"] == {"name": "ErrorNorm", "against": "clean", "region": None}


def test_a_stored_array_is_single_precision():
    from shaketable.io import array_sha256
    from shaketable.probes.probe import array

    values = array(torch.ones(2, 3, dtype=torch.complex128).conj())
    assert values.dtype == np.complex64
    assert array_sha256(values) != array_sha256(values.T)
    assert array_sha256(values) != array_sha256(values.real)
