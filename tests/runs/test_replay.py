"""Replay: stored counterexamples are executed again, and tampering is found."""

import json

import h5py
import pytest
import torch

from shaketable import Budget, Plan, Problem, Search, Structural, WorstCase, run
from shaketable.errors import RunError
from shaketable.runs import replay
from tests.helpers import networks

BASELINES = {"zero-filled": networks.zero_filled}
DOMAINS = ("image", "data")
RADII = (0.01, 0.02)


def network_problem(gain=4.0) -> Problem:
    network = networks.Unstable(networks.fourier(), networks.images(1), gain=gain)
    return Problem(forward=networks.fourier(), reconstruct=network, name="net")


def make(out, problem, images, baselines=BASELINES, search=None):
    search = search or Search(budget=Budget(n_gradients=6))
    probes = tuple(
        WorstCase(radii=RADII, domain=domain, search=search, n_random=1) for domain in DOMAINS
    )
    plan = Plan(probes=(*probes, Structural(details=("lesion",))), baselines=baselines)
    return run(problem, images, plan, out=out)


@pytest.fixture
def directory(tmp_path):
    return make(tmp_path, network_problem(), networks.images(2)).directory


def change(directory, item, name):
    with h5py.File(directory / "arrays" / f"{item}.h5", "r+") as file:
        file[name][...] = 1.001 * file[name][()]


def test_every_stored_worst_case_is_replayed_and_agrees(directory):
    replays = replay(directory, network_problem(), BASELINES)
    assert len(replays) == 2 * 2 * len(DOMAINS) * len(RADII)
    assert all(one.hash_matches and one.agrees for one in replays)
    for one in replays:
        assert one.error == pytest.approx(one.stored_error, rel=1e-4)
    assert {(one.method, one.radius) for one in replays} == {
        (method, radius) for method in ("net", "zero-filled") for radius in RADII
    }


def test_a_tampered_perturbation_is_found(directory):
    item = "worst_case-data-image-001"
    change(directory, item, "methods/net/perturbation")
    wrong = [one for one in replay(directory, network_problem(), BASELINES) if not one.agrees]
    assert {(one.item, one.method, one.hash_matches) for one in wrong} == {(item, "net", False)}


def test_a_tampered_image_is_found(directory):
    item = "worst_case-image-image-000"
    change(directory, item, "image")
    wrong = [one for one in replay(directory, network_problem(), BASELINES) if not one.agrees]
    assert {one.item for one in wrong} == {item}


def test_a_tampered_record_is_found(directory):
    path = directory / "results.json"
    results = json.loads(path.read_text())
    results["records"][0]["error"] *= 1.01
    path.write_text(json.dumps(results))
    wrong = [one for one in replay(directory, network_problem(), BASELINES) if not one.agrees]
    assert [one.hash_matches for one in wrong] == [True]


def test_another_network_does_not_agree(directory):
    replays = replay(directory, network_problem(gain=3.0), BASELINES)
    assert all(one.hash_matches for one in replays)
    assert {one.method for one in replays if not one.agrees} == {"net"}


def test_double_precision_is_replayed_in_double_precision(tmp_path):
    def strict(y, A):
        if y.dtype != torch.complex128:
            raise TypeError(f"this network is in double precision, got {y.dtype}")
        return 2 * A.adjoint(y)

    problem = Problem(forward=networks.fourier(), reconstruct=strict, name="net")
    images = networks.images(1).to(torch.complex128)
    directory = make(tmp_path, problem, images).directory
    assert all(one.agrees for one in replay(directory, problem, BASELINES))


def test_real_images_are_replayed(tmp_path):
    problem = Problem(
        forward=networks.fourier(), reconstruct=networks.real_zero_filled, real=True, name="net"
    )
    baselines = {"half": lambda y, A: 0.5 * A.adjoint(y).real}
    directory = make(tmp_path, problem, networks.images(1, real=True), baselines).directory
    assert all(one.agrees for one in replay(directory, problem, baselines))


def test_a_counterexample_that_breaks_the_network_is_replayed(tmp_path):
    images, forward = networks.images(1), networks.fourier()
    network = networks.bright_breaks(forward.adjoint(forward(images)))
    problem = Problem(forward=forward, reconstruct=network, name="net")
    probe = WorstCase(radii=(0.04,), search=Search(budget=Budget(n_gradients=30)), n_random=1)
    result = run(problem, images, Plan(probes=(probe,)), out=tmp_path)
    assert result.verdicts[0]["verdict"] == "unstable"
    [one] = replay(tmp_path, problem, {})
    assert one.hash_matches
    assert one.stored_error != one.stored_error  # NaN
    assert one.agrees
    [other] = replay(tmp_path, network_as(networks.zero_filled), {})
    assert not other.agrees


def network_as(reconstruct) -> Problem:
    return Problem(forward=networks.fourier(), reconstruct=reconstruct, name="net")


def test_methods_and_arrays_must_be_there(directory, tmp_path):
    with pytest.raises(RunError, match="'zero-filled' of the run, got net"):
        replay(directory, network_problem(), {})
    (directory / "arrays" / "worst_case-image-image-000.h5").write_bytes(b"nothing")
    with pytest.raises(RunError, match="readable arrays of worst_case-image-image-000"):
        replay(directory, network_problem(), BASELINES)
    with pytest.raises(RunError, match=r"results\.json"):
        replay(tmp_path / "nowhere", network_problem(), BASELINES)
