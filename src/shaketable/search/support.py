"""Subspaces that perturbations may be confined to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from shaketable.errors import InputError


class Subspace(Protocol):
    """A linear subspace with orthonormal coordinates."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the coordinates of one image."""
        ...

    def embed(self, coordinates: Tensor) -> Tensor:
        """``(B, *shape)`` coordinates -> ``(B, *perturbation_shape)``; keeps the l2 norm."""
        ...

    def coordinates(self, perturbation: Tensor) -> Tensor:
        """``(B, *perturbation_shape)`` -> the coordinates of its orthogonal projection."""
        ...


@dataclass(frozen=True, eq=False)
class LowFrequencies:
    """Smooth images: the ``n x n`` lowest frequencies of the orthonormal cosine transform (DCT-II).

    Parameters
    ----------
    image_shape
        ``(H, W)``.
    n
        Frequencies per axis, at most the shorter side.

    Examples
    --------
    >>> import torch
    >>> smooth = LowFrequencies((8, 8), 3)
    >>> z = torch.randn(2, 3, 3)
    >>> torch.allclose(smooth.coordinates(smooth.embed(z)), z, atol=1e-5)
    True
    """

    image_shape: tuple[int, int]
    n: int

    def __post_init__(self) -> None:
        if len(self.image_shape) != 2 or not 1 <= self.n <= min(self.image_shape):
            raise InputError(
                f"Expected images of two dimensions and 1 to {min(self.image_shape)} frequencies per "
                f"axis, got shape {tuple(self.image_shape)} and n={self.n}; lower n."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """``(n, n)``."""
        return (self.n, self.n)

    def embed(self, coordinates: Tensor) -> Tensor:
        """``(B, n, n) -> (B, H, W)``."""
        rows, columns = (_cosines(length, self.n, coordinates) for length in self.image_shape)
        return rows.mT @ coordinates @ columns

    def coordinates(self, perturbation: Tensor) -> Tensor:
        """``(B, H, W) -> (B, n, n)``."""
        rows, columns = (_cosines(length, self.n, perturbation) for length in self.image_shape)
        return rows @ perturbation @ columns.mT


@dataclass(frozen=True, eq=False)
class Span:
    """The span of given directions, for example differences between images.

    Parameters
    ----------
    basis
        ``(k, *perturbation_shape)`` with orthonormal rows; `Span.of` makes one from any directions.

    Raises
    ------
    InputError
        If the rows are not orthonormal: the norm of coordinates would not be that of perturbations,
        and a search would leave its ball.
    """

    basis: Tensor

    def __post_init__(self) -> None:
        if not isinstance(self.basis, Tensor) or self.basis.ndim < 2 or not len(self.basis):
            raise InputError(
                "Expected a basis (k, *perturbation_shape) with at least one row; Span.of(directions) "
                "makes one from any directions."
            )
        rows = self.basis.flatten(1)
        gram = rows @ rows.mH
        wrong = float(
            (gram - torch.eye(len(rows), dtype=gram.dtype, device=gram.device)).abs().max()
        )
        # Written so that a NaN fails; single precision stays far below the limit.
        if not wrong <= 1e-4:
            raise InputError(
                "Expected a basis with orthonormal rows, got one whose inner products are wrong by "
                f"{wrong:.2g}; Span.of(directions) makes one from any directions."
            )

    @classmethod
    def of(cls, directions: Tensor) -> Span:
        """The span of ``(k, *perturbation_shape)`` directions, orthonormalised; dependent ones go.

        Raises
        ------
        InputError
            If there is no direction other than zero.

        Examples
        --------
        >>> import torch
        >>> Span.of(torch.tensor([[1.0, 1.0, 0.0], [2.0, 2.0, 0.0]])).shape
        (1,)
        """
        if directions.numel() == 0 or not bool(torch.isfinite(directions.abs()).all()):
            raise InputError(
                f"Expected finite directions, at least one, got shape {tuple(directions.shape)}"
                f"{' with NaN or infinity' if directions.numel() else ''}; of images at least two."
            )
        _, values, right = torch.linalg.svd(directions.flatten(1), full_matrices=False)
        tolerance = values.max() * max(directions.shape) * torch.finfo(directions.dtype).eps
        kept = values > tolerance
        if not bool(kept.any()):
            raise InputError("Expected directions that span something, got zeros; choose others.")
        return cls(basis=right[kept].reshape(-1, *directions.shape[1:]))

    @classmethod
    def of_differences(cls, images: Tensor) -> Span:
        """The span of the differences between ``(n, *image_shape)`` images, for n of at least 2."""
        return cls.of(images[1:] - images[:1])

    @property
    def shape(self) -> tuple[int, ...]:
        """``(k,)``."""
        return (len(self.basis),)

    def embed(self, coordinates: Tensor) -> Tensor:
        """``(B, k) -> (B, *perturbation_shape)``."""
        result: Tensor = torch.tensordot(coordinates, self._basis(coordinates), dims=1)
        return result

    def coordinates(self, perturbation: Tensor) -> Tensor:
        """``(B, *perturbation_shape) -> (B, k)``."""
        return perturbation.flatten(1) @ self._basis(perturbation).flatten(1).mH

    def _basis(self, like: Tensor) -> Tensor:
        return self.basis.to(like.device, torch.promote_types(self.basis.dtype, like.dtype))


def _cosines(length: int, n: int, like: Tensor) -> Tensor:
    """``(n, length)`` the first rows of the orthonormal DCT-II matrix."""
    sample = torch.arange(length, dtype=torch.float64) + 0.5
    frequency = torch.arange(n, dtype=torch.float64)[:, None]
    matrix = torch.cos(math.pi * frequency * sample / length) * math.sqrt(2 / length)
    matrix[0] /= math.sqrt(2)
    return matrix.to(like.device, like.dtype)
