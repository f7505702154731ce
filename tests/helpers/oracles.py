"""Slow, plain answers to compare fast code with."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
import torch
from torch import Tensor

from shaketable.protocols import ForwardMap


def dense_matrix(
    function: Callable[[Tensor], Tensor], shape: tuple[int, ...], dtype: torch.dtype
) -> Tensor:
    """The matrix ``(m, n)`` of a linear function of batches, column by column.

    Every basis vector goes through on its own, so that a mixing of the batch cannot hide.
    """
    basis = torch.eye(prod(shape), dtype=dtype).reshape(-1, 1, *shape)
    return torch.stack([function(vector).flatten() for vector in basis], dim=1)


def map_matrix(forward: ForwardMap, dtype: torch.dtype = torch.complex128) -> Tensor:
    """The matrix of a forward map."""
    return dense_matrix(forward, tuple(forward.image_shape), dtype)


def dft_matrix(length: int) -> Tensor:
    """The unitary discrete Fourier transform of one axis from its definition, complex128."""
    index = np.arange(length)
    # Reduced to one turn first: the exponential of a large angle is inexact.
    turns = np.outer(index, index) % length / length
    return torch.from_numpy(np.exp(-2j * np.pi * turns) / np.sqrt(length))


def directional_derivative(
    function: Callable[[Tensor], Tensor], at: Tensor, along: Tensor, step: float = 1e-6
) -> Tensor:
    """Central difference ``(f(x + h d) − f(x − h d)) / 2h``; in double precision good to 1e-9."""
    return (function(at + step * along) - function(at - step * along)) / (2 * step)


def inner(a: Tensor, b: Tensor) -> complex:
    """``⟨a, b⟩ = Σ conj(a) b`` in double precision."""
    return complex(
        torch.vdot(a.detach().to(torch.complex128).ravel(), b.detach().to(torch.complex128).ravel())
    )


def relative_difference(a: Tensor, b: Tensor) -> float:
    """``‖a − b‖ / ‖b‖`` in double precision; the shapes must agree."""
    assert a.shape == b.shape, f"{tuple(a.shape)} is not {tuple(b.shape)}"
    a, b = a.detach().to(torch.complex128), b.detach().to(torch.complex128)
    return float((a - b).norm() / b.norm())
