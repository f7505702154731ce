"""Matrices are made once, shared, and forgotten when there are too many."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array, random_array

from shaketable.maps import RadonMap, radon
from shaketable.maps.stored_matrices import MatrixPair, MatrixStore, matrix_pair, times
from tests.helpers.oracles import relative_difference

CPU = torch.device("cpu")


def _matrix(seed: int = 0, shape: tuple[int, int] = (13, 9)) -> csr_array:
    random = np.random.default_rng(seed)
    matrix = csr_array(random_array(shape, density=0.4, rng=random))
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return matrix


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_products_are_those_of_the_dense_matrix(batch: int, dtype: torch.dtype) -> None:
    matrix = _matrix()
    pair = matrix_pair(matrix, torch.float64, CPU)
    dense = torch.from_numpy(matrix.toarray()).to(dtype)
    x = torch.randn(batch, 9, dtype=dtype, generator=torch.manual_seed(0))
    y = torch.randn(batch, 13, dtype=dtype, generator=torch.manual_seed(1))
    assert relative_difference(times(pair.matrix, x), x @ dense.T) < 1e-14
    assert relative_difference(times(pair.transpose, y), y @ dense) < 1e-14


def test_indices_have_32_bits_and_all_bytes_are_counted() -> None:
    pair = matrix_pair(_matrix(), torch.float32, CPU)
    assert pair.matrix.col_indices().dtype == pair.transpose.col_indices().dtype == torch.int32
    assert pair.n_bytes == 2 * 8 * _matrix().nnz


def test_the_least_recently_used_is_forgotten_first() -> None:
    made: list[str] = []
    pair = matrix_pair(_matrix(), torch.float32, CPU)

    def maker(name: str) -> MatrixPair:
        made.append(name)
        return pair

    store = MatrixStore(2 * pair.n_bytes)
    for name in ("a", "b", "a", "c", "a", "b"):
        store.get(name, lambda name=name: maker(name))
        assert store.n_bytes <= 2 * pair.n_bytes
    assert made == ["a", "b", "c", "b"]


def test_one_that_is_too_large_is_kept_alone() -> None:
    pair = matrix_pair(_matrix(), torch.float32, CPU)
    store = MatrixStore(pair.n_bytes // 2)
    store.get("a", lambda: pair)
    assert store.n_bytes == pair.n_bytes
    store.get("b", lambda: pair)
    assert store.n_bytes == pair.n_bytes


def test_maps_of_one_geometry_share_a_matrix_that_is_made_when_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MatrixStore(2**20)
    monkeypatch.setattr(radon, "STORE", store)
    angles = torch.arange(4) * 0.7
    first, second = RadonMap(angles, (6, 6)), RadonMap(angles.clone(), (6, 6))
    assert store.n_bytes == 0
    data = first(torch.ones(1, 6, 6))
    size = store.n_bytes
    assert size > 0
    assert torch.equal(second(torch.ones(1, 6, 6)), data)
    second.adjoint(data)
    assert store.n_bytes == size
    second(torch.ones(1, 6, 6, dtype=torch.float64))
    assert store.n_bytes > size


def test_a_gradient_does_not_need_the_matrix_to_have_been_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MatrixStore(2**20)
    monkeypatch.setattr(radon, "STORE", store)
    A = RadonMap([0.2, 1.9], (5, 5))
    image = torch.rand(1, 5, 5, requires_grad=True)
    data = A(image)
    store.clear()
    (gradient,) = torch.autograd.grad(data, image, data.detach())
    assert torch.equal(gradient, A.adjoint(data.detach()))
