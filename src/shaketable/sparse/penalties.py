"""Sparsity penalties ``R(x) = Σ_groups ‖(K x)_group‖₂``: transform, shrinkage, dual ball.

Images are handled as real planes ``(B, R, H, W)``: ``R = 2`` (real and imaginary part) for complex
images, ``R = 1`` for real ones. Coefficients are ``(B, C, R, H, W)`` with ``C`` channels of the
transform, so that joint, separate and real penalties differ only in which axes share a magnitude.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from shaketable.sparse.per_image import sum_per_image

Values = Literal["complex", "ri", "real"]
"""Complex magnitude shrunk jointly; real and imaginary part apart; real images."""


class Penalty(Protocol):
    """An analysis operator ``K`` with ``K* K`` diagonal in Fourier space, and groups of its output.

    The unknown may have further fields beside the image (the slope field of total generalised
    variation); they are stacked in front of the planes: ``(B, P R, H, W)``, the image first.
    """

    @property
    def group(self) -> Group:
        """Which of the ``(B, C, R, H, W)`` coefficients share one magnitude."""
        ...

    @property
    def eigenvalues(self) -> Tensor:
        """``(H, W)``, or ``(1, 1)`` for one at all: ``K* K = F* diag(eigenvalues) F``, DC at ``[0, 0]``.

        ``(H, W, P, P)``, Hermitian, where there are ``P > 1`` fields.
        """
        ...

    def analyse(self, planes: Tensor) -> Tensor:
        """``K``: ``(B, P R, H, W) -> (B, C, R, H, W)``."""
        ...

    def adjoint(self, coefficients: Tensor) -> Tensor:
        """``K*``: ``(B, C, R, H, W) -> (B, P R, H, W)``."""
        ...


def to_planes(image: Tensor, values: Values) -> Tensor:
    """``(B, H, W)`` -> ``(B, R, H, W)`` real; one plane for real images."""
    if values == "real" or not image.is_complex():
        return image.real[:, None].contiguous()
    return torch.stack([image.real, image.imag], dim=1)


def to_complex(planes: Tensor) -> Tensor:
    """``(B, R, H, W)`` real -> ``(B, H, W)`` complex."""
    if planes.shape[1] == 1:
        return torch.complex(planes[:, 0], torch.zeros_like(planes[:, 0]))
    return torch.complex(planes[:, 0], planes[:, 1])


@dataclass(frozen=True)
class Runs:
    """Groups of consecutive channels: ``sizes`` of them share a magnitude, over ``axes`` as well.

    Parameters
    ----------
    sizes
        How many channels each group takes; they sum to the number of channels.
    axes
        ``(2,)`` where real and imaginary part share the magnitude too, else ``()``.
    """

    sizes: tuple[int, ...]
    axes: tuple[int, ...]


Group = tuple[int, ...] | Runs
Threshold = Tensor | float


def to_image(planes: Tensor) -> Tensor:
    """``(B, R, H, W)`` -> ``(B, H, W)``: complex for two planes, real for one."""
    return planes[:, 0] if planes.shape[1] == 1 else to_complex(planes)


def magnitude(coefficients: Tensor, group: Group) -> Tensor:
    """Euclidean norm over each group, kept broadcastable to the coefficients."""
    if isinstance(group, Runs):
        squares = coefficients.square()
        if group.axes:
            squares = squares.sum(dim=group.axes, keepdim=True)
        pieces = [
            piece.sum(1, keepdim=True).expand_as(piece) if piece.shape[1] > 1 else piece
            for piece in torch.split(squares, list(group.sizes), dim=1)
        ]
        return torch.cat(pieces, dim=1).sqrt_()
    if not group:
        return coefficients.abs()
    return coefficients.square().sum(dim=group, keepdim=True).sqrt_()


def shrink(coefficients: Tensor, threshold: Threshold, group: Group) -> Tensor:
    """Proximal operator of ``Σ threshold ‖·‖_group``: each group loses ``threshold`` of length.

    A threshold given as a tensor is positive, broadcasts to the coefficients and is constant within
    each group.
    """
    size = magnitude(coefficients, group)
    if isinstance(threshold, Tensor):
        return coefficients * (1 - threshold / torch.maximum(size, threshold))
    return coefficients * size.clamp_(min=threshold).reciprocal_().mul_(-threshold).add_(1)


def shrink_derivative(
    coefficients: Tensor, direction: Tensor, threshold: Threshold, group: Group
) -> Tensor:
    """Derivative of `shrink` at ``coefficients`` applied to ``direction``.

    Where a group of size ``s`` survives: ``(1 - t/s) d + t/s³ ⟨c, d⟩ c``; elsewhere 0. The matrix
    is symmetric (a proximal operator is a gradient), so this is its adjoint too.
    """
    size = magnitude(coefficients, group)
    limit = torch.as_tensor(threshold, dtype=size.dtype, device=size.device)
    kept = size > limit
    safe = torch.maximum(size, limit)
    ratio = torch.where(kept, limit / safe, torch.ones_like(size))
    result = direction * (1 - ratio)
    along = _sum_over_groups(coefficients * direction, group)
    radial = torch.where(kept, ratio * along / safe.square(), 0)
    return result.addcmul_(coefficients, radial)


def threshold_derivative(coefficients: Tensor, threshold: Threshold, group: Group) -> Tensor:
    """Derivative of `shrink` in its threshold: ``-c / s`` where a group survives, elsewhere 0."""
    size = magnitude(coefficients, group)
    limit = torch.as_tensor(threshold, dtype=size.dtype, device=size.device)
    return -coefficients * torch.where(size > limit, 1 / torch.maximum(size, limit), 0)


def project_to_ball(coefficients: Tensor, radius: Threshold, group: Group) -> Tensor:
    """Nearest point at which every group is at most ``radius`` long: the dual ball of the penalty."""
    size = magnitude(coefficients, group)
    if isinstance(radius, Tensor):
        return coefficients * (radius / torch.maximum(size, radius))
    return coefficients * size.clamp_(min=radius).reciprocal_().mul_(radius)


def penalty_value(coefficients: Tensor, group: Group, weights: Threshold = 1.0) -> Tensor:
    """``(B,)`` float64: ``Σ weight ‖·‖_group`` per image."""
    sizes = magnitude(coefficients, group) * weights
    if isinstance(group, Runs):
        counts = [1 / size for size in group.sizes for _ in range(size)]
        sizes = sizes * sizes.new_tensor(counts)[:, None, None, None]
    return sum_per_image(sizes)


def dual_norm(coefficients: Tensor, group: Group, weights: Threshold = 1.0) -> Tensor:
    """``(B,)``: the longest group per image, each divided by its weight."""
    return (magnitude(coefficients, group) / weights).flatten(1).amax(1)


def _sum_over_groups(values: Tensor, group: Group) -> Tensor:
    if isinstance(group, Runs):
        if group.axes:
            values = values.sum(dim=group.axes, keepdim=True)
        pieces = torch.split(values, list(group.sizes), dim=1)
        return torch.cat([piece.sum(1, keepdim=True).expand_as(piece) for piece in pieces], dim=1)
    return values.sum(dim=group, keepdim=True) if group else values
