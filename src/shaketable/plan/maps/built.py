"""What settings of a forward map make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shaketable.errors import InputError
from shaketable.maps import SamplingSequence, ViewSequence
from shaketable.protocols import ForwardMap


@dataclass(frozen=True, kw_only=True)
class BuiltMap:
    """A forward map, and the nested pattern it belongs to where there is one."""

    forward: ForwardMap
    sequence: SamplingSequence | ViewSequence | None = None
    rate: float | None = None


class MapSettings(Protocol):
    """Settings of a forward map: a frozen dataclass with this method; nothing is inherited."""

    def build(self, shape: tuple[int, int]) -> ForwardMap | BuiltMap:
        """The map for images of a shape ``(H, W)``; with its pattern, if it has other rates too.

        Raises
        ------
        InputError
            If there is no such map; its ``field`` names the setting that is wrong.
        """
        ...


def require_one(where: str, first: tuple[str, object], second: tuple[str, object]) -> None:
    """Raise an `InputError` unless exactly one of two settings is given.

    Examples
    --------
    >>> require_one("a Fourier map", ("sampling", None), ("mask", None))
    Traceback (most recent call last):
    shaketable.errors.InputError: Expected either sampling or mask in a Fourier map, got neither; \
give one of the two.
    """
    n_given = sum(value is not None for _, value in (first, second))
    if n_given != 1:
        raise InputError(
            f"Expected either {first[0]} or {second[0]} in {where}, got "
            f"{'both' if n_given else 'neither'}; give one of the two.",
            field="",
        )
