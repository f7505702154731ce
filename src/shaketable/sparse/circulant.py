"""Functions of ``F* symbol F``: inverses and pseudo-inverses of circulant systems, field by field.

Spectra of real images are held by half, as the other half is their conjugate; symbols are whole.
"""

from __future__ import annotations

import torch
from torch import Tensor

from shaketable.sparse.penalties import to_complex, to_planes


def apply_symbol(symbol: Tensor, planes: Tensor, n_planes: int) -> Tensor:
    """``F* symbol F`` of ``(B, P R, H, W)`` planes.

    Parameters
    ----------
    symbol
        ``(H, W)`` for one field, ``(H, W, P, P)`` for more; real operators only, that is
        ``symbol(-k) = conj(symbol(k))``.
    planes
        ``(B, P R, H, W)`` real.
    n_planes
        ``R``: 2 where the planes are real and imaginary parts.
    """
    spectrum = fields_to_spectrum(planes, n_planes)
    return spectrum_to_fields(multiply(symbol, spectrum), n_planes, planes.shape[-1])


def multiply(symbol: Tensor, spectrum: Tensor) -> Tensor:
    """A symbol times a spectrum ``(B, P, H, ...)``, in its place or as a matrix per frequency."""
    symbol = symbol[:, : spectrum.shape[-1]]
    if symbol.ndim == 2:
        return spectrum.mul_(symbol)
    fields = range(symbol.shape[-1])
    # Sums in a fixed order: a batched matrix product may round differently for other batches.
    rows = [
        torch.stack([symbol[..., row, k] * spectrum[:, k] for k in fields]).sum(0) for row in fields
    ]
    return torch.stack(rows, dim=1)


def fields_to_spectrum(planes: Tensor, n_planes: int) -> Tensor:
    """``(B, P R, H, W)`` real -> unitary ``(B, P, H, W)``, of real ones ``W // 2 + 1`` columns."""
    if n_planes == 1:
        half: Tensor = torch.fft.rfft2(planes, norm="ortho")
        return half
    batch, stacked, height, width = planes.shape
    fields = planes.reshape(batch * (stacked // n_planes), n_planes, height, width)
    spectrum: Tensor = torch.fft.fft2(to_complex(fields), norm="ortho")
    return spectrum.reshape(batch, -1, height, width)


def spectrum_to_fields(spectrum: Tensor, n_planes: int, width: int) -> Tensor:
    """Inverse of `fields_to_spectrum` for images ``width`` wide."""
    batch, n_fields, height, _ = spectrum.shape
    if n_planes == 1:
        # `irfft2` leaves columns in another order of memory, in which an image of up to 64 pixels
        # does not have the bits that it has alone. (One two pixels high does not here either.)
        columns = torch.fft.ifft(spectrum, dim=-2, norm="ortho").contiguous()
        del spectrum  # large arrays go before the next ones are made
        real: Tensor = torch.fft.irfft(columns, width, norm="ortho")
        return real
    image = torch.fft.ifft2(spectrum, norm="ortho")
    del spectrum
    planes = to_planes(image.reshape(batch * n_fields, height, width), "ri")
    return planes.reshape(batch, n_fields * n_planes, height, width)


def occurrences(spectrum: Tensor, width: int) -> Tensor:
    """How often each column of a spectrum occurs in the whole one: twice where one half is held."""
    n_held = spectrum.shape[-1]
    columns = torch.arange(n_held, device=spectrum.device)
    return 1 + ((n_held < width) & (columns > 0) & (2 * columns != width)).to(spectrum.real.dtype)


def system_symbol(metric: Tensor | float, scale: float, eigenvalues: Tensor) -> Tensor:
    """``metric + scale K* K`` with the metric on the image field only."""
    if eigenvalues.ndim == 2:
        return metric + scale * eigenvalues
    result = scale * eigenvalues
    result[..., 0, 0] += metric
    return result


def pseudo_inverse(symbol: Tensor) -> Tensor:
    """Inverse at each frequency, 0 in the directions that the symbol does not determine."""
    if symbol.ndim == 2:
        smallest = torch.finfo(symbol.dtype).tiny
        return torch.where(symbol > smallest, 1 / symbol.clamp(min=smallest), 0)
    exact = symbol.to(torch.complex128)
    # Only at DC can the system be singular (constants); elsewhere the plain inverse is faster.
    regular = exact.clone()
    regular[0, 0] = torch.eye(symbol.shape[-1], dtype=exact.dtype, device=exact.device)
    result = torch.linalg.inv(regular)
    result[0, 0] = torch.linalg.pinv(exact[0, 0], hermitian=True, rtol=1e-9)
    inverse: Tensor = result.to(symbol.dtype)
    return inverse
