"""Functions of ``F* symbol F``: inverses and pseudo-inverses of circulant systems, field by field."""

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
    return spectrum_to_fields(multiply(symbol, spectrum), n_planes)


def multiply(symbol: Tensor, spectrum: Tensor) -> Tensor:
    """A symbol times ``(B, P, H, W)``, in its place or as a matrix per frequency."""
    if symbol.ndim == 2:
        return spectrum.mul_(symbol)
    fields = range(symbol.shape[-1])
    # Sums in a fixed order: a batched matrix product may round differently for other batches.
    rows = [
        torch.stack([symbol[..., row, k] * spectrum[:, k] for k in fields]).sum(0) for row in fields
    ]
    return torch.stack(rows, dim=1)


def fields_to_spectrum(planes: Tensor, n_planes: int) -> Tensor:
    """``(B, P R, H, W)`` real -> unitary spectrum ``(B, P, H, W)``."""
    batch, stacked, height, width = planes.shape
    fields = planes.reshape(batch * (stacked // n_planes), n_planes, height, width)
    spectrum: Tensor = torch.fft.fft2(to_complex(fields), norm="ortho")
    return spectrum.reshape(batch, -1, height, width)


def spectrum_to_fields(spectrum: Tensor, n_planes: int) -> Tensor:
    """Inverse of `fields_to_spectrum`; the real part for one plane."""
    batch, n_fields, height, width = spectrum.shape
    image = torch.fft.ifft2(spectrum, norm="ortho")
    del spectrum  # large arrays go before the next ones are made
    planes = to_planes(
        image.reshape(batch * n_fields, height, width), "real" if n_planes == 1 else "ri"
    )
    return planes.reshape(batch, n_fields * n_planes, height, width)


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
