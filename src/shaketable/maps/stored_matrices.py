"""Large sparse matrices: made when first needed, kept with their transposes, forgotten in time."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# One projection matrix of 50 views of 512 x 512 pixels takes 380 MB in single precision with its
# transpose; beyond this sum the least recently used are made anew when they are needed again.
KEPT_BYTES = 3 * 2**30


@dataclass(frozen=True, kw_only=True, eq=False)
class MatrixPair:
    """A real sparse matrix and its transpose in rows, so that both products are as fast.

    Parameters
    ----------
    matrix
        ``(m, n)`` in compressed rows with 32-bit indices, which take half the time of longer ones.
    transpose
        ``(n, m)``, the same numbers.
    """

    matrix: Tensor
    transpose: Tensor

    @property
    def n_bytes(self) -> int:
        """Memory that the numbers and indices take."""
        one = self.matrix
        return 2 * one.values().numel() * (one.values().element_size() + 4)


def matrix_pair(matrix: csr_array, dtype: torch.dtype, device: torch.device) -> MatrixPair:
    """Put a SciPy matrix and its transpose into torch."""
    return MatrixPair(
        matrix=_to_torch(matrix, dtype, device),
        transpose=_to_torch(matrix.T.tocsr(), dtype, device),
    )


def times(matrix: Tensor, x: Tensor) -> Tensor:
    """``(B, n) -> (B, m)``, real or complex: a real matrix times each vector of a batch.

    A batch and its parts agree to rounding: with several columns the sums run in another order.
    """
    if x.is_complex():
        parts = torch.view_as_real(x.resolve_conj().contiguous())
        product = times(matrix, parts.movedim(-1, 1).reshape(2 * len(x), -1))
        return torch.view_as_complex(product.reshape(len(x), 2, -1).movedim(1, -1).contiguous())
    if len(x) == 1:
        return (matrix @ x[0].contiguous())[None]
    product = matrix @ x.T.contiguous()
    return product.T.contiguous()


class MatrixStore:
    """What :func:`matrix_pair` made, by key, up to a sum of bytes.

    Maps keep no matrix of their own, so that a test over many sampling rates holds only as many as
    fit, and two maps of one geometry share theirs.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, MatrixPair] = OrderedDict()
        self._lock = Lock()

    @property
    def n_bytes(self) -> int:
        """Memory that all kept matrices take."""
        return sum(pair.n_bytes for pair in self._kept.values())

    def get(self, key: Hashable, make: Callable[[], MatrixPair]) -> MatrixPair:
        """Return the kept pair, or make it and let the least recently used go."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            self._kept.move_to_end(key)
            while self.n_bytes > self._limit and len(self._kept) > 1:
                self._kept.popitem(last=False)
            return self._kept[key]

    def clear(self) -> None:
        """Forget all matrices; they are made anew when needed."""
        with self._lock:
            self._kept.clear()


STORE = MatrixStore(KEPT_BYTES)


def _to_torch(matrix: csr_array, dtype: torch.dtype, device: torch.device) -> Tensor:
    with warnings.catch_warnings():
        # Torch calls this layout beta; products are all that is asked of it here.
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        # SciPy made the matrix, so its indices are in order; checking takes as long again.
        result = torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr),
            torch.from_numpy(matrix.indices),
            torch.from_numpy(matrix.data).to(dtype),
            size=matrix.shape,
            check_invariants=False,
        )
    return result.to(device)
