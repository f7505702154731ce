"""AUTOMAP's weights as its authors gave them to the paper: HDF5."""

from __future__ import annotations

from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shaketable.errors import WeightsError

Array = npt.NDArray[Any]

_KIND = "AUTOMAP's weights (HDF5 with W1_fc ... b1_dcv)"
_POINTS = "k_mask_idx.mat"
_DIMENSIONS = {
    "W1_fc": 2, "b1_fc": 1, "W2_fc": 2, "b2_fc": 1, "W1_cnv": 4, "b1_cnv": 1, "W2_cnv": 4,
    "b2_cnv": 1, "W1_dcv": 4, "b1_dcv": 1,
}  # fmt: skip
_OURS = {"fc": "dense", "cnv": "convolution", "dcv": "transposed"}


def read_automap(path: Path) -> dict[str, Tensor]:
    """Read the published file into a state dictionary of :class:`shaketable.zoo.automap.network.AUTOMAP`.

    TensorFlow's layouts: dense ``[in, out]``, convolutions ``[H, W, in, out]``, the transposed one
    ``[H, W, out, in]``. The published network makes the image transposed and turns it at the end;
    here its weights are turned instead. The order of its points is in a second file,
    ``k_mask_idx.mat`` (``idx1`` rows, ``idx2`` columns, from 0), which has to lie beside the first.

    Parameters
    ----------
    path
        The ``.h5`` file.

    Raises
    ------
    WeightsError
        If a file or an array is missing or has another shape.

    References
    ----------
    Antun et al.: public repository vegarant/Invfool, which loads these files.
    """
    arrays = _read_arrays(path)
    side = _side(arrays, path)
    state = {"positions": torch.from_numpy(_read_points(path.with_name(_POINTS), side))}
    if 2 * len(state["positions"]) != arrays["W1_fc"].shape[0]:
        raise WeightsError(
            f"Expected {arrays['W1_fc'].shape[0] // 2} points in '{path.with_name(_POINTS)}' for the "
            f"first layer in '{path}', got {len(state['positions'])}; the files belong to different "
            "networks."
        )
    for name, array in arrays.items():
        kind, number = name.split("_")[1], name[1]
        layer = _OURS[kind] + ("" if kind == "dcv" else number)
        part = "weight" if name.startswith("W") else "bias"
        state[f"{layer}.{part}"] = _tensor(name, array, side)
    return state


def _read_arrays(path: Path) -> dict[str, Array]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            arrays = {name: np.asarray(file[name], dtype=np.float32) for name in _DIMENSIONS}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"Expected {_KIND} in '{path}', got a file that cannot be read or lacks an array; "
            "fetch it again."
        ) from error
    for name, n_dimensions in _DIMENSIONS.items():
        if arrays[name].ndim != n_dimensions:
            raise WeightsError(
                f"Expected {_KIND} in '{path}' with {n_dimensions} dimensions in '{name}', got shape "
                f"{arrays[name].shape}; it is another network's file."
            )
    return arrays


def _side(arrays: dict[str, Array], path: Path) -> int:
    n_pixels: int = arrays["W2_fc"].shape[1]
    side = isqrt(n_pixels)
    if side**2 != n_pixels or arrays["b2_fc"].shape != (n_pixels,):
        raise WeightsError(
            f"Expected {_KIND} in '{path}' of square images, got {n_pixels} pixels; it is another "
            "network's file."
        )
    return side


def _read_points(path: Path, side: int) -> npt.NDArray[np.float32]:
    from scipy.io import loadmat

    try:
        contents = loadmat(path)
        rows, columns = (np.asarray(contents[name]).ravel() for name in ("idx1", "idx2"))
        points = np.stack([rows, columns], axis=1).astype(np.float32)
    except (OSError, KeyError, ValueError, TypeError, NotImplementedError) as error:
        raise WeightsError(
            f"Expected the order of AUTOMAP's points in '{path}' (idx1, idx2), got none that can be "
            "read; keep the published k_mask_idx.mat beside the weights."
        ) from error
    if points.min() < 0 or points.max() >= side or not (points == 0).all(axis=1).any():
        raise WeightsError(
            f"Expected points from 0 to {side - 1} in '{path}', DC among them, got others; it is the "
            "file of another network."
        )
    return points


def _tensor(name: str, array: Array, side: int) -> Tensor:
    if name == "W2_fc":
        array = _turned(array.T, side)
    elif name == "b2_fc":
        array = _turned(array, side)
    elif array.ndim == 2:
        array = array.T
    elif array.ndim == 4:
        # [H, W, a, b] -> [b, a, W, H]: their layout and, as the image is turned, its kernels.
        array = array.transpose(3, 2, 1, 0)
    return torch.from_numpy(np.array(array, dtype=np.float32, order="C"))


def _turned(array: Array, side: int) -> Array:
    """Pixels column by column -> row by row, along the first axis."""
    rest = array.shape[1:]
    turned: Array = array.reshape(side, side, *rest).swapaxes(0, 1).reshape(-1, *rest)
    return turned
