"""Large sparse matrices: made when first needed, kept with their transposes, forgotten in time."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from shaketable.maps.shapes import at_precision

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# The projection matrix of 50 views of 512 x 512 pixels takes 190 MB in single precision, and its
# transpose as much; beyond this sum the least recently used are made anew when needed again.
KEPT_BYTES = 3 * 2**30


class MatrixStore:
    """Sparse matrices by key, up to a sum of bytes.

    Maps keep no matrix of their own, so that a test over many sampling rates holds only as many as
    fit, and two maps of one geometry share theirs.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, Tensor] = OrderedDict()
        self._lock = RLock()

    @property
    def n_bytes(self) -> int:
        """Memory that the entries of all kept matrices take."""
        return sum(_n_bytes(matrix) for matrix in self._kept.values())

    def get(self, key: Hashable, make: Callable[[], Tensor]) -> Tensor:
        """Return the kept matrix, or make it and let the least recently used go."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            matrix = self._kept[key]
            self._kept.move_to_end(key)
            while self.n_bytes > self._limit and len(self._kept) > 1:
                self._kept.popitem(last=False)
            return matrix

    def clear(self) -> None:
        """Forget all matrices; they are made anew when needed."""
        with self._lock:
            self._kept.clear()


STORE = MatrixStore(KEPT_BYTES)


@dataclass(frozen=True, kw_only=True)
class StoredMatrix:
    """A real sparse matrix that is made when needed, in the precision and place it is needed in.

    Parameters
    ----------
    key
        What tells it from all others.
    make
        Makes it in the precision of a NumPy type.
    """

    key: Hashable
    make: Callable[[type[np.floating[Any]]], csr_array]

    def times(self, x: Tensor) -> Tensor:
        """``(B, n) -> (B, m)``: the ``(m, n)`` matrix times each vector of a batch."""
        return product(self._matrix(x), x)

    def transpose_times(self, x: Tensor) -> Tensor:
        """``(B, m) -> (B, n)``: the transpose, stored as well, times each vector of a batch."""
        dtype, device = _kind(x)
        key = (self.key, "transpose", dtype, device)
        return product(STORE.get(key, lambda: transposed(self._matrix(x))), x)

    def _matrix(self, x: Tensor) -> Tensor:
        dtype, device = _kind(x)
        precision = np.float32 if dtype == torch.float32 else np.float64
        return STORE.get(
            (self.key, dtype, device), lambda: to_torch(self.make(precision)).to(device)
        )


def product(matrix: Tensor, x: Tensor) -> Tensor:
    """``(B, n) -> (B, m)``, real or complex: a real matrix times each vector of a batch.

    One vector is multiplied as a batch of one. As a vector it would take half the time on a processor,
    but its sums would run in another order, and so no image would have the same bits alone and among
    others.
    """
    if x.is_complex():
        parts = torch.view_as_real(x.resolve_conj()).movedim(-1, 1)
        both = product(matrix, parts.reshape(2 * len(x), -1)).reshape(len(x), 2, -1)
        return torch.complex(both[:, 0], both[:, 1])
    columns = matrix @ x.T.contiguous()
    return columns.T.contiguous()


def transposed(matrix: Tensor) -> Tensor:
    """The transpose of a matrix in compressed rows, in compressed rows."""
    from scipy.sparse import csr_array

    on_cpu = matrix.cpu()
    parts = (on_cpu.values(), on_cpu.col_indices(), on_cpu.crow_indices())
    rows = csr_array(tuple(part.numpy() for part in parts), shape=tuple(matrix.shape))
    return to_torch(rows.T.tocsr()).to(matrix.device)


def to_torch(matrix: csr_array) -> Tensor:
    """Put a SciPy matrix into torch: the same memory, 32-bit indices, half the time of longer ones."""
    with warnings.catch_warnings():
        # Torch calls this layout beta; products are all that is asked of it here.
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        # SciPy made the matrix, so its indices are in order; checking takes as long again.
        return torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr),
            torch.from_numpy(matrix.indices),
            torch.from_numpy(matrix.data),
            size=matrix.shape,
            check_invariants=False,
        )


def _kind(x: Tensor) -> tuple[torch.dtype, torch.device]:
    return at_precision(x.dtype, complex_valued=False), x.device


def _n_bytes(matrix: Tensor) -> int:
    values = matrix.values()
    return values.numel() * (values.element_size() + 4)
