"""Names that are imported when they are first used, so that a room can be entered without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazily(room: str, where: Mapping[str, str]) -> Callable[[str], Any]:
    """A module's ``__getattr__`` that finds its names in other modules.

    Parameters
    ----------
    room
        The module's name.
    where
        Name -> module that defines it.

    Examples
    --------
    >>> find = lazily("here", {"sqrt": "math"})
    >>> find("sqrt")(9)
    3.0
    """

    def find(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return getattr(import_module(where[name]), name)

    return find
