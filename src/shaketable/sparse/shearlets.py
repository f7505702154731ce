"""A cone-adapted digital shearlet system, as multipliers on the Fourier grid.

Frequencies are taken in pseudo-polar form: the radius ``r = max(|ω₀|, |ω₁|)`` (1 at Nyquist) and
the slope ``s``, ``ω₀/ω₁`` in the horizontal cone and ``2 - ω₁/ω₀`` in the vertical one, a circle of
length 4. Scale ``j`` is a ring of one octave, cut into ``4 · 2^l`` wedges of equal slope for shear
level ``l``; the wedges at the seams of the cones are shared by both. All squares sum to one: with
the low-pass filter the system is a Parseval frame, and the adjoint its inverse. Unlike Meyer's, the
low-pass filter is flat nowhere, so that without it only constants cost nothing.

References
----------
Kutyniok and Labate: "Shearlets: multiscale analysis for multivariate data" (2012). Häuser and
Steidl: "Fast finite shearlet transform", arXiv:1202.1773 (2014), for Parseval systems by FFT.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.sparse.filter_banks import FilterBank
from shaketable.sparse.method import SparseMethod
from shaketable.sparse.penalties import Penalty

MRI_LEVELS = (1, 1, 2)
CT_LEVELS = (0, 0, 1, 1)


@lru_cache(maxsize=8)
def shearlet_filters(shape: tuple[int, int], levels: tuple[int, ...]) -> Tensor:
    """``(1 + Σ 4 · 2^level, H, W)`` float64 multipliers: the low-pass filter, then coarse to fine.

    Parameters
    ----------
    shape
        ``(H, W)``.
    levels
        The shear level of each scale, coarsest first.

    Examples
    --------
    >>> filters = shearlet_filters((32, 32), (1, 1, 2))
    >>> filters.shape[0], bool((filters.square().sum(0) - 1).abs().max() < 1e-12)
    (33, True)
    """
    vertical, horizontal = (2 * torch.fft.fftfreq(n, dtype=torch.float64) for n in shape)
    vertical, horizontal = vertical[:, None].expand(shape), horizontal[None, :].expand(shape)
    radius, slope = _pseudo_polar(vertical, horizontal)
    low = [_low_pass(radius, j, len(levels)) for j in range(len(levels))] + [torch.ones(shape)]
    squares = [low[0]]
    for j, level in enumerate(levels):
        ring = (low[j + 1] - low[j]).clamp(min=0)
        squares.extend(ring * _wedge(slope, k, level) for k in range(4 * 2**level))
    stacked = torch.stack(squares)
    # On even grids the Nyquist lines are their own mirror image: real filters need symmetry.
    mirrored = torch.roll(stacked.flip(1, 2), (1, 1), (1, 2))
    return ((stacked + mirrored) / 2).sqrt()


def _pseudo_polar(vertical: Tensor, horizontal: Tensor) -> tuple[Tensor, Tensor]:
    steep = vertical.abs() > horizontal.abs()
    larger = torch.where(steep, vertical, horizontal)
    ratio = torch.where(steep, horizontal, vertical) / torch.where(larger == 0, 1, larger)
    return larger.abs(), torch.where(steep, 2 - ratio, ratio)


def _low_pass(radius: Tensor, scale: int, n_scales: int) -> Tensor:
    """Square of the low-pass filter below a scale; it ends at ``2^(scale - n_scales)``."""
    end = 2.0 ** (scale - n_scales)
    if scale == 0:
        return torch.cos(math.pi / 2 * (radius / end).clamp(max=1)).square()
    octave = torch.log2(radius.clamp(min=1e-9) / end) + 1
    return torch.cos(math.pi / 2 * _ramp(octave.clamp(0, 1))).square()


def _wedge(slope: Tensor, index: int, level: int) -> Tensor:
    """Square of the window around the slope ``index / 2^level``."""
    distance = (slope - index / 2**level + 2) % 4 - 2
    return torch.cos(math.pi / 2 * _ramp((distance.abs() * 2**level).clamp(max=1))).square()


def _ramp(t: Tensor) -> Tensor:
    """Meyer's smooth step from 0 to 1: ``ramp(t) + ramp(1 - t) = 1``."""
    return t**4 * (35 - 84 * t + 70 * t**2 - 20 * t**3)


def shearlet_bank(
    shape: tuple[int, int],
    levels: tuple[int, ...],
    dtype: torch.dtype,
    device: torch.device,
    *,
    join_parts: bool,
) -> FilterBank:
    """The directional filters as a penalty, without the low-pass filter."""
    filters = shearlet_filters(shape, levels)[1:].to(device, dtype)
    return FilterBank.create(filters, join_parts=join_parts)


def checked_levels(levels: Sequence[int]) -> tuple[int, ...]:
    """At least one scale, no negative shear level.

    Raises
    ------
    InputError
        Otherwise.
    """
    listed = isinstance(levels, Sequence) and len(levels) > 0
    if not listed or not all(isinstance(n, Integral) and 0 <= n <= 4 for n in levels):
        raise InputError(
            f"Expected shear levels of 0 to 4, one per scale, got {levels}; "
            f"{MRI_LEVELS} is usual for MRI and {CT_LEVELS} for CT."
        )
    return tuple(int(level) for level in levels)


@dataclass(frozen=True, kw_only=True)
class Shearlets(SparseMethod):
    """Shearlet l1: ``min_x 1/2 ‖A x - y‖² + λ ‖SH x‖₁``, for any map.

    ``SH`` are the directional coefficients of `shearlet_filters`; the low-pass band is not
    penalised.

    Parameters
    ----------
    strength
        ``λ`` relative to the root mean square of ``A* y``.
    levels
        Shear levels per scale, coarsest first.
    values, gap, max_iterations, rule
        As in `TotalVariation`.

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps import FourierMap
    >>> image = torch.zeros(1, 32, 32, dtype=torch.complex64)
    >>> image[:, 8:20, 10:25] = 1
    >>> A = FourierMap(torch.ones(32, 32))
    >>> solution = Shearlets(strength=1e-3).solve(A(image), A)
    >>> bool(solution.converged), bool((solution.image - image).abs().max() < 0.05)
    (True, True)
    """

    strength: float = 5e-3
    levels: tuple[int, ...] = MRI_LEVELS

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "levels", checked_levels(self.levels))

    @property
    def _name(self) -> str:
        return "shearlets"

    @property
    def _penalty_name(self) -> str:
        return f"l1 of cone-adapted Parseval shearlets, shear levels {list(self.levels)}"

    @property
    def _rho_over_strength(self) -> float:
        return 10.0

    def penalty(self, shape: tuple[int, int], dtype: torch.dtype, device: torch.device) -> Penalty:
        """``K``: the shearlets without the low-pass filter."""
        return shearlet_bank(shape, self.levels, dtype, device, join_parts=self.values == "complex")
