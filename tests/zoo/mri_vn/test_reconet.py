"""BART's format of weights: what is read from a file written here, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from shaketable.errors import WeightsError
from shaketable.zoo.mri_vn.network import MRIVN
from shaketable.zoo.mri_vn.reconet import read_reconet
from tests.helpers.bart import write_cfl, write_several_cfl


def blocks(n_stages: int = 2) -> list[np.ndarray]:
    """Three blocks of numbers that tell where they stand."""
    kernels = np.arange(3 * 5 * 5 * n_stages).reshape((3, 1, 5, 5, 1, n_stages), order="F")
    weights = np.arange(3 * 7 * n_stages).reshape((3, 7, n_stages), order="F")
    return [np.arange(n_stages) + 1.0, kernels * (1 + 0.5j), -weights.astype(float)]


def test_every_number_arrives_in_its_place(tmp_path: Path) -> None:
    data_weights, kernels, activations = blocks()
    path = write_several_cfl(tmp_path / "weights", data_weights, kernels, activations)
    state = read_reconet(path.with_suffix(".cfl"))
    network = MRIVN(n_stages=2, n_filters=3, kernel_size=5, n_centres=7)
    network.load_state_dict(state)
    assert network.data_weights.tolist() == [1.0, 2.0]
    for stage in range(2):
        for index in np.ndindex(3, 5, 5):
            f, row, column = index
            expected = kernels[f, 0, row, column, 0, stage]
            got = network.regularisers[stage].kernels[f, :, row, column].tolist()
            assert got == [expected.real, expected.imag]
        got = network.regularisers[stage].weights.detach().numpy()
        np.testing.assert_array_equal(got, activations[:, :, stage])


def test_the_header_may_be_named_too(tmp_path: Path) -> None:
    path = write_several_cfl(tmp_path / "weights", *blocks())
    one, other = (read_reconet(path.with_suffix(ending)) for ending in (".cfl", ".hdr"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_bare_header_means_the_published_network(tmp_path: Path) -> None:
    network = MRIVN()
    parts = [np.full(10, 0.5), np.ones((24, 1, 11, 11, 1, 10)) * 1j, np.full((24, 31, 10), 3.0)]
    path = write_cfl(tmp_path / "weights", np.concatenate([part.ravel() for part in parts]))
    network.load_state_dict(read_reconet(path.with_suffix(".cfl")))
    assert network.data_weights.tolist() == [0.5] * 10
    assert bool((network.regularisers[9].kernels[:, 1] == 1).all())
    assert bool((network.regularisers[9].kernels[:, 0] == 0).all())
    assert bool((network.regularisers[0].weights == 3).all())


def test_refuses_other_files(tmp_path: Path) -> None:
    data_weights, kernels, activations = blocks()
    path = write_several_cfl(tmp_path / "few", data_weights, kernels)
    with pytest.raises(WeightsError, match=r"λ\[T\] \| filters.*another network's file"):
        read_reconet(path.with_suffix(".cfl"))
    path = write_several_cfl(tmp_path / "odd", data_weights[:1], kernels, activations)
    with pytest.raises(WeightsError, match="another network's file"):
        read_reconet(path.with_suffix(".cfl"))
    path = write_several_cfl(tmp_path / "complex", data_weights * 1j, kernels, activations)
    with pytest.raises(WeightsError, match="with real data weights, got complex"):
        read_reconet(path.with_suffix(".cfl"))
    path = write_several_cfl(tmp_path / "phase", data_weights, kernels, activations * 1j)
    with pytest.raises(WeightsError, match="with real activations, got complex"):
        read_reconet(path.with_suffix(".cfl"))


def test_refuses_damaged_files(tmp_path: Path) -> None:
    path = write_several_cfl(tmp_path / "weights", *blocks()).with_suffix(".cfl")
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(WeightsError, match=r"Expected 194 complex numbers.*got 193"):
        read_reconet(path)
    path.unlink()
    with pytest.raises(WeightsError, match="got no such file"):
        read_reconet(path)
    path.with_suffix(".hdr").write_text("# Dimensions\nmany\n")
    with pytest.raises(WeightsError, match="got none that can be read"):
        read_reconet(path)
    path.with_suffix(".hdr").unlink()
    with pytest.raises(WeightsError, match=r"NAME\.hdr and NAME\.cfl side by side"):
        read_reconet(path)
