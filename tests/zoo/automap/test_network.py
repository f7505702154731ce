"""AUTOMAP against a plain NumPy network in TensorFlow's layouts, read from the published format."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.io import savemat
from scipy.signal import convolve2d, correlate2d

from shaketable.errors import InputError, WeightsError
from shaketable.maps import FourierMap
from shaketable.zoo.automap.network import AUTOMAP
from shaketable.zoo.automap.published import read_automap
from tests.helpers.oracles import directional_derivative, relative_difference

Array = npt.NDArray[np.float64]
SIDE, N_HIDDEN, N_FEATURES = 6, 7, 3


def points() -> npt.NDArray[np.int64]:
    """Twenty of 36 points in an order that no mask has."""
    rng = np.random.default_rng(3)
    flat = np.concatenate([[0], 1 + rng.permutation(SIDE * SIDE - 1)[:19]])
    return np.stack(np.unravel_index(rng.permutation(flat), (SIDE, SIDE)), axis=1)


def published_arrays() -> dict[str, Array]:
    rng = np.random.default_rng(4)
    shapes = {
        "W1_fc": (40, N_HIDDEN), "b1_fc": (N_HIDDEN,), "W2_fc": (N_HIDDEN, SIDE * SIDE),
        "b2_fc": (SIDE * SIDE,), "W1_cnv": (5, 5, 1, N_FEATURES), "b1_cnv": (N_FEATURES,),
        "W2_cnv": (5, 5, N_FEATURES, N_FEATURES), "b2_cnv": (N_FEATURES,),
        "W1_dcv": (7, 7, 1, N_FEATURES), "b1_dcv": (1,),
    }  # fmt: skip
    return {
        name: 0.4 * rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()
    }


def write_published(folder: Path, arrays: dict[str, Array]) -> Path:
    with h5py.File(folder / "weights.h5", "w") as file:
        for name, array in arrays.items():
            file[name] = array
    where = points()
    savemat(folder / "k_mask_idx.mat", {"idx1": where[:, :1], "idx2": where[:, 1:]})
    return folder / "weights.h5"


def plain_network(arrays: dict[str, Array], image: Array) -> Array:
    """One image in [0, 1], from the published program's description; up to the mean."""
    samples = np.fft.fft2(4096 * image)[tuple(points().T)]
    inputs = 0.0075 / (2 * 4096) * np.concatenate([samples.real, -samples.imag])
    hidden = np.tanh(inputs @ arrays["W1_fc"] + arrays["b1_fc"])
    values = hidden @ arrays["W2_fc"] + arrays["b2_fc"]
    padded = np.pad((values - values.mean()).reshape(SIDE, SIDE), 4, mode="symmetric")
    layer = [padded]
    for kernels, bias, activation in (
        (arrays["W1_cnv"], arrays["b1_cnv"], np.tanh),
        (arrays["W2_cnv"], arrays["b2_cnv"], lambda x: np.maximum(x, 0)),
    ):
        layer = [
            activation(
                sum(correlate2d(x, kernels[:, :, i, o], "same") for i, x in enumerate(layer))
                + bias[o]
            )
            for o in range(kernels.shape[-1])
        ]
    # A transposed convolution of stride 1 is a convolution with the kernel turned by 180 degrees
    # with respect to a correlation.
    out = sum(convolve2d(x, arrays["W1_dcv"][:, :, 0, i], "same") for i, x in enumerate(layer))
    return (out + arrays["b1_dcv"])[4:-4, 4:-4].T


def forward_map() -> FourierMap:
    mask = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    mask[tuple(torch.from_numpy(points()).T)] = True
    return FourierMap(mask)


def network(folder: Path) -> AUTOMAP:
    state = read_automap(write_published(folder, published_arrays()))
    model = AUTOMAP(state["positions"], (SIDE, SIDE), N_HIDDEN, N_FEATURES)
    model.load_state_dict(state)
    return model.double().eval().requires_grad_(False)


