"""Orthogonal periodised wavelet transforms, one- and two-dimensional, by small matrices.

One level of a periodised transform of length ``n`` is an orthogonal matrix whose rows are the two
filters, shifted by two samples from row to row. Blocks of rows therefore repeat along the signal:
one small dense block, applied to overlapping windows, does the work at the speed of a matrix
product. Filters come from PyWavelets, and so does the convention (mode ``periodization``).

References
----------
Mallat, "A Wavelet Tour of Signal Processing" (3rd ed., 2009), sections 7.3 and 7.5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from shaketable.errors import InputError

_BLOCK = 32
_PIECE = 2**16
"""Pixels that are transformed at once: measured best between 32 and 512 a side."""


@dataclass(frozen=True, kw_only=True, eq=False)
class WindowedMatrix:
    """A matrix of ``n`` columns as one dense block applied to windows of the input.

    Parameters
    ----------
    indices
        ``(n_windows * window,)`` int64: the samples that each window gathers.
    block
        ``(n_rows, window)``: what is applied to each window.
    """

    indices: Tensor
    block: Tensor

    def apply(self, signal: Tensor) -> Tensor:
        """``(..., n, m) -> (..., n_windows, n_rows, m)``, along the second last axis."""
        gathered = signal.index_select(-2, self.indices)
        window, width = self.block.shape[1], signal.shape[-1]
        windows = gathered.reshape(*signal.shape[:-2], -1, window, width)
        return torch.matmul(self.block, windows)


@dataclass(frozen=True, kw_only=True, eq=False)
class WaveletLevel:
    """One level along one axis: analysis into a low and a high half, and its transpose."""

    analysis: WindowedMatrix
    synthesis: WindowedMatrix

    def analyse(self, signal: Tensor) -> Tensor:
        """``(..., n, m) -> (..., n, m)``: low-pass half, then high-pass half."""
        blocks = self.analysis.apply(signal)
        *before, n_rows, width = blocks.shape
        halves = blocks.reshape(*before, 2, n_rows // 2, width)
        return halves.movedim(-3, -4).flatten(-4, -2)

    def synthesise(self, coefficients: Tensor) -> Tensor:
        """Transpose and inverse of `analyse`."""
        return self.synthesis.apply(coefficients).flatten(-3, -2)


@dataclass(frozen=True, kw_only=True, eq=False)
class WaveletTransform:
    """Two-dimensional multi-level transform in Mallat's layout, over the last two axes.

    Parameters
    ----------
    vertical, horizontal
        The levels of axis -2 and axis -1, finest first.
    """

    vertical: tuple[WaveletLevel, ...]
    horizontal: tuple[WaveletLevel, ...]

    def analyse(self, image: Tensor) -> Tensor:
        """``(..., H, W) -> (..., H, W)``; the low-pass band of each level is the top left."""
        return _in_pieces(self._analyse, image)

    def synthesise(self, coefficients: Tensor) -> Tensor:
        """Transpose and inverse of `analyse`."""
        return _in_pieces(self._synthesise, coefficients)

    def _analyse(self, result: Tensor) -> None:
        height, width = result.shape[-2:]
        for vertical, horizontal in zip(self.vertical, self.horizontal, strict=True):
            turned = vertical.analyse(result[..., :height, :width]).mT.contiguous()
            result[..., :height, :width] = horizontal.analyse(turned).mT
            height, width = height // 2, width // 2

    def _synthesise(self, result: Tensor) -> None:
        shift = len(self.vertical) - 1
        height, width = result.shape[-2] >> shift, result.shape[-1] >> shift
        for vertical, horizontal in reversed(
            list(zip(self.vertical, self.horizontal, strict=True))
        ):
            turned = horizontal.synthesise(result[..., :height, :width].mT).mT.contiguous()
            result[..., :height, :width] = vertical.synthesise(turned)
            height, width = 2 * height, 2 * width


def _in_pieces(transform: Callable[[Tensor], None], images: Tensor) -> Tensor:
    """A transform in place, of a copy, of a few images at a time: those that the cache holds."""
    result = images.clone(memory_format=torch.contiguous_format)
    flat = result.reshape(-1, *images.shape[-2:])
    for piece in torch.split(flat, max(1, _PIECE // flat[0].numel())):
        transform(piece)
    return result


def filters(wavelet: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Low- and high-pass analysis filters of an orthogonal wavelet, from PyWavelets.

    Raises
    ------
    InputError
        If PyWavelets knows no orthogonal wavelet of that name.

    Examples
    --------
    >>> len(filters("db4")[0])
    8
    """
    import pywt

    known = isinstance(wavelet, str) and wavelet in pywt.wavelist(kind="discrete")
    found = pywt.Wavelet(wavelet) if known else None
    if found is None or not _is_orthogonal(found.dec_lo):
        raise InputError(
            f"Expected the name of an orthogonal wavelet of PyWavelets, got {wavelet!r}; "
            "db1 to db38, sym2 to sym20 and coif1 to coif17 are."
        )
    return tuple(found.dec_lo), tuple(found.dec_hi)


