"""Relative radii: how large a perturbation may be, as a share of what it perturbs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from shaketable.chain import Chain
from shaketable.errors import InputError
from shaketable.settings import require_number

LARGEST_RADIUS = 10.0
"""Relative; what is larger than the image ten times over perturbs nothing any more."""


def relative_radii(chain: Chain, radius: float | Sequence[float] | Tensor) -> Tensor:
    """``(B,)`` float64, checked."""
    n = len(chain.images)
    try:
        sizes = torch.as_tensor(radius, dtype=torch.float64).cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"Expected one radius or one per image, got {radius!r}.") from error
    if sizes.ndim > 1 or (sizes.ndim == 1 and len(sizes) != n):
        raise InputError(
            f"Expected one radius or one per image ({n}), got shape {tuple(sizes.shape)}."
        )
    sizes = sizes.expand(n) if sizes.ndim == 0 else sizes
    if not bool(((sizes > 0) & (sizes <= LARGEST_RADIUS)).all()):
        raise InputError(
            f"Expected relative radii above 0 and at most {LARGEST_RADIUS:g}, got {sizes.tolist()}; "
            "0.02 means 2 % of the norm."
        )
    return sizes


def increasing_radii(radii: Sequence[float]) -> tuple[float, ...]:
    """The radii of a path as plain numbers.

    Raises
    ------
    InputError
        If there are none, one is not positive, or they do not grow.
    """
    try:
        every = tuple(float(radius) for radius in radii)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Expected a list of radii, got {radii!r}; a single one is (0.02,)."
        ) from error
    for radius in every:
        require_number("a relative radius", radius, above=0, at_most=LARGEST_RADIUS)
    if not every or any(b <= a for a, b in pairwise(every)):
        raise InputError(f"Expected strictly increasing radii, got {every}; sort them.")
    return every
