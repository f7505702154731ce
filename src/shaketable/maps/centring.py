"""Fourier data with DC in the middle, as scanners store them, and with DC first, as maps take them."""

from __future__ import annotations

import torch
from torch import Tensor

from shaketable.errors import InputError


def from_centred(kspace: Tensor) -> Tensor:
    """Turn data of a centred transform into what a Fourier map makes of the same image.

    A centred transform has DC in the middle of the grid and takes the middle of the image as
    origin: ``fftshift(fft2(ifftshift(x)))``. The maps have DC at ``[0, 0]`` and the origin in the
    first pixel: ``fft2(x)``. The two differ by a shift of the data and by a phase ramp; without the
    ramp the image comes out shifted by half its size. Zeros stay exact zeros.

    Parameters
    ----------
    kspace
        ``(..., H, W)`` complex, DC at ``[H // 2, W // 2]``.

    Returns
    -------
    Tensor
        ``(..., H, W)``, DC at ``[0, 0]``.

    Raises
    ------
    InputError
        If the data are not complex.

    Examples
    --------
    >>> x = torch.randn(5, 6, dtype=torch.complex128)
    >>> y = torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(x)))
    >>> bool(torch.allclose(from_centred(y), torch.fft.fft2(x)))
    True
    """
    _require_complex(kspace)
    shifted: Tensor = torch.fft.ifftshift(kspace, dim=(-2, -1))
    return shifted * _ramp(kspace).conj()


def to_centred(kspace: Tensor) -> Tensor:
    """Turn the data of a Fourier map into those of a centred transform of the same image.

    Parameters
    ----------
    kspace
        ``(..., H, W)`` complex, DC at ``[0, 0]``.

    Returns
    -------
    Tensor
        ``(..., H, W)``, DC at ``[H // 2, W // 2]``: the inverse of :func:`from_centred`.
    """
    _require_complex(kspace)
    shifted: Tensor = torch.fft.fftshift(kspace * _ramp(kspace), dim=(-2, -1))
    return shifted


def _require_complex(kspace: Tensor) -> None:
    if not kspace.is_complex():
        raise InputError(
            f"Expected complex k-space, got {kspace.dtype}; torch.complex(real, imaginary) joins two "
            "parts."
        )


def _ramp(kspace: Tensor) -> Tensor:
    """``(H, W)``: the phase that moves the middle of an image to its first pixel."""
    height, width = kspace.shape[-2:]
    return torch.outer(_turns(height), _turns(width)).to(kspace.device, kspace.dtype)


def _turns(length: int) -> Tensor:
    # Reduced to one turn first: the exponential of a large angle is inexact.
    turns = (torch.arange(length) * (length // 2) % length).to(torch.float64) / length
    return torch.polar(torch.ones_like(turns), 2 * torch.pi * turns)
