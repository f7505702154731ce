"""Deep MRI's weights as its authors published them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shaketable.errors import WeightsError

_N_CASCADES = 5
_CHANNELS = (2, 64, 64, 64, 64, 2)
_FILE = "the published file of Deep MRI (d5_c5.npz)"


def read_published(path: Path) -> dict[str, Tensor]:
    """Read ``d5_c5.npz`` into a state dictionary of :class:`shaketable.zoo.deep_mri.network.DeepMRI`.

    The file holds ``arr_0`` to ``arr_49``: weight ``(out, in, 3, 3)`` and bias ``(out,)`` of 25
    convolutions in the order in which they are applied. They are correlations, as in PyTorch: no
    kernel is flipped. Read without pickle.

    Parameters
    ----------
    path
        The ``.npz`` file.

    Raises
    ------
    WeightsError
        If the file is no such archive, or an array is missing, too many or of another shape.

    References
    ----------
    Schlemper et al.: public repository js3611/Deep-MRI-Reconstruction, Apache-2.0.
    """
    shapes = _shapes()
    try:
        # Opened here: NumPy leaves the file open when the archive in it is damaged.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            names = set(archive.files)
            expected = {f"arr_{number}" for number in range(len(shapes))}
            if names != expected:
                raise WeightsError(
                    f"Expected {_FILE} with arr_0 to arr_{len(shapes) - 1} in '{path}', got "
                    f"{len(names)} arrays with other names; it is another network's file."
                )
            arrays = [archive[f"arr_{number}"] for number in range(len(shapes))]
    except (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile) as error:
        if isinstance(error, WeightsError):
            raise
        raise WeightsError(
            f"Expected {_FILE} in '{path}', got a file that is damaged or holds Python objects; "
            "fetch it again."
        ) from error
    return {
        name: _tensor(array, shape, number, path)
        for number, (array, (name, shape)) in enumerate(zip(arrays, shapes.items(), strict=True))
    }


def _shapes() -> dict[str, tuple[int, ...]]:
    """Name in our network -> shape, in the order of the file."""
    shapes: dict[str, tuple[int, ...]] = {}
    for cascade in range(_N_CASCADES):
        for layer, n_out in enumerate(_CHANNELS[1:]):
            name = f"cascades.{cascade}.convolutions.{layer}"
            shapes[f"{name}.weight"] = (n_out, _CHANNELS[layer], 3, 3)
            shapes[f"{name}.bias"] = (n_out,)
    return shapes


def _tensor(array: npt.NDArray[Any], shape: tuple[int, ...], number: int, path: Path) -> Tensor:
    if array.shape != shape or array.dtype.kind != "f":
        raise WeightsError(
            f"Expected {_FILE} in '{path}' with floating-point arr_{number} of shape {shape}, got "
            f"{array.dtype} of shape {array.shape}; it is another network's file."
        )
    return torch.from_numpy(array.astype(np.float32))
