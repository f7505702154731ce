"""A small plan with everything it names, to run as it stands or to spoil in one place."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

SIZE = 32
NETWORKS = """
    import torch

    def zero_filled(y, A):
        return A.adjoint(y)

    class Net(torch.nn.Module):
        # The zero-filled image and a small learned correction of it.
        def __init__(self, features=3):
            super().__init__()
            self.first = torch.nn.Conv2d(2, features, 3, padding=1)
            self.last = torch.nn.Conv2d(features, 2, 3, padding=1)

        def forward(self, y, A):
            image = A.adjoint(y)
            channels = torch.view_as_real(image).permute(0, 3, 1, 2)
            correction = self.last(torch.relu(self.first(channels))).permute(0, 2, 3, 1)
            return image + 0.1 * torch.view_as_complex(correction.contiguous())

    def one_argument(y):
        return y

    number = 3
"""
PLAN: Mapping[str, Any] = {
    "network": {"object": "networks:Net", "arguments": {"features": 4}},
    "map": {
        "type": "fourier",
        "sampling": {"pattern": "cartesian-variable-density", "rate": 0.5, "n_center": 4},
    },
    "images": {"path": "images.npy"},
    "baselines": {"total-variation": {"gap": 0.01}},
    "probes": {"worst_case": {"radii": [0.01, 0.02], "search": {"n_gradients": 4}, "n_random": 1}},
    "seed": 3,
}


def phantoms(n_images: int = 2, size: int = SIZE) -> np.ndarray[Any, Any]:
    """Smooth ellipses with something in them, ``(n, size, size)`` float32."""
    rows, columns = np.mgrid[:size, :size] / size - 0.5
    images = []
    for index in range(n_images):
        inside = (rows / 0.42) ** 2 + (columns / 0.36) ** 2 < 1
        texture = 0.7 + 0.2 * np.cos((9 + index) * rows) * np.sin(7 * columns)
        images.append(np.where(inside, texture, 0.0))
    return np.stack(images).astype(np.float32)


def plan_with(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The small plan with fields exchanged, by dotted name; None removes a field."""
    plan = copy.deepcopy(dict(PLAN))
    for name, value in (changes or {}).items():
        *parents, last = name.split(".")
        place = plan
        for parent in parents:
            place = place[parent]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return plan


def write_small_plan(folder: Path, changes: Mapping[str, Any] | None = None) -> Path:
    """Write the small plan, its images and its networks into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "networks.py").write_text(textwrap.dedent(NETWORKS))
    np.save(folder / "images.npy", phantoms())
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(plan_with(changes), sort_keys=False))
    return path
