"""The weights of Ell 50 and Med 50 that come with the package."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import pytest
import torch

from shaketable import zoo
from shaketable.maps import filtered_back_projection
from shaketable.metrics import psnr
from shaketable.sparse import TotalVariation
from shaketable.zoo import FBPConvNet, ZooNetwork
from shaketable.zoo.registry import shipped_weights

NAMES = ("ell-50", "med-50")


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """A shipped network with its test images, and data and reconstructions of the first six."""

    network: ZooNetwork
    images: torch.Tensor
    data: torch.Tensor
    reconstructed: torch.Tensor


@pytest.fixture(scope="module")
def shipped() -> dict[str, Shipped]:
    return {name: on_test_images(zoo.load(name)) for name in NAMES}


def on_test_images(network: ZooNetwork) -> Shipped:
    images = network.images("test")
    data = network.forward(images[:6])
    reconstructed = network.reconstruct(data, network.forward)
    return Shipped(network=network, images=images, data=data, reconstructed=reconstructed)


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
def test_a_fresh_machine_has_map_images_and_units(shipped: dict[str, Shipped], name: str) -> None:
    network = shipped[name].network
    assert isinstance(network.model, FBPConvNet)
    assert network.real
    assert "relative to water" in network.units
    assert network.forward.image_shape == (256, 256)
    assert network.forward.data_shape[0] == 50
    assert len(network.image_ids("test")) == len(shipped[name].images)
    assert not any(p.requires_grad for p in network.model.parameters())
    # Weights are stored in half precision and computed with in single.
    assert all(p.dtype == torch.float32 for p in network.model.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_beats_back_projection_on_every_image(shipped: dict[str, Shipped], name: str) -> None:
    these = shipped[name]
    images = these.images[:6]
    by_network = psnr(these.reconstructed, images)
    by_projection = psnr(filtered_back_projection(these.data, these.network.forward), images)
    assert float((by_network - by_projection).min()) > 2.0


def test_ell_50_beats_the_reference_method_at_its_default(
    shipped: dict[str, Shipped],
) -> None:
    these = shipped["ell-50"]
    image, data = these.images[:1], these.data[:1]
    by_network = psnr(these.reconstructed[:1], image)
    method = TotalVariation(values="real", gap=1e-2)
    by_reference = psnr(method(data, these.network.forward), image)
    assert float(by_network - by_reference) > -0.5
