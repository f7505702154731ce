"""Numbers of each image of a batch, with the same bits whatever else is in the batch.

A reduction of PyTorch over several axes at once may add in another order for another number of images.
Here rows are added first, and then their sums.
"""

from __future__ import annotations

import torch
from torch import Tensor

_N_AT_ONCE = 2**17
"""Numbers that are multiplied before they are added, so that products of many coils are not kept."""


def sum_per_image(values: Tensor) -> Tensor:
    """``(B, ...) -> (B,)`` float64."""
    rows = values.to(torch.float64).sum(-1)
    return rows.flatten(1).sum(1)


def inner_per_image(a: Tensor, b: Tensor) -> Tensor:
    """``(B,)`` float64: ``Re ⟨a, b⟩``."""
    width = a.shape[-1]
    n_rows = max(1, _N_AT_ONCE // width)
    pieces = [torch.split(t.reshape(len(t), -1, width), n_rows, 1) for t in (a, b)]
    rows = [
        ((x.conj() * y).real if x.is_complex() else x * y).to(torch.float64).sum(-1)
        for x, y in zip(*pieces, strict=True)
    ]
    return torch.cat(rows, 1).sum(1)


def power_of_two(values: Tensor) -> Tensor:
    """``(B,)`` float64: the power of two at or below the largest magnitude; 1 for zeros.

    Dividing by it changes no digit, and keeps squares of very large or small numbers in range.
    """
    peak = values.detach().abs().flatten(1).amax(1).to(torch.float64)
    return torch.exp2(torch.where(peak > 0, peak, 1).log2().floor())
