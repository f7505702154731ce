"""Complex tensors seen as real ones: real and imaginary parts are numbers of their own.

Networks are not complex-linear, so derivatives, orthogonality and element-wise steps live here: the
Euclidean product of two real vectors is ``Re⟨x, y⟩``.
"""

from __future__ import annotations

import torch
from torch import Tensor


def real_parts(x: Tensor) -> Tensor:
    """``(...) -> (..., 2)`` for complex tensors, a view where that is possible; real ones as they are."""
    return torch.view_as_real(x.resolve_conj()) if x.is_complex() else x


def from_real_parts(parts: Tensor, like: Tensor) -> Tensor:
    """The inverse of `real_parts`, complex where ``like`` is."""
    return torch.view_as_complex(parts.contiguous()) if like.is_complex() else parts


def real_rows(x: Tensor) -> Tensor:
    """``(B, ...) -> (B, n)`` real, in the precision of ``x``."""
    return real_parts(x).flatten(1)


def from_real_rows(rows: Tensor, like: Tensor) -> Tensor:
    """``(B, n)`` real -> ``(B, ...)`` with the shape of an item of ``like`` and its dtype."""
    shape = (len(rows), *like.shape[1:], *([2] if like.is_complex() else []))
    return from_real_parts(rows.reshape(shape), like).to(like.dtype)


def orthonormal(x: Tensor) -> Tensor:
    """``(n, ...)`` rows made orthonormal in ``Re⟨·, ·⟩``, in the order given."""
    basis, triangle = torch.linalg.qr(real_rows(x).double().T)
    rows = (basis * torch.sgn(triangle.diagonal())).T.to(x.dtype.to_real()).contiguous()
    return from_real_rows(rows, x)
