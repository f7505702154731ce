"""Matrices are made once, shared, and forgotten when there are too many."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array, random_array
from torch import Tensor

from shaketable.maps import RadonMap, filtered_back_projection, projection, stored_matrices
from shaketable.maps.stored_matrices import (
    MatrixStore,
    StoredMatrix,
    product,
    to_torch,
    transposed,
)
from tests.helpers.oracles import relative_difference


def _sparse(seed: int = 0, shape: tuple[int, int] = (13, 9)) -> csr_array:
    random = np.random.default_rng(seed)
    matrix = csr_array(random_array(shape, density=0.4, rng=random))
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return matrix


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_products_are_those_of_the_dense_matrix(batch: int, dtype: torch.dtype) -> None:
    matrix = to_torch(_sparse())
    dense = torch.from_numpy(_sparse().toarray()).to(dtype)
    x = torch.randn(batch, 9, dtype=dtype, generator=torch.manual_seed(0))
    y = torch.randn(batch, 13, dtype=dtype, generator=torch.manual_seed(1))
    assert relative_difference(product(matrix, x), x @ dense.T) < 1e-14
    assert relative_difference(product(matrix, x.conj()), x.conj() @ dense.T) < 1e-14
    assert relative_difference(product(transposed(matrix), y), y @ dense) < 1e-14


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64, torch.float64])
def test_a_vector_has_the_same_bits_alone_and_among_any_number_of_others(
    dtype: torch.dtype,
) -> None:
    matrix = to_torch(_sparse(shape=(301, 257))).to(torch.empty(0, dtype=dtype).real.dtype)
    x = torch.randn(17, 257, dtype=dtype, generator=torch.manual_seed(0))
    alone = torch.cat([product(matrix, one[None]) for one in x])
    for batch in range(2, 18):
        assert torch.equal(product(matrix, x[:batch]), alone[:batch])


def test_indices_have_32_bits_and_all_bytes_are_counted() -> None:
    store = MatrixStore(2**20)
    matrix = store.get("a", lambda: to_torch(_sparse()))
    assert matrix.col_indices().dtype == transposed(matrix).col_indices().dtype == torch.int32
    assert store.n_bytes == (8 + 4) * _sparse().nnz


def test_the_least_recently_used_is_forgotten_first() -> None:
    made: list[str] = []
    one = to_torch(_sparse())
    size = 12 * _sparse().nnz

    def maker(name: str) -> Tensor:
        made.append(name)
        return one

    store = MatrixStore(2 * size)
    for name in ("a", "b", "a", "c", "a", "b"):
        store.get(name, lambda name=name: maker(name))
        assert store.n_bytes <= 2 * size
    assert made == ["a", "b", "c", "b"]


def test_one_that_is_too_large_is_kept_alone() -> None:
    store = MatrixStore(1)
    for name in ("a", "b"):
        store.get(name, lambda: to_torch(_sparse()))
        assert store.n_bytes == 12 * _sparse().nnz


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64])
def test_is_made_once_in_the_precision_of_the_argument(
    dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_matrices, "STORE", MatrixStore(2**20))
    made: list[type] = []

    def make(precision: type[np.floating[Any]]) -> csr_array:
        made.append(precision)
        return _sparse().astype(precision)

    stored = StoredMatrix(key="a", make=make)
    x = torch.ones(2, 9, dtype=dtype)
    y = stored.transpose_times(stored.times(x))
    assert y.dtype == dtype
    assert torch.equal(y, stored.transpose_times(stored.times(x)))
    assert made == [np.float64 if dtype == torch.float64 else np.float32]


def test_maps_of_one_geometry_share_a_matrix_that_is_made_when_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MatrixStore(2**20)
    monkeypatch.setattr(stored_matrices, "STORE", store)
    angles = torch.arange(4) * 0.7
    first, second = RadonMap(angles, (6, 6)), RadonMap(angles.clone(), (6, 6))
    assert store.n_bytes == 0
    data = first(torch.ones(1, 6, 6))
    size = store.n_bytes
    assert size > 0
    assert torch.equal(second(torch.ones(1, 6, 6)), data)
    assert store.n_bytes == size
    second.adjoint(data)
    assert store.n_bytes == 2 * size
    first.adjoint(data)
    assert store.n_bytes == 2 * size
    second(torch.ones(1, 6, 6, dtype=torch.float64))
    assert store.n_bytes == 3.5 * size


def test_a_gradient_does_not_need_the_matrix_to_have_been_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MatrixStore(2**20)
    monkeypatch.setattr(stored_matrices, "STORE", store)
    A = RadonMap([0.2, 1.9], (5, 5))
    image = torch.rand(1, 5, 5, requires_grad=True)
    data = A(image)
    store.clear()
    (gradient,) = torch.autograd.grad(data, image, data.detach())
    assert torch.equal(gradient, A.adjoint(data.detach()))


def test_many_views_go_through_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    angles = torch.arange(11, dtype=torch.float64) * 0.3
    image = torch.randn(2, 9, 8, dtype=torch.float64, generator=torch.manual_seed(0))
    whole = RadonMap(angles, (9, 8))
    data = whole(image)
    back, filtered = whole.adjoint(data), filtered_back_projection(data, whole)
    monkeypatch.setattr(projection, "ENTRIES_PER_BLOCK", 4 * 2 * 72 + 1)
    parts = RadonMap(angles, (9, 8))
    assert [len(block.angles) for block in parts.geometry.blocks()] == [4, 4, 3]
    assert relative_difference(parts(image), data) < 1e-14
    assert relative_difference(parts.adjoint(data), back) < 1e-14
    assert relative_difference(filtered_back_projection(data, parts), filtered) < 1e-14
    y = data.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(filtered_back_projection(y, parts), y, image)
    z = data.clone().requires_grad_()
    (expected,) = torch.autograd.grad(filtered_back_projection(z, whole), z, image)
    assert relative_difference(gradient, expected) < 1e-14
