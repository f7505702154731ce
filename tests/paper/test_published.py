"""Figures 1 and 2 on the published Deep MRI weights and cardiac images, small and with few gradients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shaketable.cli import main
from shaketable.paper import Drawn, find_figure, part_plan, read_own, write_figure
from shaketable.plan import plan_from
from shaketable.runs import run
from tests.helpers.data import shared_data

SIDE = 64  # the network serves any size; its own 256 x 256 take sixteen times as long


def published(number: int, folder: Path, probe: dict[str, Any]) -> Drawn:
    figure = find_figure(number)
    own = read_own(
        [str(shared_data("cardiac/slices.npz"))], [str(shared_data("deep-mri/d5_c5.npz"))], [figure]
    )
    plan = part_plan(figure, "deep-mri", own)
    plan["images"] |= {"shape": [SIDE, SIDE], "count": 1}
    plan["map"] = {
        "type": "fourier",
        "sampling": {
            "pattern": "cartesian-variable-density",
            "rate": 1 / 3,
            "n_center": 8,
            "seed": 0,
        },
    }
    plan["baselines"] = {"total-variation": {"gap": 0.01}}
    (name,) = plan["probes"]
    plan["probes"][name] |= probe
    loaded = plan_from(plan)
    run(
        loaded.problem, loaded.images, loaded.plan, out=folder / "run", seed=loaded.seed,
        image_ids=loaded.image_ids,
    )  # fmt: skip
    drawn, files = write_figure(figure, {"deep-mri": folder / "run"}, folder)
    assert all(file.stat().st_size > 1000 for file in files)
    assert json.loads(files[-1].read_text())["figure"] == number
    return drawn


@pytest.mark.data
def test_figure_1_finds_small_perturbations_that_cost_the_network_more(tmp_path: Path, capsys):
    drawn = published(
        1, tmp_path, {"radii": [0.02, 0.05, 0.12], "search": {"n_gradients": 4}, "n_random": 1}
    )
    lost, given = (claim.measured.estimate for claim in drawn.claims)
    assert lost > 3
    mine = [r for r in drawn.numbers["records"] if r["role"] == "network"]
    assert all(r["amplification"] > 2 * r["random_amplification"] for r in mine)
    assert given < mine[-1]["amplification"]
    begins = drawn.numbers["drops"]["deep-mri"]["1 dB"][0]
    assert begins["at"] in (0.02, 0.05, 0.12)
    assert [claim.outcome for claim in drawn.claims] == [
        "open",
        "open",
    ]  # one image has no interval
    assert main(["show", str(tmp_path / "run")]) == 0  # every panel's perturbation, executed again
    assert "DIFFERENT" not in capsys.readouterr().out


@pytest.mark.data
def test_figure_2_counts_draws_that_keep_the_artefact(tmp_path: Path):
    drawn = published(
        2, tmp_path,
        {"radius": 0.05, "search": {"n_gradients": 4}, "n_draws": [12, 4, 4], "n_draws_stable": 2},
    )  # fmt: skip
    shares = [claim.measured for claim in drawn.claims]
    assert [share.n for share in shares] == [12, 4, 4]
    assert shares[0].low > 0.5
    assert drawn.claims[0].outcome == "holds"
