"""Loaded images as one batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.io.images import LoadedImage


def stacked(loaded: Sequence[LoadedImage]) -> Tensor:
    """``(N, H, W)``, complex64 where an image is complex, else float32.

    Raises
    ------
    InputError
        If their shapes differ.
    """
    shapes = {image.array.shape: image.source for image in loaded}
    if len(shapes) > 1:
        some = ", ".join(f"{shape} in '{source}'" for shape, source in list(shapes.items())[:2])
        raise InputError(
            f"Expected images of one shape, got {some}; give the field shape to resize them."
        )
    values = np.stack([image.array for image in loaded])
    kind = np.complex64 if np.iscomplexobj(values) else np.float32
    return torch.from_numpy(values.astype(kind))
