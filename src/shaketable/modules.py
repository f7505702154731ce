"""The torch modules behind a reconstructor: their mode, their statistics."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

import torch


def reachable_modules(reconstruct: object) -> Iterator[torch.nn.Module]:
    """Modules that a reconstructor is, is bound to, holds, closes over or names as a global.

    Parameters
    ----------
    reconstruct
        Any callable: a module, a method, a function, ``functools.partial``, an object with
        modules among its attributes.
    """
    owners: list[object] = [reconstruct, getattr(reconstruct, "__self__", None)]
    candidates: list[object] = []
    if isinstance(reconstruct, functools.partial):
        owners.append(reconstruct.func)
        candidates += [*reconstruct.args, *reconstruct.keywords.values()]
    for owner in owners:
        candidates += [owner, *getattr(owner, "__dict__", {}).values()]
        candidates += _closed_over(owner)
    seen: set[int] = set()
    for candidate in candidates:
        if isinstance(candidate, torch.nn.Module) and id(candidate) not in seen:
            seen.add(id(candidate))
            yield candidate


def _closed_over(function: object) -> Iterator[object]:
    """What a function reads from around it: cells and globals."""
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a cell that was never filled
            continue
    code = getattr(function, "__code__", None)
    if code is not None:
        around = getattr(function, "__globals__", {})
        yield from (around.get(name) for name in code.co_names)


def layers_in_training_mode(reconstruct: object) -> list[str]:
    """Names of batch-normalisation and dropout layers in training mode that can be reached."""
    found: list[str] = []
    for module in reachable_modules(reconstruct):
        for name, layer in module.named_modules():
            batch_norm = isinstance(layer, torch.nn.modules.batchnorm._BatchNorm)
            dropout = isinstance(layer, torch.nn.modules.dropout._DropoutNd)
            if layer.training and ((batch_norm and layer.track_running_stats) or dropout):
                found.append(name or type(layer).__name__)
    return found


@contextlib.contextmanager
def statistics_kept(reconstruct: object) -> Iterator[None]:
    """Put buffers back as they were: looking at a network in training mode must not train it."""
    buffers = [buffer for module in reachable_modules(reconstruct) for buffer in module.buffers()]
    saved = [buffer.detach().clone() for buffer in buffers]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in zip(buffers, saved, strict=True):
                buffer.copy_(value)
