"""Files of weights: ours (safetensors), state dictionaries, and the authors' archives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from shaketable.errors import WeightsError
from shaketable.files import whole_file


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """How the authors of a network published its weights.

    Parameters
    ----------
    suffix
        Ending of the file, such as ``.npz``.
    read
        Reads the file into a state dictionary of our network; raises
        :class:`shaketable.errors.WeightsError` in one sentence.
    """

    suffix: str
    read: Callable[[Path], dict[str, Tensor]]


def save_weights(model: nn.Module, path: Path, *, dtype: torch.dtype | None = None) -> None:
    """Write the parameters of a network as safetensors, whole or not at all.

    Parameters
    ----------
    model
        The network.
    path
        The file.
    dtype
        Precision to store them in; their own if not given.
    """
    from safetensors.torch import save

    state = model.state_dict()
    tensors = {name: value.detach().cpu().to(dtype).contiguous() for name, value in state.items()}
    with whole_file(path) as temporary:
        temporary.write_bytes(save(tensors))


def read_weights(path: Path, published: PublishedFile | None = None) -> dict[str, Tensor]:
    """Read a file of weights into a state dictionary.

    Parameters
    ----------
    path
        ``.safetensors``; ``.pt`` or ``.pth`` with a state dictionary or a training checkpoint (whose
        averaged weights are taken); or the authors' file. Nothing in any of them is executed.
    published
        How to read the authors' file of the network.

    Raises
    ------
    WeightsError
        If the file is missing, damaged, or of another kind.
    """
    if not path.is_file():
        raise WeightsError(
            f"Expected a file of weights at '{path}', got nothing there; check the path."
        )
    if published is not None and path.suffix == published.suffix:
        return published.read(path)
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if path.suffix in (".pt", ".pth"):
        return _read_state(path)
    theirs = "" if published is None else f" or the authors' {published.suffix}"
    raise WeightsError(
        f"Expected .safetensors, .pt, .pth{theirs}, got '{path}'; convert it to one of these."
    )


def fill(model: nn.Module, state: dict[str, Tensor], path: Path, title: str) -> None:
    """Put a state dictionary into a network, which is unchanged if it does not fit.

    Parameters
    ----------
    model
        The network to fill.
    state
        As :func:`read_weights` returns it.
    path, title
        The file and the network, for the message.

    Raises
    ------
    WeightsError
        If tensors are missing, too many, of other shapes, or not finite.
    """
    _check(model.state_dict(), state, path, title)
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
    if isinstance(contents, dict) and isinstance(contents.get("weights"), dict):
        contents = contents["weights"]
    if not isinstance(contents, dict) or not all(isinstance(v, Tensor) for v in contents.values()):
        raise WeightsError(
            f"Expected a state dictionary of tensors in '{path}', got other objects; "
            "save it with torch.save(model.state_dict(), path)."
        )
    return contents


def _check(expected: dict[str, Tensor], got: dict[str, Tensor], path: Path, title: str) -> None:
    missing = sorted(set(expected) - set(got))
    unknown = sorted(set(got) - set(expected))
    if missing or unknown:
        one = f"lacks '{missing[0]}'" if missing else f"has '{unknown[0]}' too many"
        raise WeightsError(
            f"Expected the {len(expected)} tensors of {title} in '{path}', got {len(got)}: it "
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
