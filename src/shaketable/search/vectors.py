"""Norms and products image by image, in double precision, and random numbers per image.

Of complex tensors by way of their real parts: complex norms take 40 times as long.
"""

from __future__ import annotations

from hashlib import sha256

import torch
from torch import Tensor

from shaketable.real_vectors import real_parts
from shaketable.settings import require_whole


def norms(x: Tensor) -> Tensor:
    """``(B, ...) -> (B,)`` l2 norm per image, accumulated in double precision."""
    result: Tensor = torch.linalg.vector_norm(
        real_parts(x.detach()).flatten(1), dim=1, dtype=torch.float64
    )
    return result


def dots(x: Tensor, y: Tensor) -> Tensor:
    """``(B, ...), (B, ...) -> (B,)`` real part of ``⟨x, y⟩`` per image, float64."""
    return (real_parts(x) * real_parts(y)).flatten(1).sum(1, dtype=torch.float64)


def per_image(values: Tensor, like: Tensor) -> Tensor:
    """``(B,)`` -> ``(B, 1, ...)``, numbers in the real dtype of ``like``, to multiply with."""
    shaped = values.view(-1, *[1] * (like.ndim - 1))
    return shaped if shaped.dtype == torch.bool else shaped.to(like.dtype.to_real())


def normalise(x: Tensor) -> Tensor:
    """Every image's tensor divided by its l2 norm; zero stays zero."""
    norm = norms(x)
    return x * per_image(torch.where(norm > 0, 1 / norm.clamp_min(1e-300), 0.0), x)


def generators(seed: int, n: int, purpose: str) -> list[torch.Generator]:
    """One generator per image, so that an image's numbers do not depend on its neighbours."""
    require_whole("seed", seed, at_least=0)
    result = []
    for index in range(n):
        digest = sha256(f"{seed}/{purpose}/{index}".encode()).digest()
        result.append(torch.Generator().manual_seed(int.from_bytes(digest[:7], "big")))
    return result


def draws(like: Tensor, generators: list[torch.Generator]) -> Tensor:
    """Standard Gaussian numbers of the shape and dtype of ``like``, one generator per image."""
    rows = [torch.randn(like.shape[1:], generator=g, dtype=like.dtype) for g in generators]
    return torch.stack(rows).to(like.device)


def expands(given: Tensor, shape: tuple[int, ...]) -> bool:
    """Whether a tensor broadcasts to exactly this shape."""
    try:
        given.expand(shape)
    except RuntimeError:
        return False
    return True
