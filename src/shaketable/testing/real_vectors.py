"""Complex tensors as real vectors of twice the length: the space in which plants are built."""

from __future__ import annotations

import torch
from torch import Tensor


def flat(x: Tensor) -> Tensor:
    """``(B, ...) -> (B, n)`` real; the Euclidean product of two is ``Re⟨x, y⟩``."""
    return (torch.view_as_real(x) if x.is_complex() else x).flatten(1)


def orthonormal(x: Tensor) -> Tensor:
    """``(n, ...)`` rows made orthonormal in ``Re⟨·, ·⟩``, in the order given."""
    basis, triangle = torch.linalg.qr(flat(x).double().T)
    rows: Tensor = (basis * torch.sgn(triangle.diagonal())).T.to(x.dtype.to_real()).contiguous()
    if not x.is_complex():
        return rows.view_as(x)
    return torch.view_as_complex(rows.view(*x.shape, 2))
