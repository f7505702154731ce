"""FBPConvNet's weights as its authors published them: a MatConvNet network in a MATLAB file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shaketable.errors import WeightsError
from shaketable.zoo.fbp_conv_net.network import FBPConvNet, NormalizedConvolution

if TYPE_CHECKING:
    import h5py

Array = npt.NDArray[Any]

_FILE = "the published file of FBPConvNet (MatConvNet, MATLAB 7.3)"
# Layers without weights; where they stand follows from the convolutions.
_SILENT = frozenset({"relu", "pool", "reg_toss", "reg_concat", "euclideanloss", "loss"})
# Rows and columns cut off after a transposed convolution: top, bottom, left, right.
_CROP = (0, 1, 0, 1)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer with weights.

    Parameters
    ----------
    kind
        ``conv``, ``convt`` or ``bnorm``.
    weights
        Arrays with MATLAB's axes reversed, as HDF5 has them.
    crop
        Of a transposed convolution; None where the file does not state it.
    """

    kind: str
    weights: tuple[Array, ...]
    crop: tuple[int, ...] | None = None


def read_matconvnet(path: Path) -> dict[str, Tensor]:
    """Read ``net.layers{}`` into a state dictionary of :class:`FBPConvNet`.

    Convolutions are correlations with filters ``(H, W, in, out)`` in MATLAB, transposed ones have
    ``(H, W, out, in)``; HDF5 shows both with the axes reversed. Batch normalisation has a multiplier, a
    bias and the moments of training, which the published programs do not use: they normalise by the
    statistics of the image, and so does :class:`FBPConvNet`. The width is that of the file.

    Parameters
    ----------
    path
        The ``.mat`` file, saved with ``-v7.3``.

    Raises
    ------
    WeightsError
        If the file is of another kind, damaged, or of another network.

    References
    ----------
    Jin et al.: public repository panakino/FBPConvNet; the format: Vedaldi, Lenc: MatConvNet (2015).
    """
    layers = _layers(path)
    slots = list(_slots(_width(layers, path)))
    if [layer.kind for layer in layers] != [kind for kind, _ in slots]:
        raise WeightsError(
            f"Expected {_FILE} in '{path}' with {len(slots)} layers of weights in the order of the "
            f"network, got {len(layers)} in another; it is another network's file."
        )
    state: dict[str, Tensor] = {}
    for layer, (kind, name) in zip(layers, slots, strict=True):
        if kind == "bnorm":
            _require(len(layer.weights) >= 2, path, f"{name} with multiplier and bias")
            state[f"{name}.weight"] = _vector(layer.weights[0])
        else:
            _require(len(layer.weights) == 2, path, f"{name} with filters and bias")
            crops = layer.crop is None or layer.crop == _CROP
            _require(crops, path, f"{name} cropped by {_CROP}")
            state[f"{name}.weight"] = _filters(layer.weights[0])
        state[f"{name}.bias"] = _vector(layer.weights[1])
    # As published, the correction is not scaled with the image.
    state["scaling"] = torch.tensor(0.0)
    return state


def _slots(width: int) -> Iterator[tuple[str, str]]:
    """Kind and name of every layer with weights, in the order in which they are applied."""
    with torch.device("meta"):
        network = FBPConvNet(width)
    kinds = {True: "convt", False: "conv"}

    def blocks(prefix: str, module: torch.nn.Module) -> Iterator[tuple[str, str]]:
        for name, block in module.named_modules(prefix=prefix):
            if isinstance(block, NormalizedConvolution):
                transposed = isinstance(block.convolution, torch.nn.ConvTranspose2d)
                yield kinds[transposed], f"{name}.convolution"
                yield "bnorm", f"{name}.normalization"

    yield from blocks("down", network.down)
    for number, (enlarge, convolutions) in enumerate(zip(network.enlarge, network.up, strict=True)):
        yield from blocks(f"enlarge.{number}", enlarge)
        yield from blocks(f"up.{number}", convolutions)
    yield "conv", "last"


def _width(layers: list[Layer], path: Path) -> int:
    first = layers[0].weights[:1] if layers else ()
    _require(bool(first) and first[0].ndim >= 3, path, "filters in its first layer")
    return int(first[0].shape[0])


def _layers(path: Path) -> list[Layer]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            found = (
                _layer(file, reference, path) for reference in _cells(file, file["net/layers"])
            )
            return [layer for layer in found if layer is not None]
    except WeightsError:
        raise
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise WeightsError(
            f"Expected {_FILE} with net.layers in '{path}', got a file that cannot be read as one; "
            "save it in MATLAB with save(..., 'net', '-v7.3')."
        ) from error


def _cells(file: h5py.File, cell: h5py.Dataset) -> list[Any]:
    """What the cells of a MATLAB cell array hold, in their order."""
    return [file[reference] for reference in np.asarray(cell[()]).reshape(-1)]


def _layer(file: h5py.File, group: h5py.Group, path: Path) -> Layer | None:
    kind = "".join(chr(int(code)) for code in np.asarray(group["type"][()]).reshape(-1))
    if kind in _SILENT:
        return None
    _require(kind in ("conv", "convt", "bnorm"), path, f"no layer of the type '{kind}'")
    weights = tuple(np.asarray(values[()]) for values in _cells(file, group["weights"]))
    crop = None
    if kind == "convt" and "crop" in group:
        crop = tuple(int(value) for value in np.asarray(group["crop"][()]).reshape(-1))
    return Layer(kind=kind, weights=weights, crop=crop)


def _filters(values: Array) -> Tensor:
    """``(out, in, W, H)`` or ``(in, out, W, H)`` -> the same with height before width."""
    # MATLAB drops trailing axes of length one, which come first here.
    values = values.reshape((1,) * (4 - values.ndim) + values.shape)
    return torch.from_numpy(np.ascontiguousarray(values.swapaxes(2, 3)).astype(np.float32))


def _vector(values: Array) -> Tensor:
    return torch.from_numpy(values.reshape(-1).astype(np.float32))


def _require(condition: bool, path: Path, what: str) -> None:
    if not condition:
        raise WeightsError(
            f"Expected {_FILE} in '{path}', {what}, got something else; it is another network's file."
        )
