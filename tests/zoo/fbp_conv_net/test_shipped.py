"""The weights of Ell 50 and Med 50 that come with the package."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch

from shaketable import zoo
from shaketable.maps import filtered_back_projection
from shaketable.metrics import psnr
from shaketable.sparse import TotalVariation
from shaketable.zoo import FBPConvNet
from shaketable.zoo.registry import shipped_weights

NAMES = ("ell-50", "med-50")


@pytest.mark.parametrize("name", NAMES)
def test_the_card_describes_the_shipped_file(name: str) -> None:
    network = zoo.load(name)
    content = shipped_weights(name).read_bytes()
    stated = network.card["weights"]
    assert stated["sha256"] == hashlib.sha256(content).hexdigest()
    assert stated["bytes"] == len(content) <= 16 * 2**20
    assert stated["n_parameters"] == sum(p.numel() for p in network.model.parameters())
    training = network.card["training"]
    recipe = type(network.entry.recipe)(**training["recipe"])
    assert training["n_steps"] <= recipe.n_steps
    assert training["curve"]["rows"][-1][0] <= training["n_steps"]
    json.dumps(network.card, allow_nan=False)


@pytest.mark.parametrize("name", NAMES)
def test_a_fresh_machine_has_map_images_and_units(name: str) -> None:
    network = zoo.load(name)
    assert isinstance(network.model, FBPConvNet)
    assert network.real
    assert "relative to water" in network.units
    assert network.forward.image_shape == (256, 256)
    assert network.forward.data_shape[0] == 50
    assert len(network.image_ids("test")) == len(network.images("test"))
    assert not any(p.requires_grad for p in network.model.parameters())
    # Weights are stored in half precision and computed with in single.
    assert all(p.dtype == torch.float32 for p in network.model.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_beats_back_projection_on_every_image(name: str) -> None:
    network = zoo.load(name)
    images = network.images("test")[:6]
    data = network.forward(images)
    by_network = psnr(network.reconstruct(data, network.forward), images)
    by_projection = psnr(filtered_back_projection(data, network.forward), images)
    assert float((by_network - by_projection).min()) > 2.0


def test_ell_50_beats_the_stable_method_at_its_default() -> None:
    network = zoo.load("ell-50")
    images = network.images("test")[:1]
    data = network.forward(images)
    by_network = psnr(network.reconstruct(data, network.forward), images)
    by_stable = psnr(TotalVariation(values="real", gap=1e-2)(data, network.forward), images)
    assert float(by_network - by_stable) > -0.5
