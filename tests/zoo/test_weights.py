"""Reading weights: the authors' archive, ours, state dictionaries, and files that are none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from shaketable import FourierMap, zoo
from shaketable.errors import InputError, WeightsError
from shaketable.metrics import psnr
from shaketable.sparse import TotalVariation
from shaketable.zoo import DeepMRI
from shaketable.zoo.registry import shipped_weights
from tests.helpers.data import shared_data

N_ARRAYS = 50


def published_arrays() -> list[np.ndarray]:
    """Arrays shaped as in the published file, each with its own values."""
    generator = np.random.default_rng(0)
    shapes: list[tuple[int, ...]] = []
    for _ in range(5):
        for n_out, n_in in ((64, 2), (64, 64), (64, 64), (64, 64), (2, 64)):
            shapes += [(n_out, n_in, 3, 3), (n_out,)]
    return [generator.normal(0, 0.01, shape).astype(np.float32) for shape in shapes]


def test_reads_the_published_order(tmp_path: Path) -> None:
    arrays = published_arrays()
    np.savez(tmp_path / "d5_c5.npz", *arrays)
    network = zoo.load("deep-mri", weights=tmp_path / "d5_c5.npz")
    values = list(network.model.parameters())
    assert len(values) == len(arrays) == N_ARRAYS
    for value, array in zip(values, arrays, strict=True):
        assert np.array_equal(value.numpy(), array)
    assert network.forward.image_shape == (256, 256)
    assert int(network.forward.mask[:, 0].sum()) == 85
    assert network.card["weights"]["loaded_sha256"] != network.card["weights"]["sha256"]


def test_import_writes_the_same_network(tmp_path: Path) -> None:
    np.savez(tmp_path / "d5_c5.npz", *published_arrays())
    file = zoo.import_weights(
        "deep-mri", tmp_path / "d5_c5.npz", tmp_path / "new" / "a.safetensors"
    )
    imported = zoo.load("deep-mri", weights=file).model.state_dict()
    original = zoo.load("deep-mri", weights=tmp_path / "d5_c5.npz").model.state_dict()
    assert all(torch.equal(imported[name], original[name]) for name in original)
    with pytest.raises(InputError, match=r"\.safetensors file to write"):
        zoo.import_weights("deep-mri", file, tmp_path / "a.bin")


def test_reads_a_state_dictionary(tmp_path: Path) -> None:
    model = DeepMRI()
    torch.save(model.state_dict(), tmp_path / "mine.pt")
    loaded = zoo.load("deep-mri", weights=tmp_path / "mine.pt").model.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in model.state_dict().items())


def _empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def _too_few(path: Path) -> Path:
    np.savez(path, *published_arrays()[:-1])
    return path


def _wrong_shape(path: Path) -> Path:
    arrays = published_arrays()
    arrays[2] = arrays[2][:32]
    np.savez(path, *arrays)
    return path


def _pickled(path: Path) -> Path:
    arrays: list[Any] = published_arrays()
    arrays[3] = np.array([{"a": 1}], dtype=object)
    np.savez(path, *arrays)
    return path


def _integers(path: Path) -> Path:
    arrays = published_arrays()
    arrays[1] = np.zeros(64, dtype=np.int64)
    np.savez(path, *arrays)
    return path


def _not_finite(path: Path) -> Path:
    arrays = published_arrays()
    arrays[4][0] = np.nan
    np.savez(path, *arrays)
    return path


def _cut(path: Path) -> Path:
    np.savez(path, *published_arrays())
    path.write_bytes(path.read_bytes()[:-2000])
    return path


def _one_array(path: Path) -> Path:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    return path


def _tensors(path: Path) -> Path:
    save_file({"weight": torch.zeros(2)}, path)
    return path


def _narrow(path: Path) -> Path:
    torch.save(DeepMRI(n_features=8).state_dict(), path)
    return path


def _object(path: Path) -> Path:
    torch.save(DeepMRI(1, 2, 2), path)
    return path


def _number(path: Path) -> Path:
    torch.save({"step": 3}, path)
    return path


@pytest.mark.parametrize(
    ("write", "name", "sentence"),
    [
        (_empty, "a.npz", "damaged or holds Python objects"),
        (_too_few, "a.npz", "got 49 arrays with other names"),
        (_wrong_shape, "a.npz", r"arr_2 of shape \(64, 64, 3, 3\), got float32 of shape \(32,"),
        (_pickled, "a.npz", "damaged or holds Python objects"),
        (_integers, "a.npz", "floating-point arr_1"),
        (_not_finite, "a.npz", "Expected finite floating-point numbers"),
        (_cut, "a.npz", "damaged or holds Python objects"),
        (_one_array, "a.npz", "damaged or holds Python objects"),
        (_empty, "a.safetensors", "safetensors file"),
        (_tensors, "a.safetensors", "it lacks 'cascades.0.convolutions.0.bias'"),
        (_empty, "a.pt", "state dictionary"),
        (_narrow, "a.pt", r"of shape \(64, 2, 3, 3\) in .*, got \(8, 2, 3, 3\)"),
        (_object, "a.pt", "holds other objects"),
        (_number, "a.pt", "got other objects"),
        (_empty, "a.onnx", "convert it to one of these"),
        (lambda path: path, "missing.npz", "got nothing there"),
    ],
)  # fmt: skip
def test_wrong_files_get_one_sentence(tmp_path: Path, write: Any, name: str, sentence: str) -> None:
    with pytest.raises(WeightsError, match=sentence) as caught:
        zoo.load("deep-mri", weights=write(tmp_path / name))
    assert "\n" not in str(caught.value)


def test_names_and_splits() -> None:
    six = ("deep-mri", "ell-50", "med-50", "automap", "dagan", "mri-vn")
    assert zoo.names() == six
    with pytest.raises(InputError, match="did you mean 'deep-mri'"):
        zoo.load("deepmri")
    with pytest.raises(InputError, match="Expected a split among test, got 'train'"):
        zoo.load("deep-mri").images("train")


def test_the_card_describes_the_shipped_file() -> None:
    card = zoo.load("deep-mri").card
    content = shipped_weights("deep-mri").read_bytes()
    assert card["weights"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["weights"]["n_parameters"] == sum(p.numel() for p in DeepMRI().parameters())
    json.dumps(card, allow_nan=False)


def test_shipped_network_beats_the_reference_method() -> None:
    network = zoo.load("deep-mri")
    assert not any(p.requires_grad for p in network.model.parameters())
    assert not network.model.training
    images = network.images("test")[[1, 4]].to(torch.complex64)
    assert len(network.image_ids("test")) == len(network.images("test"))
    data = network.forward(images)
    by_network = psnr(network.reconstruct(data, network.forward), images)
    by_reference = psnr(TotalVariation()(data, network.forward), images)
    assert float((by_network - by_reference).mean()) > 1.0


def test_published_network_on_cardiac_images() -> None:
    network = zoo.load("deep-mri", weights=shared_data("deep-mri/d5_c5.npz"))
    assert network.card["weights"]["loaded_sha256"] == network.card["weights"]["sha256"]
    with np.load(shared_data("cardiac/slices.npz"), allow_pickle=False) as archive:
        stored = archive["images"][[3, 23, 43]].astype(np.float32)
    images = torch.from_numpy(stored / stored.max(axis=(1, 2), keepdims=True))
    sequence = network.sampling
    forward = FourierMap(sequence.mask(1 / 3))
    data = forward(images)
    gained = psnr(network.reconstruct(data, forward), images) - psnr(forward.adjoint(data), images)
    assert float(gained.mean()) > 5.0
