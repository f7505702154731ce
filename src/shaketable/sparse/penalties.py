"""Sparsity penalties ``R(x) = Σ_groups ‖(K x)_group‖₂``: transform, shrinkage, dual ball.

Images are handled as real planes ``(B, R, H, W)``: ``R = 2`` (real and imaginary part) for complex
images, ``R = 1`` for real ones. Coefficients are ``(B, C, R, H, W)`` with ``C`` channels of the
transform, so that joint, separate and real penalties differ only in which axes share a magnitude.
"""

from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch import Tensor

Values = Literal["complex", "ri", "real"]
"""Complex magnitude shrunk jointly; real and imaginary part apart; real images."""


class Penalty(Protocol):
    """An analysis operator ``K`` with ``K* K`` diagonal in Fourier space, and groups of its output."""

    @property
    def group(self) -> tuple[int, ...]:
        """Axes of ``(B, C, R, H, W)`` coefficients whose entries share one magnitude."""
        ...

    @property
    def eigenvalues(self) -> Tensor:
        """``(H, W)``: ``K* K = F* diag(eigenvalues) F``, DC at ``[0, 0]``."""
        ...

    def analyse(self, planes: Tensor) -> Tensor:
        """``K``: ``(B, R, H, W) -> (B, C, R, H, W)``."""
        ...

    def adjoint(self, coefficients: Tensor) -> Tensor:
        """``K*``: ``(B, C, R, H, W) -> (B, R, H, W)``."""
        ...


def to_planes(image: Tensor, values: Values) -> Tensor:
    """``(B, H, W)`` complex -> ``(B, R, H, W)`` real."""
    if values == "real":
        return image.real[:, None].contiguous()
    return torch.stack([image.real, image.imag], dim=1)


def to_complex(planes: Tensor) -> Tensor:
    """``(B, R, H, W)`` real -> ``(B, H, W)`` complex."""
    if planes.shape[1] == 1:
        return torch.complex(planes[:, 0], torch.zeros_like(planes[:, 0]))
    return torch.complex(planes[:, 0], planes[:, 1])


def magnitude(coefficients: Tensor, group: tuple[int, ...]) -> Tensor:
    """Euclidean norm over each group, kept broadcastable to the coefficients."""
    if not group:
        return coefficients.abs()
    return coefficients.square().sum(dim=group, keepdim=True).sqrt_()


def shrink(coefficients: Tensor, threshold: float, group: tuple[int, ...]) -> Tensor:
    """Proximal operator of ``threshold * Σ ‖·‖_group``: each group loses ``threshold`` of length."""
    size = magnitude(coefficients, group).clamp_(min=threshold)
    return coefficients * size.reciprocal_().mul_(-threshold).add_(1)


def shrink_derivative(
    coefficients: Tensor, direction: Tensor, threshold: float, group: tuple[int, ...]
) -> Tensor:
    """Derivative of `shrink` at ``coefficients`` applied to ``direction``.

    Where a group of size ``s`` survives: ``(1 - t/s) d + t/s³ ⟨c, d⟩ c``; elsewhere 0. The matrix
    is symmetric (a proximal operator is a gradient), so this is its adjoint too.
    """
    size = magnitude(coefficients, group)
    kept = size > threshold
    ratio = torch.where(kept, threshold / size.clamp(min=threshold), torch.ones_like(size))
    result = direction * (1 - ratio)
    along = coefficients * direction
    if group:
        along = along.sum(dim=group, keepdim=True)
    radial = torch.where(kept, ratio * along / size.square().clamp(min=threshold**2), 0)
    return result.addcmul_(coefficients, radial)


def project_to_ball(coefficients: Tensor, radius: float, group: tuple[int, ...]) -> Tensor:
    """Nearest point at which every group is at most ``radius`` long: the dual ball of the penalty."""
    size = magnitude(coefficients, group).clamp_(min=radius)
    return coefficients * size.reciprocal_().mul_(radius)


def penalty_value(coefficients: Tensor, group: tuple[int, ...]) -> Tensor:
    """``(B,)`` float64: ``Σ ‖·‖_group`` per image."""
    return sum_per_image(magnitude(coefficients, group))


def dual_norm(coefficients: Tensor, group: tuple[int, ...]) -> Tensor:
    """``(B,)``: the longest group per image."""
    return magnitude(coefficients, group).flatten(1).amax(1)


def sum_per_image(values: Tensor) -> Tensor:
    """``(B, ...) -> (B,)`` in float64.

    Rows first, then their sums: the order of additions, and with it the last bit, does not depend
    on how many images are in the batch.
    """
    rows = values.to(torch.float64).sum(-1)
    return rows.flatten(1).sum(1)
