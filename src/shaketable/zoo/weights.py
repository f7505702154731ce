"""Files of weights: ours (safetensors), state dictionaries, and the authors' archives."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from shaketable.errors import WeightsError
from shaketable.files import whole_file
from shaketable.zoo.published import read_published

_KINDS = ".safetensors, .pt, .pth or the authors' .npz"


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the parameters of a network as safetensors, whole or not at all."""
    from safetensors.torch import save

    state = model.state_dict()
    tensors = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    with whole_file(path) as temporary:
        temporary.write_bytes(save(tensors))


def load_weights(model: nn.Module, path: Path) -> None:
    """Fill a network from a file; the network is unchanged if the file does not fit.

    Parameters
    ----------
    model
        The network to fill.
    path
        ``.safetensors``; ``.pt`` or ``.pth`` with a state dictionary or a training checkpoint (whose
        averaged weights are taken); ``.npz`` as the authors of Deep MRI published it. Nothing in
        any of them is executed.

    Raises
    ------
    WeightsError
        If the file is missing, damaged, of another kind, or of another network.
    """
    if not path.is_file():
        raise WeightsError(
            f"Expected a file of weights at '{path}', got nothing there; check the path."
        )
    if path.suffix == ".npz":
        state = read_published(path)
    elif path.suffix == ".safetensors":
        state = _read_safetensors(path)
    elif path.suffix in (".pt", ".pth"):
        state = _read_state(path)
    else:
        raise WeightsError(f"Expected {_KINDS}, got '{path}'; convert it to one of these.")
    _check(model.state_dict(), state, path)
    model.load_state_dict(state)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"Expected a safetensors file in '{path}', got one that cannot be read; "
            "fetch or save it again."
        ) from error
    return state


def _read_state(path: Path) -> dict[str, Tensor]:
    try:
        contents = torch.load(path, map_location="cpu", weights_only=True)
    # torch.load answers damaged and foreign files with many kinds of error.
    except Exception as error:
        raise WeightsError(
            f"Expected a state dictionary of tensors in '{path}', got a file that is damaged or "
            "holds other objects; save it with torch.save(model.state_dict(), path)."
        ) from error
    if isinstance(contents, dict) and isinstance(contents.get("average"), dict):
        contents = contents["average"]
    if not isinstance(contents, dict) or not all(isinstance(v, Tensor) for v in contents.values()):
        raise WeightsError(
            f"Expected a state dictionary of tensors in '{path}', got other objects; "
            "save it with torch.save(model.state_dict(), path)."
        )
    return contents


def _check(expected: dict[str, Tensor], got: dict[str, Tensor], path: Path) -> None:
    missing = sorted(set(expected) - set(got))
    unknown = sorted(set(got) - set(expected))
    if missing or unknown:
        one = f"lacks '{missing[0]}'" if missing else f"has '{unknown[0]}' too many"
        raise WeightsError(
            f"Expected the {len(expected)} tensors of Deep MRI in '{path}', got {len(got)}: it "
            f"{one}; give a file of this network."
        )
    for name, value in expected.items():
        if got[name].shape != value.shape:
            raise WeightsError(
                f"Expected '{name}' of shape {tuple(value.shape)} in '{path}', got "
                f"{tuple(got[name].shape)}; give a file of this network."
            )
        if not got[name].is_floating_point() or not bool(got[name].isfinite().all()):
            raise WeightsError(
                f"Expected finite floating-point numbers in '{name}' of '{path}', got others; "
                "the file is damaged or its training diverged."
            )
