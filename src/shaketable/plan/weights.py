"""Weights for networks that users bring: safetensors, or a state dictionary without pickled code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from shaketable.errors import WeightsError
from shaketable.plan.suggestion import suggestion

_WRAPPERS = ("state_dict", "model_state_dict", "model")


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dictionary: ``.safetensors``, or what ``torch.save`` wrote.

    Files of ``torch.save`` are read with ``weights_only=True``: nothing in them is executed. A
    checkpoint that holds the dictionary under ``state_dict`` or ``model`` is understood.

    Raises
    ------
    WeightsError
        If there is no such file, or it holds something else.
    """
    if not path.is_file():
        siblings = [entry.name for entry in path.parent.glob("*")] if path.parent.is_dir() else []
        advice = suggestion(path.name, siblings, "correct the path, or train the network first.")
        raise WeightsError(f"Expected a file of weights '{path}', got nothing there; {advice}")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise WeightsError(
            f"Expected weights in '{path}', got a file that is damaged, of another kind, or holds "
            "pickled code; save model.state_dict() with safetensors or torch.save."
        ) from error
    for name in _WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(name), dict):
            found = found[name]
    if not isinstance(found, dict) or not all(isinstance(v, Tensor) for v in found.values()):
        raise WeightsError(
            f"Expected a state dictionary of tensors in '{path}', got {type(found).__name__}; "
            "save model.state_dict()."
        )
    return found


def put_weights(module: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Put a state dictionary into a module, all of it or nothing.

    Raises
    ------
    WeightsError
        If names or shapes differ, or values are not finite.
    """
    own = module.state_dict()
    missing = [name for name in own if name not in state]
    surplus = [name for name in state if name not in own]
    if missing or surplus:
        name = missing[0] if missing else surplus[0]
        what = "without" if missing else "with the unknown"
        advice = suggestion(
            name, surplus if missing else missing, "were they saved from this network?"
        )
        raise WeightsError(
            f"Expected the {len(own)} tensors of {type(module).__name__} in '{path}', got "
            f"{len(state)} {what} '{name}'; {advice}"
        )
    for name, value in own.items():
        if value.shape != state[name].shape:
            raise WeightsError(
                f"Expected '{name}' of shape {tuple(value.shape)} in '{path}', got "
                f"{tuple(state[name].shape)}; the arguments of {type(module).__name__} must be those "
                "it was trained with."
            )
        if not bool(torch.isfinite(state[name]).all()):
            raise WeightsError(
                f"Expected finite weights in '{path}', got NaN or infinity in '{name}'; "
                "use an earlier checkpoint of the training."
            )
    module.load_state_dict(state)
