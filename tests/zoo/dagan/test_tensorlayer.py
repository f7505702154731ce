"""TensorLayer's files, written here as NumPy writes them; and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from shaketable.errors import WeightsError
from shaketable.zoo.dagan.network import DAGAN
from shaketable.zoo.dagan.published import read_dagan
from shaketable.zoo.dagan.tensorlayer import read_arrays


def save_npz(path: Path, arrays: list[np.ndarray]) -> Path:
    """As TensorLayer's save_npz: one array of objects."""
    params = np.empty(len(arrays), dtype=object)
    params[:] = arrays
    np.savez(path, params=params)
    return path


def some_arrays() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [
        rng.standard_normal((4, 4, 1, 2)).astype(np.float32),
        np.asfortranarray(rng.standard_normal((3, 5))),
        rng.standard_normal(7).astype(">f4"),
        rng.standard_normal((2, 2)).astype(np.float16),
    ]


def test_arrays_arrive_as_they_were(tmp_path: Path) -> None:
    arrays = some_arrays()
    read = read_arrays(save_npz(tmp_path / "w.npz", arrays))
    assert len(read) == len(arrays)
    for got, expected in zip(read, arrays, strict=True):
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got, expected)


def test_arrays_of_one_shape_need_no_pickle(tmp_path: Path) -> None:
    arrays = [np.full((2, 3), float(n)) for n in range(4)]
    np.savez(tmp_path / "w.npz", params=arrays)
    read = read_arrays(tmp_path / "w.npz")
    np.testing.assert_array_equal(np.stack(read), np.stack(arrays))


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_older_ways_to_write_are_read(tmp_path: Path, protocol: int) -> None:
    import io
    import pickle
    import zipfile

    arrays = some_arrays()
    params = np.empty(len(arrays), dtype=object)
    params[:] = arrays
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(params))
    stream.write(pickle.dumps(params, protocol=protocol).replace(b"numpy._core", b"numpy.core"))
    contents = stream.getvalue()
    if protocol == 4:
        # Lengths stand before names there, so the name must be kept.
        contents = contents.replace(b"numpy.core", b"numpy._core")
    with zipfile.ZipFile(tmp_path / "w.npz", "w") as archive:
        archive.writestr("params.npy", contents)
    for got, expected in zip(read_arrays(tmp_path / "w.npz"), arrays, strict=True):
        np.testing.assert_array_equal(got, expected)


class Malicious:
    """Runs a command when unpickled as usual."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


def test_nothing_in_the_file_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    path = save_npz(tmp_path / "w.npz", [np.zeros(2), Malicious(mark)])  # type: ignore[list-item]
    with pytest.raises(WeightsError, match=r"it asks for posix\.system"):
        read_arrays(path)
    assert not mark.exists()
    with np.load(path, allow_pickle=True) as archive:
        archive["params"]
    assert mark.exists(), "the file was harmless, so that the test shows nothing"


@pytest.mark.parametrize(
    "item", [np.array(["text"]), np.array([1, 2]), {"a": 1}, np.array([None]), 3.0j]
)
def test_refuses_what_is_not_an_array_of_numbers(tmp_path: Path, item: object) -> None:
    path = save_npz(tmp_path / "w.npz", [np.zeros(2), item])  # type: ignore[list-item]
    with pytest.raises(WeightsError, match="got other objects"):
        read_arrays(path)


def test_refuses_damaged_files(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "w.npz", some_arrays())
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(WeightsError, match="damaged"):
        read_arrays(path)
    np.savez(tmp_path / "other.npz", arr_0=np.zeros(2))
    with pytest.raises(WeightsError, match=r"without 'params\.npy'"):
        read_arrays(tmp_path / "other.npz")


def theirs(network: DAGAN) -> list[np.ndarray]:
    """The arrays of a network in TensorLayer's order and layouts, layer by layer by hand."""
    generator = network.generator

    def convolution(layer: torch.nn.Module) -> list[np.ndarray]:
        weight, bias = (getattr(layer, name).detach().numpy() for name in ("weight", "bias"))
        # OIHW -> HWIO; for transposed convolutions (I, O, H, W) -> (H, W, O, I).
        return [np.einsum("abhw->hwba", weight), bias]

    def norm(layer: torch.nn.Module) -> list[np.ndarray]:
        names = ("bias", "weight", "running_mean", "running_var")
        return [getattr(layer, name).detach().numpy() for name in names]

    arrays = convolution(generator.down[0])
    for layer, after in zip(generator.down[1:-1], generator.down_norms, strict=True):
        arrays += convolution(layer) + norm(after)
    arrays += convolution(generator.down[-1])
    for layer, after in zip(generator.up, generator.up_norms, strict=True):
        arrays += convolution(layer) + norm(after)
    return arrays + convolution(generator.last)


def test_dagan_is_read_back(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = DAGAN(width=3, n_levels=6)
    for value in network.state_dict().values():
        value.copy_(torch.randn_like(value))
    state = read_dagan(save_npz(tmp_path / "unet_refine.npz", theirs(network)))
    assert state.keys() == network.state_dict().keys()
    for name, value in network.state_dict().items():
        assert torch.equal(state[name], value), name


def test_dagan_says_what_does_not_fit(tmp_path: Path) -> None:
    arrays = theirs(DAGAN(width=2, n_levels=5))
    with pytest.raises(WeightsError, match="90 arrays for 8 levels, got 53"):
        read_dagan(save_npz(tmp_path / "few.npz", arrays[:-1]))
    arrays[2] = arrays[2][:3]
    with pytest.raises(WeightsError, match=r"'generator\.down\.1\.weight' of shape .* as array 2"):
        read_dagan(save_npz(tmp_path / "other.npz", arrays))
