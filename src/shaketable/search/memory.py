"""How many rows fit into memory at once, and gradient checkpointing."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint

from shaketable.modules import reachable_modules

_SHARE_OF_FREE = 0.4  # the rest is for the workspace of convolutions and for others
_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def rows_that_fit(evaluate: Callable[[], Tensor], n_rows: int, device: torch.device) -> int:
    """How many rows to evaluate together, from what one row keeps for its gradient.

    Parameters
    ----------
    evaluate
        Evaluates one row with gradients on.
    n_rows
        How many there are in all.
    device
        Whose memory counts.
    """
    if n_rows == 1:
        return 1
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor), torch.enable_grad():
        evaluate()
    per_row = max(2 * sum(kept.values()), 1)
    return max(1, min(n_rows, int(_SHARE_OF_FREE * _free_memory(device)) // per_row))


def _free_memory(device: torch.device) -> int:
    """Bytes that can be had on a device."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    try:
        with open("/proc/meminfo") as lines:  # noqa: PTH123  not a file on a disk
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 2 * 1024**3


@contextlib.contextmanager
def checkpointed(reconstruct: object, active: bool) -> Iterator[None]:
    """While it lasts, the blocks of the network are computed again on the way back.

    A block is a direct child of the network, or of the containers in it, so that about as much is
    kept as there are blocks. Values do not change.
    """
    replaced: list[nn.Module] = []
    if active:
        for module in reachable_modules(reconstruct):
            for block in _blocks(module):
                block.forward = _again(block.forward)
                replaced.append(block)
    try:
        yield
    finally:
        for block in replaced:
            del block.forward  # the class's own comes back


def _again(forward: Callable[..., Any]) -> Callable[..., Any]:
    def forward_again(*inputs: Any) -> Any:
        return checkpoint(forward, *inputs, use_reentrant=False)

    return forward_again


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    children = list(module.children())
    if len(children) == 1 and not isinstance(children[0], _CONTAINERS):
        yield from _blocks(children[0])
        return
    for child in children:
        if isinstance(child, nn.ModuleList | nn.ModuleDict) or (
            isinstance(child, nn.Sequential) and len(children) == 1
        ):
            yield from _blocks(child)
        elif any(True for _ in child.parameters()) and "forward" not in vars(child):
            yield child
