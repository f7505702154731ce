"""DAGAN's generator as its authors' program saves it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shaketable.errors import WeightsError
from shaketable.zoo.dagan.network import DAGAN
from shaketable.zoo.dagan.tensorlayer import read_arrays

Array = npt.NDArray[Any]

_KIND = "the generator of DAGAN (unet_refine.npz) of TensorLayer"
# Arrays of a layer: kernel and bias; shift, scale, mean and variance of a normalisation.
_CONVOLUTION = ("weight", "bias")
_NORM = ("bias", "weight", "running_mean", "running_var")
# A level has two convolutions and two normalisations; the first and the last on the way down lack
# theirs, and there is one more convolution at the end.
_N_ARRAYS_PER_LEVEL = 12
_N_ARRAYS_FEWER = 6


def read_dagan(path: Path) -> dict[str, Tensor]:
    """Read TensorLayer's file into a state dictionary of :class:`shaketable.zoo.dagan.network.DAGAN`.

    The arrays stand in the order in which the layers are made: convolution (kernel ``[H, W, in,
    out]``, bias), normalisation (shift, scale, running mean, running variance), level by level down
    and up, where kernels are ``[H, W, out, in]``, and the last convolution. Width and number of
    levels are read off the arrays.

    Parameters
    ----------
    path
        The ``.npz`` file; read without executing anything in it, see
        :func:`shaketable.zoo.dagan.tensorlayer.read_arrays`.

    Raises
    ------
    WeightsError
        If the file is no such list, or the arrays are those of another network.

    References
    ----------
    Yang et al.: public repository tensorlayer/DAGAN.
    """
    arrays = read_arrays(path)
    n_levels, rest = divmod(len(arrays) + _N_ARRAYS_FEWER, _N_ARRAYS_PER_LEVEL)
    if rest or n_levels < 5 or arrays[0].ndim != 4:
        raise WeightsError(
            f"Expected {_KIND} in '{path}', 90 arrays for 8 levels, got {len(arrays)}; "
            "it is another network's file."
        )
    names = _names(n_levels)
    shapes = DAGAN(arrays[0].shape[-1], n_levels).state_dict()
    state: dict[str, Tensor] = {}
    for number, (name, array) in enumerate(zip(names, arrays, strict=True)):
        tensor = _tensor(array)
        if tensor.shape != shapes[name].shape:
            raise WeightsError(
                f"Expected {_KIND} in '{path}' with '{name}' of shape {tuple(shapes[name].shape)} "
                f"as array {number}, got {tuple(tensor.shape)}; it is another network's file."
            )
        state[name] = tensor
    return state


def _names(n_levels: int) -> list[str]:
    """Names in our network in the order of creation in theirs."""

    def layer(name: str, parts: tuple[str, ...]) -> list[str]:
        return [f"generator.{name}.{part}" for part in parts]

    names = layer("down.0", _CONVOLUTION)
    for level in range(1, n_levels - 1):
        names += layer(f"down.{level}", _CONVOLUTION) + layer(f"down_norms.{level - 1}", _NORM)
    names += layer(f"down.{n_levels - 1}", _CONVOLUTION)
    for level in range(n_levels):
        names += layer(f"up.{level}", _CONVOLUTION) + layer(f"up_norms.{level}", _NORM)
    return names + layer("last", _CONVOLUTION)


def _tensor(array: Array) -> Tensor:
    """An array in PyTorch's order: kernels ``[H, W, a, b]`` become ``[b, a, H, W]``.

    That is (out, in) for a convolution and (in, out) for a transposed one, as both frameworks keep
    the two the other way round.
    """
    if array.ndim == 4:
        array = array.transpose(3, 2, 0, 1)
    return torch.from_numpy(np.array(array, dtype=np.float32, order="C"))
