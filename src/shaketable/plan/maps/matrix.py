"""A matrix from a file."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path

import torch

from shaketable.errors import InputError
from shaketable.maps import MatrixMap
from shaketable.plan.arrays import read_array
from shaketable.settings import about, require_whole


@dataclass(frozen=True, kw_only=True)
class MatrixSettings:
    """Settings of `shaketable.MatrixMap`.

    Parameters
    ----------
    file, key
        Where the matrix is, and which of the arrays there.
    image_shape, data_shape
        As in `shaketable.MatrixMap`; without the first, that of the images.
    """

    file: Path
    key: str | None = None
    image_shape: tuple[int, ...] | None = None
    data_shape: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("image_shape", "data_shape"):
            for side in getattr(self, name) or ():
                require_whole(name, side, at_least=1)

    def build(self, shape: tuple[int, int]) -> MatrixMap:
        """The map for images ``(H, W)``."""
        with about("file"):
            return self._read(shape)

    def _read(self, shape: tuple[int, int]) -> MatrixMap:
        matrix = torch.from_numpy(read_array(self.file, self.key, "a matrix"))
        if not (matrix.is_floating_point() or matrix.is_complex()):
            matrix = matrix.to(torch.float32)
        if matrix.ndim == 2 and self.image_shape is None and matrix.shape[1] != prod(shape):
            raise InputError(
                f"Expected a matrix with {prod(shape)} columns, one per pixel of images of shape "
                f"{shape}, got {matrix.shape[1]}; make the matrix for these images, or resize them "
                "with images.shape."
            )
        return MatrixMap(
            matrix, image_shape=self.image_shape or shape, data_shape=self.data_shape or None
        )
