"""Undecimated wavelets as multipliers on the Fourier grid.

Level ``j`` filters with the taps of the level before, two samples further apart, and nothing is
dropped. With each pair of filters divided by ``√2`` all squares sum to one: a Parseval frame of
``3 J + 1`` bands.

References
----------
Mallat, "A Wavelet Tour of Signal Processing" (3rd ed., 2009), section 5.2 (algorithme à trous).
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from shaketable.sparse.wavelets import filters


@lru_cache(maxsize=8)
def undecimated_filters(shape: tuple[int, int], wavelet: str, levels: int) -> Tensor:
    """``(3 J + 1, H, W)`` complex128: three bands per level, finest first, then the low-pass band.

    Parameters
    ----------
    shape
        ``(H, W)``, any.
    wavelet
        An orthogonal wavelet of PyWavelets.
    levels
        ``J``.

    Examples
    --------
    >>> found = undecimated_filters((24, 18), "db2", 3)
    >>> found.shape[0], bool((found.abs().square().sum(0) - 1).abs().max() < 1e-12)
    (10, True)
    """
    low_vertical, low_horizontal = (torch.ones(length, dtype=torch.complex128) for length in shape)
    bands = []
    for level in range(levels):
        vertical, horizontal = (_pair(length, wavelet, 2**level) for length in shape)
        coarser = low_vertical * vertical[0], low_horizontal * horizontal[0]
        finer = low_vertical * vertical[1], low_horizontal * horizontal[1]
        bands += [
            torch.outer(finer[0], coarser[1]),
            torch.outer(coarser[0], finer[1]),
            torch.outer(finer[0], finer[1]),
        ]
        low_vertical, low_horizontal = coarser
    return torch.stack([*bands, torch.outer(low_vertical, low_horizontal)])


def _pair(length: int, wavelet: str, spacing: int) -> Tensor:
    """``(2, n)``: multipliers of the low- and the high-pass filter, their taps spaced out."""
    low, high = (torch.tensor(taps, dtype=torch.complex128) for taps in filters(wavelet))
    # Reduced before it is scaled, so that the multipliers of k and -k are conjugate to the last bit.
    turns = torch.outer(torch.arange(length), spacing * torch.arange(len(low))) % length
    waves = torch.exp(-2j * math.pi * turns.to(torch.float64) / length)
    return torch.stack([waves @ low, waves @ high]) / math.sqrt(2)
