"""The matrix map against the matrix."""

import pytest
import torch

from shaketable.errors import InputError, ShapeError
from shaketable.maps import MatrixMap
from tests.helpers.oracles import dense_matrix, map_matrix

MATRIX = torch.tensor([[1, 2j, 0, 0], [0, 0, 3, 0], [0, 1 - 1j, 0, 4]], dtype=torch.complex128)


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
@pytest.mark.parametrize("layout", [torch.strided, torch.sparse_coo, torch.sparse_csr])
def test_is_the_matrix_and_its_conjugate_transpose(layout: torch.layout) -> None:
    matrix = MATRIX if layout == torch.strided else _in_layout(layout)
    A = MatrixMap(matrix, image_shape=(2, 2))
    assert torch.equal(map_matrix(A), MATRIX)
    assert torch.equal(dense_matrix(A.adjoint, (3,), torch.complex128), MATRIX.mH)


def _in_layout(layout: torch.layout) -> torch.Tensor:
    if layout == torch.sparse_coo:
        return MATRIX.to_sparse()
    return torch.sparse_csr_tensor(
        torch.tensor([0, 2, 3, 5]),
        torch.tensor([0, 1, 2, 1, 3]),
        torch.tensor([1, 2j, 3, 1 - 1j, 4], dtype=torch.complex128),
        size=(3, 4),
        check_invariants=True,
    )


def test_repeated_coordinates_of_a_sparse_matrix_add_up() -> None:
    indices = torch.tensor([[0, 0], [1, 1]])
    matrix = torch.sparse_coo_tensor(
        indices, torch.tensor([1.0, 2.0]), (1, 2), check_invariants=True
    )
    A = MatrixMap(matrix)
    assert A(torch.ones(1, 2)).item() == 3
    assert A.adjoint(torch.ones(1, 1)).tolist() == [[0.0, 3.0]]


def test_shapes_default_to_vectors() -> None:
    A = MatrixMap(torch.ones(3, 4))
    assert (A.image_shape, A.data_shape, A.sampled) == ((4,), (3,), None)


@pytest.mark.parametrize(
    ("of_matrix", "of_image", "of_data"),
    [
        (torch.float64, torch.float32, torch.float32),
        (torch.float32, torch.float64, torch.float64),
        (torch.complex128, torch.float32, torch.complex64),
        (torch.float64, torch.complex64, torch.complex64),
    ],
)
def test_precision_is_the_arguments_and_complex_is_catching(
    of_matrix: torch.dtype, of_image: torch.dtype, of_data: torch.dtype
) -> None:
    A = MatrixMap(torch.ones(3, 4, dtype=of_matrix))
    assert A(torch.ones(1, 4, dtype=of_image)).dtype == of_data


def test_describe() -> None:
    A = MatrixMap(torch.ones(3, 4).to_sparse(), image_shape=(2, 2))
    assert A.describe() == {
        "type": "matrix",
        "image_shape": [2, 2],
        "data_shape": [3],
        "sparse": True,
    }


def test_refuses_what_is_no_matrix() -> None:
    with pytest.raises(InputError, match=r"matrix of shape \(m, n\), got \(4,\)"):
        MatrixMap(torch.ones(4))
    with pytest.raises(InputError, match="NaN or infinity"):
        MatrixMap(torch.tensor([[1.0, float("nan")]]))
    with pytest.raises(InputError, match=r"got torch\.int64"):
        MatrixMap(torch.tensor([[1, 2]]))


def test_refuses_shapes_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"image_shape to hold 4 values.*columns, got .* with 6"):
        MatrixMap(torch.ones(3, 4), image_shape=(2, 3))
    with pytest.raises(ShapeError, match="data_shape to hold 3 values"):
        MatrixMap(torch.ones(3, 4), data_shape=(-1, -3))
