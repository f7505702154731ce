"""Continuing an image beyond its border by mirroring, the border pixel repeated."""

from __future__ import annotations

import torch
from torch import Tensor


def mirror(image: Tensor, margin: int) -> Tensor:
    """``(..., H, W) -> (..., H + 2 margin, W + 2 margin)``: ..., 1, 0, 0, 1, ... on every side.

    PyTorch's own padding leaves the border pixel out. Margins may be larger than the image.

    Examples
    --------
    >>> mirror(torch.tensor([[1, 2, 3]]), 2)[2].tolist()
    [2, 1, 1, 2, 3, 3, 2]
    """
    rows, columns = (_index(n, margin, image.device) for n in image.shape[-2:])
    return image[..., rows, :][..., columns]


def _index(length: int, margin: int, device: torch.device) -> Tensor:
    index = torch.arange(-margin, length + margin, device=device) % (2 * length)
    return torch.minimum(index, 2 * length - 1 - index)
