"""Filtered back-projection, the direct inversion of the Radon transform."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.maps.linear import apply_linear
from shaketable.maps.projection import interpolation_weights
from shaketable.maps.radon import RadonMap
from shaketable.maps.shapes import require_batch, require_precision
from shaketable.maps.stored_matrices import StoredMatrix
from shaketable.protocols import ForwardMap


def filtered_back_projection(data: Tensor, forward: ForwardMap, /) -> Tensor:
    """Reconstruct images from parallel-beam data with the Ram-Lak filter.

    ``x(p) = Σ_θ w_θ (h * y_θ)(p · (cos θ, sin θ))``, where ``h`` is the band-limited ramp in space,
    ``h(0) = 1/4``, ``h(n) = −1/(π n)²`` for odd and 0 for even ``n``, the filtered data are
    interpolated linearly between detectors, and ``w_θ`` is the range of angles nearer to ``θ`` than to
    any other view, modulo half a turn: ``π / n_angles`` for views spaced evenly over it. Images come in
    their own units: of many views of an image follows the image.

    It is linear in the data and differentiable to any order; the gradient multiplies by the exact
    transpose. As a function of data and map it is a reconstructor.

    Parameters
    ----------
    data
        ``(B, n_angles, n_detectors)``, real or complex.
    forward
        The :class:`RadonMap` that the data came from.

    Returns
    -------
    Tensor
        ``(B, H, W)``.

    Raises
    ------
    InputError
        If the map is not a RadonMap.
    ShapeError
        If the data are not of its data shape.

    References
    ----------
    Ramachandran, Lakshminarayanan: "Three-dimensional reconstruction from radiographs and electron
    micrographs", PNAS 68 (1971); Kak, Slaney: "Principles of computerized tomographic imaging"
    (1988), section 3.3, equation 61.

    Examples
    --------
    >>> import torch
    >>> A = RadonMap(torch.arange(90) * torch.pi / 90, (32, 32))
    >>> x = torch.zeros(1, 32, 32)
    >>> x[:, 8:24, 8:24] = 3
    >>> round(float(filtered_back_projection(A(x), A)[0, 12:20, 12:20].mean()), 2)
    3.0
    """
    if not isinstance(forward, RadonMap):
        raise InputError(
            f"Expected a RadonMap for filtered back-projection, got {type(forward).__name__}; "
            "other maps have A.adjoint."
        )
    require_batch(data, forward.data_shape, "data")
    require_precision(data)
    filtered = apply_linear(data, _ramp, _ramp)  # symmetric, so its own adjoint

    matrices = _matrices(forward)

    def project_back(rows: Tensor) -> Tensor:
        parts = zip(matrices, forward.split_views(rows), strict=True)
        images = [matrix.times(part.flatten(1)) for matrix, part in parts]
        return torch.stack(images).sum(0).reshape(-1, *forward.image_shape)

    def project(image: Tensor) -> Tensor:
        pixels = image.flatten(1)
        rows = torch.cat([matrix.transpose_times(pixels) for matrix in matrices], dim=1)
        return rows.reshape(-1, *forward.data_shape)

    return apply_linear(filtered, project_back, project)


def _ramp(data: Tensor) -> Tensor:
    """``(..., n)`` convolved with the ramp, as if zero beyond the detectors."""
    if data.is_complex():
        return torch.complex(_ramp(data.real), _ramp(data.imag))
    length = data.shape[-1]
    n_padded = 2 ** (2 * length - 1).bit_length()
    response = _ramp_response(n_padded).to(dtype=data.dtype, device=data.device)
    filtered: Tensor = torch.fft.irfft(torch.fft.rfft(data, n=n_padded) * response, n=n_padded)
    return filtered[..., :length]


def _ramp_response(n_padded: int) -> Tensor:
    """``(n_padded // 2 + 1,)`` float64: the discrete transform of the band-limited ramp."""
    offset = torch.arange(n_padded, dtype=torch.float64)
    offset = torch.minimum(offset, n_padded - offset)
    kernel = torch.where(offset % 2 == 1, -1 / (torch.pi * offset) ** 2, 0.0)
    kernel[0] = 0.25
    # The transform of a symmetric sequence is real.
    response: Tensor = torch.fft.rfft(kernel).real
    return response


def _matrices(forward: RadonMap) -> list[StoredMatrix]:
    """One interpolation per block of views; together they are the sum over all views."""
    weights = _view_weights(np.asarray(forward.geometry.angles))
    matrices, first = [], 0
    for block in forward.geometry.blocks():
        own = weights[first : first + len(block.angles)]
        matrices.append(
            StoredMatrix(
                key=("interpolation", block, tuple(own)),
                make=partial(interpolation_weights, block, own),
            )
        )
        first += len(own)
    return matrices


def _view_weights(angles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The half of the gaps to both neighbours, modulo half a turn."""
    turned = np.mod(angles, np.pi)
    order = np.argsort(turned, kind="stable")
    gaps = np.diff(turned[order], append=turned[order[0]] + np.pi)
    weights = np.empty_like(turned)
    weights[order] = (gaps + np.roll(gaps, 1)) / 2
    return weights
