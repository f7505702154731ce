"""What other probes stored is executed again, and what was changed is found."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import pytest

from shaketable import Budget, Neighbourhood, Plan, Problem, Sampling, Search, Structural, run
from shaketable.errors import RunError
from shaketable.maps.sampling import cartesian_variable_density
from shaketable.runs import replay
from tests.helpers import networks

SEQUENCE = cartesian_variable_density((32, 32), seed=0, n_center=4)
PLAN = Plan(
    probes=(
        Structural(details=("lesion", "text:A"), size=5),
        Sampling.fourier(SEQUENCE, rates=(0.3, 0.6), trained_rate=0.5),
        Neighbourhood(radius=0.05, search=Search(budget=Budget(n_gradients=4)), n_draws=2,
                      noise_ratio=(0.25, 1.0)),
    ),
    baselines={"zero-filled": networks.zero_filled},
)  # fmt: skip


def problem(gain: float = 4.0) -> Problem:
    network = networks.Unstable(networks.fourier(), networks.images(1), gain=gain)
    return Problem(forward=networks.fourier(), reconstruct=network, name="net")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return run(problem(), networks.images(1), PLAN, out=tmp_path / "run").directory


def test_details_rates_and_noisy_worst_cases_are_executed_again(directory: Path):
    replays = replay(directory, problem(), PLAN)
    assert all(one.agrees for one in replays)
    done = [(one.method, one.what) for one in replays]
    rates = ("30 % sampling", "50 % sampling", "60 % sampling")
    assert sorted(done) == sorted(
        (method, what)
        for method in ("net", "zero-filled")
        for what in ("lesion", "text:A", *rates, "worst case")
    )
    for one in replays:
        assert one.error == pytest.approx(one.stored_error, rel=1e-3)
        assert one.error > 0
    assert {one.what for one in replay(directory, problem(), PLAN, probe="sampling")} == set(rates)
    assert replay(directory, problem(), PLAN, probe="worst_case") == ()


@pytest.mark.parametrize(
    ("item", "name", "method"),
    [
        ("structural-image-000", "detail", None),
        ("structural-image-000", "methods/net/with_detail", "net"),
        ("sampling-image-000", "methods/net/reconstruction", "net"),
        ("neighbourhood-image-000", "methods/net/perturbation", "net"),
        ("neighbourhood-image-000", "image", None),
    ],
)
def test_what_was_changed_is_found(directory: Path, item: str, name: str, method: str | None):
    n_changed = 0
    for path in (directory / "arrays").glob(f"{item}@*.h5"):
        with h5py.File(path, "r+") as file:
            if name in file:
                file[name][...] = 1.02 * file[name][()]
                n_changed += 1
    assert n_changed
    wrong = [one for one in replay(directory, problem(), PLAN) if not one.agrees]
    assert {one.item for one in wrong} == {item}
    assert method is None or {one.method for one in wrong} == {method}


def test_another_network_and_another_record_do_not_agree(directory: Path):
    replays = replay(directory, problem(gain=3.0), PLAN)
    assert {one.method for one in replays if not one.agrees} == {"net"}
    path = directory / "results.json"
    results = json.loads(path.read_text())
    for record in results["records"]:
        if record["probe"] == "neighbourhood":
            record["error"] *= 1.01
    path.write_text(json.dumps(results))
    wrong = [one for one in replay(directory, problem(), PLAN) if not one.agrees]
    assert {one.what for one in wrong} == {"worst case"}


def test_methods_and_arrays_must_be_there(directory: Path):
    with pytest.raises(RunError, match="'zero-filled' of the run, got net"):
        replay(directory, problem(), Plan(probes=PLAN.probes))
    (directory / "arrays" / "sampling-image-000@net.h5").write_bytes(b"nothing")
    with pytest.raises(RunError, match="readable arrays of sampling-image-000"):
        replay(directory, problem(), PLAN)
