"""FBPConvNet against NumPy loops, through the authors' file format; and its contracts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from shaketable import RadonMap, zoo
from shaketable.errors import InputError, ShapeError, WeightsError
from shaketable.maps import filtered_back_projection
from shaketable.zoo import FBPConvNet
from shaketable.zoo.fbp_conv_net.matconvnet import read_matconvnet
from tests.helpers.oracles import directional_derivative, inner, relative_difference
from tests.helpers.plain_unet import PlainNetwork, random_network


def forward(size: int = 32) -> RadonMap:
    return RadonMap(torch.arange(8) * torch.pi / 8, (size, size))


def images(count: int = 2, size: int = 32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, size, size, dtype=torch.float64, generator=generator)


def network(*, equivariant: bool = False) -> FBPConvNet:
    torch.manual_seed(0)
    return FBPConvNet(2, equivariant=equivariant).double().requires_grad_(False)


@pytest.mark.parametrize("shape", [(32, 32), (48, 32)])
def test_the_published_file_computes_what_matconvnet_would(
    tmp_path: Path, shape: tuple[int, int]
) -> None:
    plain = random_network(width=2)
    plain.save(tmp_path / "net.mat")
    model = FBPConvNet(2)
    model.load_state_dict(read_matconvnet(tmp_path / "net.mat"))
    image = np.random.default_rng(2).normal(size=shape)
    expected = image + plain.correction(image)
    got = model.double().correct(torch.from_numpy(image)[None])[0]
    # The file's numbers are rounded to single precision.
    assert relative_difference(got, torch.from_numpy(expected)) < 1e-5
    assert relative_difference(got, torch.from_numpy(image)) > 0.1


def test_a_published_file_brings_its_width_and_its_map(tmp_path: Path) -> None:
    random_network(width=3).save(tmp_path / "net.mat")
    loaded = zoo.load("ell-50", weights=tmp_path / "net.mat")
    assert isinstance(loaded.model, FBPConvNet)
    assert loaded.model.width == 3
    assert not loaded.model.equivariant
    assert loaded.forward.image_shape == (512, 512)
    assert loaded.forward.data_shape[0] == 50
    assert loaded.trained_rate == 0.05
    imported = zoo.import_weights("med-50", tmp_path / "net.mat", tmp_path / "net.safetensors")
    again = zoo.load("med-50", weights=imported)
    assert again.forward.image_shape == (512, 512)
    state, other = loaded.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(state[name], other[name]) for name in state)


def test_the_published_width_can_be_made() -> None:
    with torch.device("meta"):
        published = FBPConvNet(width=64)
    assert sum(p.numel() for p in published.parameters()) == 34_562_945


def _without_last(plain: PlainNetwork) -> None:
    del plain.layers[-2:]


def _unknown_layer(plain: PlainNetwork) -> None:
    plain.layers.insert(3, ("softmax", []))


def _no_bias(plain: PlainNetwork) -> None:
    plain.layers[0] = ("conv", plain.layers[0][1][:1])


def _wider(plain: PlainNetwork) -> None:
    kind, weights = plain.layers[6]
    plain.layers[6] = (kind, [np.concatenate([weights[0]] * 2, axis=3), weights[1]])


def _not_finite(plain: PlainNetwork) -> None:
    plain.layers[1][1][0][0] = np.nan


def _empty(plain: PlainNetwork) -> None:
    plain.layers.clear()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_without_last, "got 46 in another"),
        (_unknown_layer, "no layer of the type 'softmax'"),
        (_no_bias, "with filters and bias"),
        (_wider, r"of shape \(2, 2, 3, 3\)"),
        (_not_finite, "finite floating-point"),
        (_empty, "filters in its first layer"),
    ],
)  # fmt: skip
def test_files_of_other_networks_get_one_sentence(
    tmp_path: Path, spoil: Any, sentence: str
) -> None:
    plain = random_network(width=2)
    spoil(plain)
    plain.save(tmp_path / "net.mat")
    with pytest.raises(WeightsError, match=sentence) as caught:
        zoo.load("ell-50", weights=tmp_path / "net.mat")
    assert "\n" not in str(caught.value)


def test_another_crop_is_another_network(tmp_path: Path) -> None:
    random_network(width=2).save(tmp_path / "net.mat")
    with h5py.File(tmp_path / "net.mat", "r+") as file:
        layers = [file[r[0]] for r in file["net/layers"][()]]
        transposed = next(layer for layer in layers if "crop" in layer)
        transposed["crop"][...] = np.array([[1.0], [0.0], [1.0], [0.0]])
    with pytest.raises(WeightsError, match=r"cropped by \(0, 1, 0, 1\)"):
        read_matconvnet(tmp_path / "net.mat")


@pytest.mark.parametrize("content", [b"", b"MATLAB 5.0 MAT-file"])
def test_older_matlab_files_say_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.mat").write_bytes(content)
    with pytest.raises(WeightsError, match=r"save\(\.\.\., 'net', '-v7\.3'\)"):
        zoo.load("ell-50", weights=tmp_path / "net.mat")


def test_corrects_the_back_projection() -> None:
    model, data = network(), forward()(images())
    expected = model.correct(filtered_back_projection(data, forward()))
    assert torch.equal(model(data, forward()), expected)


@pytest.mark.parametrize("equivariant", [False, True])
def test_images_of_a_batch_do_not_meet(equivariant: bool) -> None:
    model, data = network(equivariant=equivariant), forward()(images(3))
    alone = torch.cat([model(y[None], forward()) for y in data])
    assert relative_difference(model(data, forward()), alone) < 1e-13


def test_evaluation_mode_changes_nothing() -> None:
    model, data = network(), forward()(images())
    assert torch.equal(model.train()(data, forward()), model.eval()(data, forward()))


@pytest.mark.parametrize("factor", [0.5, 30.0])
def test_what_scaling_does(factor: float) -> None:
    data = forward()(images())
    scaled = network(equivariant=True)
    assert (
        relative_difference(scaled(factor * data, forward()), factor * scaled(data, forward()))
        < 1e-12
    )
    # As published the correction stays as it is; only the epsilon of the normalisation sees the scale.
    published = network()
    projection = filtered_back_projection(data, forward())
    correction = published(data, forward()) - projection
    other = published(factor * data, forward()) - factor * projection
    assert relative_difference(other, correction) < 0.2
    assert relative_difference(other, factor * correction) > 0.5


@pytest.mark.parametrize("equivariant", [False, True])
def test_gradient_flows_through_back_projection_and_statistics(equivariant: bool) -> None:
    model, x = network(equivariant=equivariant), images(1)
    random = torch.Generator().manual_seed(3)
    weight, direction = (torch.randn(x.shape, dtype=x.dtype, generator=random) for _ in range(2))

    def response(image: torch.Tensor) -> torch.Tensor:
        value = inner(weight, model(forward()(image), forward())).real
        return torch.tensor(value, dtype=torch.float64)

    at = x.clone().requires_grad_(True)
    (weight * model(forward()(at), forward())).sum().backward()
    assert at.grad is not None
    # A smaller step than usual: rectifiers have kinks.
    derivative = float(directional_derivative(response, x, direction, 1e-7))
    assert inner(at.grad, direction).real == pytest.approx(derivative, rel=1e-5)


def test_an_empty_image_stays_empty_when_scaled() -> None:
    model = network(equivariant=True)
    empty = model(torch.zeros(1, *forward().data_shape, dtype=torch.float64), forward())
    assert float(empty.abs().max()) < 1e-10


def test_says_what_is_wrong() -> None:
    data = forward()(images())
    with pytest.raises(InputError, match="at least 1 feature"):
        FBPConvNet(0)
    with pytest.raises(InputError, match="Expected real data"):
        network()(data.to(torch.complex128), forward())
    odd = RadonMap([0.0, 1.0], (24, 32))
    with pytest.raises(ShapeError, match=r"multiples of 16 .* got \(24, 32\)"):
        network()(odd(torch.ones(1, 24, 32)), odd)
    small = RadonMap([0.0, 1.0], (16, 16))
    with pytest.raises(ShapeError, match="not both 16"):
        network()(small(torch.ones(1, 16, 16)), small)
