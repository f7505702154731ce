"""Parts of a batch on processor threads, for images that share no work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

CACHE_BYTES = 2 * 2**20
"""Coils that are transformed at once: measured best for 64 to 256 pixels a side."""

SHARED_CACHE_BYTES = 4 * CACHE_BYTES
"""Images that a thread iterates together: measured best for coils; single coils do not care."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def on_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """``[function(item) for item in items]`` without gradients, on as many threads as PyTorch has.

    PyTorch shares the arithmetic of one small image among its threads badly; whole images it shares
    well. Inside, every operation has one thread, so nothing is computed in another order.

    Parameters
    ----------
    function
        Must be safe to call from several threads.
    items
        What to call it with.

    Examples
    --------
    >>> on_threads(lambda x: 2 * x, [1, 2, 3])
    [2, 4, 6]
    """

    def called(item: Item) -> Result:
        with torch.no_grad():  # a new thread starts with gradients
            return function(item)

    n_threads = torch.get_num_threads()
    if n_threads == 1 or len(items) == 1:
        return [called(item) for item in items]
    try:
        with ThreadPoolExecutor(
            min(n_threads, len(items)), initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:
            return list(pool.map(called, items))
    finally:
        # Some of what a thread sets for itself holds for the whole process.
        torch.set_num_threads(n_threads)
