"""Batches as rows of real numbers, in the precision they came in."""

from __future__ import annotations

import torch
from torch import Tensor


def rows_of(x: Tensor) -> Tensor:
    """``(B, ...) -> (B, n)`` real; real and imaginary parts are numbers of their own."""
    parts = torch.view_as_real(x.resolve_conj()) if x.is_complex() else x
    return parts.reshape(len(x), -1)


def of_rows(rows: Tensor, like: Tensor) -> Tensor:
    """``(B, n)`` real -> ``(B, ...)`` with the shape of an item of ``like`` and its dtype."""
    shape = (len(rows), *like.shape[1:])
    if not like.is_complex():
        return rows.reshape(shape).to(like.dtype)
    return torch.view_as_complex(rows.reshape(*shape, 2).contiguous()).to(like.dtype)
