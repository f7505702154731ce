"""What stops a run before anything is written: another run in the way, failed checks, wrong input."""

import re
from dataclasses import replace

import pytest
import torch
from torch import nn

from shaketable import (
    FourierMap,
    MatrixMap,
    NumpyMap,
    Plan,
    Problem,
    Sampling,
    Structural,
    WorstCase,
    run,
)
from shaketable.errors import InputError, PreflightError, RunError, ShapeError
from shaketable.probes import Subject
from shaketable.runs import Event
from shaketable.runs.answers import compare_answers
from shaketable.runs.store import Store
from tests.helpers import networks
from tests.helpers.quick_run import BASELINES, QUICK, network_problem, quick


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": 1}, "another seed"),
        ({"images": 1.01 * networks.images(2)}, "another images"),
        ({"images": networks.images(3)}, "another images"),
        ({"images": networks.images(2).to(torch.complex128)}, "another images"),
        ({"image_ids": ("a", "b")}, "another images"),
        ({"plan": replace(QUICK, probes=(Structural(details=("club",)),))}, "another plan"),
        ({"plan": replace(QUICK, baselines={})}, "another plan"),
        ({"problem": replace(network_problem(), name="other")}, "another networks"),
        (
            {"problem": replace(network_problem(), forward=networks.fourier(0.75))},
            "another map",
        ),
        ({"problem": network_problem(networks.Layered(nn.ReLU()).eval())}, "another networks"),
    ],
)
def test_another_run_in_the_same_directory_is_refused_before_the_checks(tmp_path, changes, said):
    quick(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    events: list[Event] = []
    with pytest.raises(RunError, match=said):
        quick(tmp_path, **changes, on_event=events.append)
    assert events == []
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_other_weights_are_another_network(tmp_path):
    quick(tmp_path, problem=network_problem(networks.Layered(nn.ReLU(), seed=0).eval()))
    with pytest.raises(RunError, match="another networks"):
        quick(tmp_path, problem=network_problem(networks.Layered(nn.ReLU(), seed=1).eval()))


@pytest.mark.parametrize(
    ("network", "baseline", "detector", "said"),
    [
        (1.01, 1, 1, "from net;"),
        (1, 1.01, 1, "from zero-filled;"),
        (1, 1, 1.01, "from the forward map and net and zero-filled;"),
        (1, 1, 1, None),
    ],
)
def test_what_has_no_weights_is_told_apart_by_its_answers(
    tmp_path, network, baseline, detector, said
):
    def begin(network, baseline, detector):
        forward = NumpyMap(
            forward=lambda x: detector * x, adjoint=lambda y: detector * y,
            image_shape=(32, 32), data_shape=(32, 32),
        )  # fmt: skip
        problem = replace(network_problem(networks.scaled(network)), forward=forward)
        plan = replace(QUICK, baselines={"zero-filled": networks.scaled(baseline)})
        return quick(tmp_path, problem=problem, plan=plan)

    begin(1, 1, 1)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    if said is None:
        begin(network, baseline, detector)
    else:
        with pytest.raises(RunError, match=said):
            begin(network, baseline, detector)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["/data/net", "a//b", ".", "the forward map"])
@pytest.mark.parametrize("size", [1.0, 2.0**70, 2.0**-70])
def test_answers_are_compared_whatever_names_and_sizes(tmp_path, name, size):
    """Names with slashes are no paths in the file, and squares of the answers would overflow."""

    def begin(factor):
        answers_with(tmp_path, name, factor * size)

    begin(1.0)
    begin(1.0)
    with pytest.raises(RunError, match=re.escape(f"from {name};")):
        begin(1.5)


def answers_with(folder, name, factor):
    images = networks.images(1)
    problem = Problem(forward=networks.fourier(), reconstruct=networks.scaled(factor), name=name)
    subject = Subject(problems=(problem,), images=images, image_ids=("one",))
    compare_answers(Store(folder), subject)


def test_another_sampling_pattern_is_another_plan(tmp_path):
    plans = [
        Plan(
            probes=(
                Sampling.fourier(networks.sequence(seed=seed), rates=(0.75,), trained_rate=0.5),
            ),
            baselines=BASELINES,
        )
        for seed in (0, 1)
    ]
    quick(tmp_path, plan=plans[0])
    with pytest.raises(RunError, match="another plan"):
        quick(tmp_path, plan=plans[1])


@pytest.mark.parametrize(
    "reconstruct",
    [
        networks.constant,
        networks.not_a_number,
        networks.noisy,
        networks.half_detached,
        networks.batch_mean,
        networks.Layered(nn.BatchNorm2d(2)).train(),
    ],
)
def test_a_failed_check_stops_the_run_before_anything_is_written(tmp_path, reconstruct):
    with pytest.raises(PreflightError):
        quick(tmp_path / "out", problem=network_problem(reconstruct))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_check_of_a_stable_method_names_it(tmp_path):
    plan = replace(QUICK, baselines={"flat": networks.constant})
    with pytest.raises(PreflightError, match="'flat: response near the image'"):
        quick(tmp_path / "out", plan=plan)
    assert list(tmp_path.iterdir()) == []


def test_a_map_whose_adjoint_is_wrong_stops_the_run(tmp_path):
    class Wrong(FourierMap):
        def adjoint(self, data):
            return 2 * super().adjoint(data)

    problem = replace(network_problem(), forward=Wrong(torch.ones(32, 32)))
    with pytest.raises(PreflightError, match="'forward map' failed"):
        quick(tmp_path / "out", problem=problem)
    assert list(tmp_path.iterdir()) == []


def test_wrong_input_stops_the_run_in_a_sentence(tmp_path):
    with pytest.raises(InputError, match="one name per image"):
        quick(tmp_path / "out", image_ids=("only one",))
    with pytest.raises(InputError, match="alike"):
        quick(tmp_path / "out", image_ids=("same", "same"))
    with pytest.raises(InputError, match="at most 200 characters, got one of 300"):
        quick(tmp_path / "out", image_ids=("a" * 300, "b"))
    with pytest.raises(InputError, match="seed to be a whole number"):
        quick(tmp_path / "out", seed=-1)
    with pytest.raises(InputError, match="reference methods by name"):
        Plan(probes=QUICK.probes, baselines=networks.zero_filled)
    signals = Problem(forward=MatrixMap(torch.eye(16)), reconstruct=lambda y, A: y, real=True)
    with pytest.raises(ShapeError, match=r"image_shape=\(H, W\)"):
        quick(tmp_path / "out", problem=signals, images=torch.rand(2, 16))
    assert list(tmp_path.iterdir()) == []


def test_a_black_box_is_refused_before_anything_is_written(tmp_path):
    problem = Problem(
        forward=FourierMap(torch.ones(16, 16)),
        reconstruct=lambda y, A: A.adjoint(y),
        differentiable=False,
    )
    with pytest.raises(InputError, match="differentiable=False"):
        run(problem, torch.rand(1, 16, 16), Plan(probes=(WorstCase(),)), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
