"""A forward map given as a matrix."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor

from shaketable.errors import InputError, ShapeError
from shaketable.maps.linear import apply_linear
from shaketable.maps.shapes import at_precision, require_batch, require_precision


class MatrixMap:
    """A dense or sparse matrix as forward map: ``A x = M x``, ``A* y = Mᴴ y``.

    The result has the precision of what comes in and is complex where the matrix or the argument
    is; the matrix is kept in each dtype it was once needed in.

    Parameters
    ----------
    matrix
        ``(m, n)``, dense or sparse in any torch layout, real or complex.
    image_shape
        Shape of one image, of ``n`` values in row-major order; ``(n,)`` if not given.
    data_shape
        Shape of the data of one image, of ``m`` values; ``(m,)`` if not given.

    Raises
    ------
    InputError
        If the matrix has not two dimensions or holds NaN or infinity.
    ShapeError
        If a shape does not hold as many values as the matrix has columns or rows.

    Examples
    --------
    >>> import torch
    >>> A = MatrixMap(torch.tensor([[1.0, 2.0, 0.0, 0.0]]), image_shape=(2, 2))
    >>> A(torch.ones(3, 2, 2)).shape
    torch.Size([3, 1])
    >>> A.adjoint(torch.ones(1, 1))
    tensor([[[1., 2.],
             [0., 0.]]])
    """

    def __init__(
        self,
        matrix: Tensor,
        *,
        image_shape: tuple[int, ...] | None = None,
        data_shape: tuple[int, ...] | None = None,
    ) -> None:
        matrix = torch.as_tensor(matrix)
        if matrix.ndim != 2:
            raise InputError(
                f"Expected a matrix of shape (m, n), got {tuple(matrix.shape)}; "
                "rows are data, columns are pixels."
            )
        require_precision(matrix)
        self._is_sparse = matrix.layout != torch.strided
        if self._is_sparse:
            # Only coordinates have a conjugate transpose and products in all four dtypes.
            matrix = matrix.to_sparse(layout=torch.sparse_coo).coalesce()
        if not bool((matrix.values() if self._is_sparse else matrix).isfinite().all()):
            raise InputError(
                "Expected a matrix of finite numbers, got NaN or infinity; look at how it was made."
            )
        n_data, n_pixels = matrix.shape
        self._matrix = matrix
        self._image_shape = _shape_of(image_shape, n_pixels, "image_shape", "columns")
        self._data_shape = _shape_of(data_shape, n_data, "data_shape", "rows")
        self._kept: dict[tuple[torch.dtype, torch.device, bool], Tensor] = {}

    def __getstate__(self) -> dict[str, object]:
        """Without the matrix in other precisions, which are made again when they are needed."""
        return {**self.__dict__, "_kept": {}}

    @property
    def matrix(self) -> Tensor:
        """``(m, n)``; a sparse one in coordinates."""
        return self._matrix

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of one image."""
        return self._image_shape

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Shape of the data of one image."""
        return self._data_shape

    @property
    def sampled(self) -> None:
        """None: every data value is sampled."""
        return

    def describe(self) -> dict[str, object]:
        """Return what the record of a run says about this map."""
        return {
            "type": "matrix",
            "image_shape": list(self.image_shape),
            "data_shape": list(self.data_shape),
            "sparse": self._is_sparse,
        }

    def __call__(self, image: Tensor) -> Tensor:
        """``(B, *image_shape) -> (B, *data_shape)``."""
        require_batch(image, self.image_shape, "image")
        require_precision(image)
        return apply_linear(image, self._forward, self._adjoint)

    def adjoint(self, data: Tensor) -> Tensor:
        """``(B, *data_shape) -> (B, *image_shape)``."""
        require_batch(data, self.data_shape, "data")
        require_precision(data)
        return apply_linear(data, self._adjoint, self._forward)

    def _forward(self, image: Tensor) -> Tensor:
        return self._multiply(image, conjugate_transpose=False).reshape(-1, *self.data_shape)

    def _adjoint(self, data: Tensor) -> Tensor:
        return self._multiply(data, conjugate_transpose=True).reshape(-1, *self.image_shape)

    def _multiply(self, x: Tensor, *, conjugate_transpose: bool) -> Tensor:
        is_complex = x.is_complex() or self._matrix.is_complex()
        dtype = at_precision(x.dtype, complex_valued=is_complex)
        matrix = self._matrix_as(dtype, x.device, conjugate_transpose)
        columns = x.reshape(len(x), -1).to(dtype).T
        return (matrix @ columns).T

    def _matrix_as(self, dtype: torch.dtype, device: torch.device, transposed: bool) -> Tensor:
        key = (dtype, device, transposed)
        if key not in self._kept:
            matrix = self._matrix.to(device=device, dtype=dtype)
            if transposed and self._is_sparse:
                matrix = _sparse_adjoint(matrix)
            elif transposed:
                matrix = matrix.mH
            self._kept[key] = matrix
        return self._kept[key]


def _sparse_adjoint(matrix: Tensor) -> Tensor:
    matrix = matrix.coalesce()
    rows, columns = matrix.shape
    return torch.sparse_coo_tensor(
        matrix.indices().flip(0),
        matrix.values().conj().resolve_conj(),
        (columns, rows),
        check_invariants=False,
    ).coalesce()


def _shape_of(
    shape: tuple[int, ...] | None, n_values: int, name: str, side: str
) -> tuple[int, ...]:
    if shape is None:
        return (n_values,)
    if prod(shape) != n_values or any(length < 1 for length in shape):
        raise ShapeError(
            f"Expected {name} to hold {n_values} values, as many as the matrix has {side}, got "
            f"{tuple(shape)} with {prod(shape)}; change the shape or transpose the matrix.",
            expected=(n_values,),
            got=tuple(shape),
        )
    return tuple(shape)
