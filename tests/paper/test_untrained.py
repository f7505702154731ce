"""Figures of networks that bring their weights: small untrained AUTOMAP and DAGAN, from plan to sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from shaketable.paper import Drawn, find_figure, part_plan, read_own, write_figure
from shaketable.plan import plan_from
from shaketable.runs import run
from shaketable.zoo import DAGAN, AUTOMAPRecipe, template_training_images
from shaketable.zoo.automap.training import new_network
from shaketable.zoo.weights import save_weights


def made(number: int, network: str, weights: Path, changes: dict[str, Any]) -> Drawn:
    figure, folder = find_figure(number), weights.parent
    plan = part_plan(figure, network, read_own([], [f"{network}={weights}"], [figure]))
    plan["images"]["count"] = 1
    for name, settings in changes.items():
        plan["probes"][name] |= settings
    loaded = plan_from(plan)
    run(
        loaded.problem, loaded.images, loaded.plan, out=folder / "run", seed=loaded.seed,
        image_ids=loaded.image_ids,
    )  # fmt: skip
    return write_figure(figure, {network: folder / "run"}, folder)[0]


def test_figure_3_of_an_automap_that_is_the_best_linear_estimate(tmp_path: Path):
    recipe = AUTOMAPRecipe(size=32, n_hidden=250, n_features=4, n_linear=400)
    weights = tmp_path / "automap.safetensors"
    save_weights(new_network(recipe, template_training_images(64)), weights)
    drawn = made(
        3, "automap", weights,
        {"worst_case": {"radii": [0.01, 0.03, 0.1, 0.3], "search": {"n_gradients": 3}}},
    )  # fmt: skip
    assert drawn.sheet.columns[1:] == ("e₁", "e₂", "e₃", "e₄")
    plain = made_image(find_figure(3), weights)
    heart = np.abs(drawn.sheet.rows[0].tiles[0].array - plain)
    assert 40 < (heart > 0.05).sum() < 144  # twelve pixels wide, rising from one side to the other
    assert heart.max() > 0.3
    records = [r for r in drawn.numbers["records"] if r["role"] == "network"]
    assert [r["domain"] for r in records] == ["data"] * 4
    errors = [r["error"] for r in records]
    assert errors == sorted(errors)


def made_image(figure: Any, weights: Path) -> np.ndarray[Any, Any]:
    """The first image of the figure's plan without its heart."""
    plan = part_plan(figure, "automap", read_own([], [str(weights)], [figure]))
    del plan["images"]["insert"]
    return plan_from(plan).images[0].numpy()


def test_figure_5_of_a_dagan_that_changes_nothing(tmp_path: Path):
    network = DAGAN(width=1, n_levels=6)
    with torch.no_grad():  # what is added to the zero-filled image is nothing
        for parameter in network.generator.last.parameters():
            parameter.zero_()
    weights = tmp_path / "dagan.safetensors"
    save_weights(network, weights)
    drawn = made(5, "dagan", weights, {"sampling": {"rates": [0.1, 0.5]}})
    assert [len(row.tiles) for row in drawn.sheet.rows] == [8]
    (chart,) = drawn.sheet.charts
    assert [curve.label for curve in chart.curves] == ["dagan", "total-variation"]
    assert chart.curves[0].y[-1] > chart.curves[0].y[0]  # zero filling gains from samples
    assert {claim.network for claim in drawn.claims} == {"dagan"}
