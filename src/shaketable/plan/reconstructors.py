"""Reconstructors that a plan names as Python objects: networks, and reference methods of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from shaketable.errors import InputError
from shaketable.plan.objects import call_with, find_object, takes_two
from shaketable.plan.weights import put_weights, read_weights
from shaketable.protocols import Reconstructor
from shaketable.settings import about


def load_reconstructor(
    name: str, folder: Path, arguments: Mapping[str, Any], weights: Path | None
) -> Reconstructor:
    """Import a reconstructor ``f(y, A)``: a function, a module, or a class that is made here.

    Raises
    ------
    InputError
        If it cannot be found, made or given its weights, or is no ``f(y, A)``; the error's ``field``
        says which of ``object``, ``arguments`` and ``weights`` is wrong.
    """
    # Networks without weights are random: the same ones must come back when a run is replayed.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found = _made(name, folder, arguments)
    with about("object"):
        _require_reconstructor(found, name)
    if weights is not None:
        with about("weights"):
            if not isinstance(found, nn.Module):
                raise InputError(
                    f"Expected a torch module to put weights into, got {type(found).__name__} "
                    f"'{name}'; remove the field weights or name the module."
                )
            put_weights(found, read_weights(weights), weights)
            found.eval()
    reconstruct: Reconstructor = found
    return reconstruct


def _made(name: str, folder: Path, arguments: Mapping[str, Any]) -> Any:
    """The object that a plan names; a class is made into an instance, in evaluation mode."""
    with about("object"):
        found = find_object(name, folder)
    if isinstance(found, type):
        with about("arguments" if arguments else "object"):
            found = call_with(found, name, arguments)
        return found.eval() if isinstance(found, nn.Module) else found
    if arguments:
        raise InputError(
            f"Expected a class to give the arguments to, got {type(found).__name__} '{name}'; "
            "remove the field arguments or name a class.",
            field="arguments",
        )
    return found


def _require_reconstructor(found: Any, name: str) -> None:
    if not callable(found):
        raise InputError(
            f"Expected a callable f(y, A) from '{name}', got {type(found).__name__}; "
            "name a function or a torch module."
        )
    if not takes_two(found.forward if isinstance(found, nn.Module) else found):
        raise InputError(
            f"Expected a callable f(y, A) from '{name}', got one that does not take two "
            "arguments; wrap it: def f(y, A): return network(A.adjoint(y))."
        )