def images(n_images: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(n_images, SIDE, SIDE, dtype=torch.float64, generator=generator)


def test_equals_the_published_network(tmp_path: Path) -> None:
    forward, x = forward_map(), images()
    got = network(tmp_path)(forward(x), forward)
    plain = np.stack([plain_network(published_arrays(), image) for image in x.numpy()])
    plain += (x.mean((1, 2)).numpy() - plain.mean((1, 2)))[:, None, None]
    assert got.dtype == torch.float64
    assert relative_difference(got, torch.from_numpy(plain)) < 1e-7
    # The convolutions must matter, or the test would compare two constants.
    assert float(got.std()) > 0.05


def test_the_mean_is_the_measured_one(tmp_path: Path) -> None:
    forward, x = forward_map(), images(3)
    got = network(tmp_path)(forward(x), forward)
    assert torch.allclose(got.mean((1, 2)), x.mean((1, 2)), rtol=1e-12)


def test_what_else_is_sampled_is_not_used(tmp_path: Path) -> None:
    model, forward, x = network(tmp_path), forward_map(), images()
    everything = FourierMap(torch.ones(SIDE, SIDE))
    got = model(everything(x), everything)
    assert torch.equal(got, model(forward(x), forward))


def test_images_of_a_batch_do_not_meet(tmp_path: Path) -> None:
    model, forward = network(tmp_path), forward_map()
    data = forward(images(3))
    alone = torch.cat([model(y[None], forward) for y in data])
    assert relative_difference(model(data, forward), alone) < 1e-13


@pytest.mark.parametrize("domain", ["image", "data"])
def test_gradient_is_that_of_finite_differences(tmp_path: Path, domain: str) -> None:
    model, forward, x = network(tmp_path), forward_map(), images(1)
    weight = torch.randn_like(x)
    start = x if domain == "image" else forward(x)

    def response(z: torch.Tensor) -> torch.Tensor:
        return (weight * model(forward(z) if domain == "image" else z, forward)).sum()

    z = start.clone().requires_grad_(True)
    response(z).backward()
    assert z.grad is not None
    direction = torch.randn_like(start)
    derivative = float(directional_derivative(response, start, direction))
    assert float((z.grad.conj() * direction).sum().real) == pytest.approx(derivative, rel=1e-5)


def test_the_published_configuration_can_be_made() -> None:
    positions = FourierMap(torch.ones(128, 128)).mask.nonzero()[:9855]
    with torch.device("meta"):
        model = AUTOMAP(positions.to("cpu"))
    assert model.dense1.weight.shape == (25000, 19710)
    assert model.dense2.weight.shape == (16384, 25000)
    assert model.convolution2.weight.shape == (64, 64, 5, 5)
    assert model.transposed.weight.shape == (64, 1, 7, 7)


def test_says_what_is_wrong(tmp_path: Path) -> None:
    model, forward, x = network(tmp_path), forward_map(), images()
    data = forward(x)
    fewer = FourierMap(forward.mask & (torch.arange(SIDE) < 4))
    with pytest.raises(InputError, match=r"20 points .* not applicable to it"):
        model(fewer(x), fewer)
    with pytest.raises(InputError, match=r"shape \(B, 6, 6\), got \(6, 6\)"):
        model(data[0], forward)
    where = torch.from_numpy(points())
    without_dc = where[(where != 0).any(1)]
    for wrong in (where[:, :1], where + 6, without_dc, torch.cat([where, where[:1]]), where + 0.5):
        with pytest.raises(InputError, match="different whole positions"):
            AUTOMAP(wrong, (SIDE, SIDE), 2, 2)
    with pytest.raises(InputError, match="at least one hidden unit"):
        AUTOMAP(where, (SIDE, SIDE), 0)


def test_refuses_other_files(tmp_path: Path) -> None:
    path = write_published(tmp_path, published_arrays())
    (tmp_path / "k_mask_idx.mat").rename(tmp_path / "elsewhere.mat")
    with pytest.raises(WeightsError, match=r"keep the published k_mask_idx\.mat beside"):
        read_automap(path)
    savemat(tmp_path / "k_mask_idx.mat", {"idx1": np.arange(4), "idx2": np.arange(4)})
    with pytest.raises(WeightsError, match=r"Expected 20 points .* got 4"):
        read_automap(path)
    savemat(tmp_path / "k_mask_idx.mat", {"idx1": np.arange(9), "idx2": np.arange(9)})
    with pytest.raises(WeightsError, match="points from 0 to 5"):
        read_automap(path)
    arrays = published_arrays()
    path = write_published(tmp_path, {**arrays, "W1_cnv": arrays["b1_cnv"]})
    with pytest.raises(WeightsError, match="4 dimensions in 'W1_cnv'"):
        read_automap(path)
    del arrays["b1_dcv"]
    with pytest.raises(WeightsError, match="lacks an array"):
        read_automap(write_published(tmp_path, arrays))
    path.write_bytes(b"no HDF5")
    with pytest.raises(WeightsError, match="cannot be read"):
        read_automap(path)
