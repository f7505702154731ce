"""Small complex problems with edges, texture and phase."""

from __future__ import annotations

import torch
from torch import Tensor

from shaketable.maps import FourierMap
from shaketable.maps.sampling import cartesian_variable_density


def scene(shape: tuple[int, int] = (32, 32), batch: int = 2, noise: float = 0.03) -> Tensor:
    """``(batch, *shape)`` complex128: blocks of different phase and some noise, all different."""
    generator = torch.Generator().manual_seed(5)
    height, width = shape
    image = torch.zeros(batch, height, width, dtype=torch.complex128)
    for index in range(batch):
        top = height // 8 + index
        image[index, top : top + height // 2, width // 6 : 3 * width // 4] = 1 + 0.5j
        image[index, height // 3 : height // 2, width // 3 : width // 2] = 1j - 0.2 * index
    return image + noise * torch.randn(image.shape, dtype=image.dtype, generator=generator)


def lines(shape: tuple[int, int] = (32, 32), rate: float = 0.4, seed: int = 1) -> FourierMap:
    return FourierMap(cartesian_variable_density(shape, seed=seed, n_center=4).mask(rate))