def _is_orthogonal(low: Sequence[float]) -> bool:
    """Whether a filter and its shifts by two are: PyWavelets says so of ``dmey``, whose are not."""
    taps = torch.tensor(low, dtype=torch.float64)
    inner = torch.stack([taps[: len(taps) - m] @ taps[m:] for m in range(0, len(taps), 2)])
    inner[0] -= 1
    return bool(inner.abs().max() < 1e-9)


def wavelet_transform(
    shape: tuple[int, int], wavelet: str, levels: int, dtype: torch.dtype, device: torch.device
) -> WaveletTransform:
    """Build the transform for images of one shape.

    Raises
    ------
    InputError
        If the shape cannot be halved ``levels`` times, or the wavelet is not known.
    """
    check_shape(shape, levels)
    axes = [
        tuple(_level(length >> level, wavelet, dtype, device) for level in range(levels))
        for length in shape
    ]
    return WaveletTransform(vertical=axes[0], horizontal=axes[1])


def check_shape(shape: tuple[int, int], levels: int) -> None:
    """Both lengths must be divisible by ``2**levels``: a periodised orthogonal level halves them.

    Raises
    ------
    InputError
        Otherwise; the sentence names the nearest shape and the number of levels that work.

    Examples
    --------
    >>> check_shape((230, 180), levels=4)
    Traceback (most recent call last):
    ...
    shaketable.errors.InputError: Expected an image whose height and width are multiples of 16 \
(4 wavelet levels), got 230 x 180; crop it to 224 x 176, use levels=1, or use TotalVariation.
    """
    factor = 2**levels
    if any(length % factor or length < factor for length in shape):
        possible = min((length & -length).bit_length() - 1 for length in shape)
        whole = [length // factor * factor for length in shape]
        cropped = f"crop it to {whole[0]} x {whole[1]}, " if all(whole) else ""
        fewer = f"use levels={possible}, " if possible else ""
        raise InputError(
            f"Expected an image whose height and width are multiples of {factor} ({levels} wavelet "
            f"levels), got {shape[0]} x {shape[1]}; {cropped}{fewer}"
            "or use TotalVariation."
        )


def level_matrix(length: int, wavelet: str) -> Tensor:
    """One periodised level as an orthogonal ``(n, n)`` float64 matrix, low-pass rows first."""
    low, high = (torch.tensor(taps, dtype=torch.float64) for taps in filters(wavelet))
    rows = torch.arange(length // 2)[:, None]
    taps = torch.arange(len(low))[None, :]
    columns = (2 * rows + len(low) // 2 - taps) % length
    result = torch.zeros(length, length, dtype=torch.float64)
    for offset, band in ((0, low), (length // 2, high)):
        # Filters longer than the signal wrap around more than once, so entries add up.
        values = band.expand(length // 2, -1)
        result.index_put_(((rows + offset).expand_as(columns), columns), values, accumulate=True)
    return result


@lru_cache(maxsize=64)
def _level(length: int, wavelet: str, dtype: torch.dtype, device: torch.device) -> WaveletLevel:
    matrix = level_matrix(length, wavelet)
    n_blocks = length // _BLOCK if length % _BLOCK == 0 and length > 2 * _BLOCK else 1
    half = torch.arange(length // 2 // n_blocks)
    # The first block of the analysis holds rows of both bands, that of the synthesis samples.
    low_and_high = torch.cat([half, half + length // 2])
    samples = torch.arange(length // n_blocks)
    analysis = _windowed(matrix, low_and_high, n_blocks=n_blocks, n_bands=1)
    synthesis = _windowed(matrix.T, samples, n_blocks=n_blocks, n_bands=2)
    return WaveletLevel(
        analysis=WindowedMatrix(
            indices=analysis.indices.to(device), block=analysis.block.to(device, dtype)
        ),
        synthesis=WindowedMatrix(
            indices=synthesis.indices.to(device), block=synthesis.block.to(device, dtype)
        ),
    )


def _windowed(matrix: Tensor, rows: Tensor, *, n_blocks: int, n_bands: int) -> WindowedMatrix:
    """Cut the first block of rows out; the others are the same, shifted within each input band."""
    block = matrix[rows]
    columns = block.abs().amax(0).nonzero().flatten()
    period = matrix.shape[1] // n_bands
    shifts = torch.arange(n_blocks)[:, None] * (period // n_blocks)
    indices = (columns % period + shifts) % period + columns // period * period
    return WindowedMatrix(indices=indices.flatten(), block=block[:, columns])
