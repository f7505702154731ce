"""The MRI networks that ship: their files, their cards, and that they are better than zero filling."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
import torch

from shaketable import zoo
from shaketable.errors import InputError, WeightsError
from shaketable.maps import FourierMap
from shaketable.metrics import psnr
from shaketable.zoo.registry import shipped_weights

# Least gain over zero filling in dB on one slice of the template.
GAINS = {"automap": 5.0, "dagan": 1.0, "mri-vn": 3.0}


@pytest.mark.parametrize("name", GAINS)
def test_what_ships_works(name: str) -> None:
    network = zoo.load(name)
    image = network.images("test")[4:5]
    data = network.forward(image)
    with torch.no_grad():
        output = network.reconstruct(data, network.forward)
    zero_filled = network.forward.adjoint(data)
    gain = psnr(output, image) - psnr(zero_filled.real if network.real else zero_filled, image)
    assert float(gain) > GAINS[name]


@pytest.mark.parametrize("name", GAINS)
def test_card_belongs_to_the_file(name: str) -> None:
    network = zoo.load(name)
    contents = shipped_weights(name).read_bytes()
    assert network.card["weights"]["sha256"] == sha256(contents).hexdigest()
    assert network.card["weights"]["bytes"] == len(contents)
    assert network.card["training"]["curve"]
    n_parameters = sum(value.numel() for value in network.model.parameters())
    assert network.card["weights"]["n_parameters"] == n_parameters


def test_mri_vn_is_the_published_architecture() -> None:
    network = zoo.load("mri-vn").model
    stages = network.regularisers
    assert len(stages) == 10
    for stage in stages:
        assert stage.kernels.shape == (24, 2, 11, 11)
        assert stage.weights.shape == (24, 31)
        # Half precision rounds each number by at most one part in 2048.
        assert float(stage.kernels.mean(dim=(2, 3)).abs().max()) < 1e-4
        norms = stage.kernels.square().sum(dim=(1, 2, 3))
        assert torch.allclose(norms, torch.ones(24), atol=1e-3)


def test_automap_knows_its_points_and_no_others() -> None:
    network = zoo.load("automap")
    assert network.trained_rate == pytest.approx(0.6, abs=0.001)
    assert isinstance(network.forward, FourierMap)
    image = network.images("test")[:1]
    fewer = FourierMap(network.sampling.mask(0.5))
    data = fewer(image)
    with pytest.raises(InputError, match="other samplings are not applicable"):
        network.reconstruct(data, fewer)


def test_dagan_samples_the_published_share_of_columns() -> None:
    network = zoo.load("dagan")
    assert isinstance(network.forward, FourierMap)
    columns = network.forward.mask[0]
    assert int(columns.sum()) / len(columns) == pytest.approx(56 / 256, abs=0.005)
    assert bool((network.forward.mask == columns).all())


def test_all_weights_together_stay_small() -> None:
    files = list(shipped_weights("any").parent.glob("*.safetensors"))
    assert sum(file.stat().st_size for file in files) < 64e6


def test_a_package_without_weights_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("shaketable.zoo.registry._HERE", tmp_path)
    with pytest.raises(WeightsError, match="Expected weights of 'dagan' in the package, got none"):
        zoo.load("dagan")
