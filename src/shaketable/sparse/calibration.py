"""Choose the regularisation strength on other images than those under test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.metrics import psnr
from shaketable.protocols import ForwardMap
from shaketable.settings import require_number, require_whole
from shaketable.sparse.method import SparseMethod

Method = TypeVar("Method", bound=SparseMethod)

# Data of many samples, coils or views without noise want the smallest of them.
STRENGTHS = (
    1e-4,
    2e-4,
    5e-4,
    1e-3,
    2e-3,
    4e-3,
    7e-3,
    1e-2,
    1.5e-2,
    2e-2,
    3e-2,
    5e-2,
    8e-2,
    1.2e-1,
    2e-1,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration(Generic[Method]):
    """A method with its strength chosen, and the curve it was chosen from.

    Parameters
    ----------
    method
        The method with ``strength`` and ``rule`` set.
    strengths
        ``(S,)`` float64, ascending: what was tried.
    psnr
        ``(S, n_maps * n_images)`` float64, in dB; map by map.
    converged
        ``(S,)`` bool: whether every image reached the gap.
    """

    method: Method
    strengths: Tensor
    psnr: Tensor
    converged: Tensor


def calibrate(
    method: Method,
    images: Tensor,
    forward: ForwardMap | Sequence[ForwardMap],
    *,
    strengths: Sequence[float] = STRENGTHS,
    noise: float = 0.0,
    loss_allowed: float = 0.05,
    seed: int = 0,
) -> Calibration[Method]:
    """Choose the strength by the PSNR on images that are **not** those under test.

    Takes the largest strength whose mean PSNR over all images and maps is at most ``loss_allowed``
    below the best: of equally accurate settings the most regular one.

    Parameters
    ----------
    method
        Its other settings are kept.
    images
        ``(B, H, W)``: calibration images, of the kind that will be tested.
    forward
        The forward map, or several to choose one strength for all of them.
    strengths
        What to try, relative as in the method.
    noise
        Size of complex Gaussian noise added to the data at sampled positions, relative to ‖y‖₂.
    loss_allowed
        In dB.
    seed
        Of the noise.

    Returns
    -------
    Calibration
        With the method to use and the curve.

    Raises
    ------
    InputError
        If there are no images, no maps or no strengths, or noise or loss are negative.

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps import FourierMap
    >>> from shaketable.sparse import TotalVariation
    >>> image = torch.zeros(1, 32, 32, dtype=torch.complex64)
    >>> image[:, 8:20, 10:25] = 1
    >>> mask = (torch.rand(32, 1, generator=torch.Generator().manual_seed(0)) < 0.6).expand(32, 32)
    >>> chosen = calibrate(TotalVariation(), image, FourierMap(mask), strengths=(0.001, 0.3))
    >>> chosen.method.strength
    0.001
    """
    maps = tuple(forward) if isinstance(forward, Sequence) else (forward,)
    require_number("noise", noise, at_least=0)
    require_number("loss_allowed", loss_allowed, at_least=0)
    require_whole("seed", seed, at_least=0, at_most=2**63 - 1)
    if not isinstance(method, SparseMethod):
        raise InputError(
            f"Expected a sparse method with a strength, got {method!r}; TotalVariation() is one."
        )
    strengths = tuple(strengths)
    for strength in strengths:
        require_number("every strength", strength, above=0)
    if not len(maps) or not len(images) or not len(strengths):
        raise InputError(
            f"Expected images, maps and strengths, got {len(images)} images, {len(maps)} maps and "
            f"{len(strengths)} strengths; pass what the method will see, except test images."
        )
    pairs = [(A, _noisy(A(images), A, noise, seed)) for A in maps]
    tried = torch.tensor(sorted(strengths), dtype=torch.float64)
    rows = [_quality(replace(method, strength=float(s)), images, pairs) for s in tried]
    quality = torch.stack([row for row, _ in rows])
    mean = quality.mean(1)
    chosen = float(tried[mean >= mean.max() - loss_allowed].max())
    rule = (
        f"calibrated on {len(images)} other images and {len(maps)} forward maps, relative noise "
        f"{noise:g}: the largest strength within {loss_allowed:g} dB of the best mean PSNR"
    )
    return Calibration(
        method=replace(method, strength=chosen, rule=rule),
        strengths=tried,
        psnr=quality,
        converged=torch.tensor([converged for _, converged in rows]),
    )


def _quality(
    method: SparseMethod, images: Tensor, pairs: Sequence[tuple[ForwardMap, Tensor]]
) -> tuple[Tensor, bool]:
    solutions = [method.solve(data, A) for A, data in pairs]
    quality = torch.cat([psnr(solution.image, images) for solution in solutions])
    return quality, all(bool(solution.converged.all()) for solution in solutions)


def _noisy(data: Tensor, forward: ForwardMap, noise: float, seed: int) -> Tensor:
    if noise == 0:
        return data
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randn(data.shape, dtype=data.dtype, generator=generator).to(data.device)
    if forward.sampled is not None:
        draw = draw * forward.sampled.to(data.device)
    dims = tuple(range(1, data.ndim))
    size, unit = (torch.linalg.vector_norm(t, dim=dims, keepdim=True) for t in (data, draw))
    result: Tensor = data + noise * size / unit * draw
    return result
