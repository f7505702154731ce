"""The circulant metric that stands for ``A* A`` of maps without structure."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from shaketable.io import ellipse_phantoms
from shaketable.maps import RadonMap
from shaketable.sparse import TotalVariation
from shaketable.sparse.scaled_data import DataWeights, scaled_data

SHAPE = (16, 16)


@pytest.mark.parametrize(("n_views", "span"), [(3, math.pi), (7, math.pi), (9, math.pi / 2)])
def test_it_is_at_least_the_map_in_every_direction(n_views: int, span: float) -> None:
    forward = RadonMap(torch.arange(n_views) * span / n_views, SHAPE)
    term = scaled_data(
        forward(torch.ones(1, *SHAPE, dtype=torch.float64)), forward, "real", DataWeights()
    ).term
    units = torch.eye(256, dtype=torch.float64).reshape(256, *SHAPE)
    seen = term.map_planes(units[:, None]).flatten(1).numpy()
    root = np.fft.fft2(units.numpy(), norm="ortho").reshape(256, 256)
    symbol = term.bound.to(torch.float64).numpy().ravel()
    metric = (root.conj() @ np.diag(symbol) @ root.T).real
    smallest = np.linalg.eigvalsh(metric - seen @ seen.T)[0]
    assert smallest > -1e-6


def test_weak_regularisation_takes_few_iterations() -> None:
    # With a metric that is flat beyond a fifth of its largest value it takes 640.
    forward = RadonMap(torch.arange(10) * math.pi / 10, (64, 64))
    image = torch.from_numpy(ellipse_phantoms(1, (64, 64), seed=0)[0].array)[None]
    solution = TotalVariation(strength=1e-4, values="real", gap=1e-2).solve(forward(image), forward)
    assert bool(solution.converged)
    assert int(solution.n_iterations) <= 200
