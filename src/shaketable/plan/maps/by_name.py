"""Maps that other things bring: a network of the zoo, or Python code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shaketable.errors import InputError
from shaketable.plan.objects import call_with, find_object, require_object_name
from shaketable.protocols import ForwardMap
from shaketable.settings import about


@dataclass(frozen=True, kw_only=True)
class ZooMap:
    """The map that the zoo network was trained for; the network brings it."""

    def build(self, shape: tuple[int, int]) -> ForwardMap:
        """There is none without such a network."""
        raise InputError(
            f"Expected a network of the zoo to bring its map for images {shape}, got another one; "
            "give a map of type fourier, multi-coil-fourier, radon, matrix or object."
        )


@dataclass(frozen=True, kw_only=True)
class ObjectMap:
    """A forward map made by Python code: an instance, a class, or a function that returns one.

    Parameters
    ----------
    object
        ``package.module:name``.
    arguments
        For the class or function.
    folder
        Where modules are looked for first.
    """

    object: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    folder: Path = Path()

    def __post_init__(self) -> None:
        require_object_name(self.object)

    def build(self, shape: tuple[int, int]) -> ForwardMap:  # noqa: ARG002
        """Import the map, or make it from the arguments."""
        with about("object"):
            return self._made()

    def _made(self) -> ForwardMap:
        found: Any = find_object(self.object, self.folder)
        if isinstance(found, type) or not isinstance(found, ForwardMap):
            if not callable(found):
                raise InputError(
                    f"Expected a forward map, or a function that makes one, from '{self.object}', "
                    f"got {type(found).__name__}; name another object."
                )
            found = call_with(found, self.object, self.arguments)
        if not isinstance(found, ForwardMap):
            lacking = [
                name
                for name in ("image_shape", "data_shape", "sampled", "__call__", "adjoint")
                if not hasattr(found, name)
            ]
            raise InputError(
                f"Expected a forward map from '{self.object}', got {type(found).__name__} without "
                f"{', '.join(lacking)}; return an object that has them."
            )
        return found
