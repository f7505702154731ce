"""Execute again what was stored: how a probe replays, and what comes of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from shaketable.errors import RunError
from shaketable.files import array_sha256
from shaketable.probes.probe import Array, Method, R

_AGREE = 1e-3  # relative; other machines and thread counts round differently


@dataclass(frozen=True, kw_only=True)
class Replay:
    """One stored measurement, executed again.

    Parameters
    ----------
    item, method, radius
        Which record; the radius is NaN where nothing of a stated size was added.
    stored_error, error
        What the record says and what came out now, ``‖f(A(x + r)) - f(A x)‖₂``; NaN where the
        reconstruction was not finite.
    hash_matches
        The stored image and perturbation are those that the record was made from.
    what
        In words what was executed, where it was no worst case.
    """

    item: str
    method: str
    radius: float
    stored_error: float
    error: float
    hash_matches: bool
    what: str = ""

    @property
    def agrees(self) -> bool:
        """Hashes and error (to 0.1 %, or not finite both times) are those of the record."""
        if math.isnan(self.stored_error):
            return self.hash_matches and not math.isfinite(self.error)
        scale = max(abs(self.stored_error), 1e-12)
        return self.hash_matches and abs(self.error - self.stored_error) <= _AGREE * scale


@dataclass(frozen=True, kw_only=True)
class StoredCase(Generic[R]):
    """What is stored of one method on one image.

    Parameters
    ----------
    item
        Of the records.
    records
        In stored order, at least one.
    method
        The reconstructor, made again.
    find
        Gives a stored array by name, or None.
    dtype
        Of the image in the run; arrays are stored in single precision.
    image_sha256
        Hash of the image that was tested.
    seed
        Of this probe on this image.
    """

    item: str
    records: Sequence[R]
    method: Method
    find: Callable[[str], Array | None]
    dtype: torch.dtype
    image_sha256: str
    seed: int

    def array(self, name: str) -> Array:
        """A stored array.

        Raises
        ------
        RunError
            If it is not there or cannot be read.
        """
        found = self.find(name)
        if found is None:
            raise RunError(
                f"Expected readable arrays of {self.item}, got none called {name!r}; run the plan "
                "again with the same directory."
            )
        return found

    def own(self, name: str) -> Array:
        """A stored array of the method."""
        return self.array(f"methods/{self.method.name}/{name}")

    @property
    def image(self) -> Tensor:
        """``(1, H, W)`` as the run had it."""
        stored = torch.from_numpy(self.array("image"))[None].to(self.dtype)
        return self.method.problem.prepare(stored)

    @property
    def image_matches(self) -> bool:
        """Whether the stored image is the one that was tested."""
        return array_sha256(self.array("image")) == self.image_sha256

    def added(self, values: Array) -> Tensor:
        """``(1, ...)`` what was added to the image or the data, in the run's precision."""
        added = torch.from_numpy(values)[None]
        real = self.dtype.to_real()
        return added.to(real.to_complex() if added.is_complex() else real)

    def replayed(
        self, difference: Tensor, stored_error: float | None, *, what: str = "",
        radius: float = math.nan, hash_matches: bool = True,
    ) -> Replay:  # fmt: skip
        """One result: the norm of a difference beside the stored error."""
        stored = math.nan if stored_error is None else stored_error
        return Replay(
            item=self.item, method=self.method.name, radius=radius,
            stored_error=stored if math.isfinite(stored) else math.nan,
            error=float(torch.linalg.vector_norm(difference)), what=what,
            hash_matches=hash_matches and self.image_matches,
        )  # fmt: skip


@runtime_checkable
class Replayable(Protocol):
    """A probe that knows how to execute its stored arrays again.

    Other probes are measured once more with the same seed, and their numbers compared.
    """

    def replay(self, stored: StoredCase[Any]) -> tuple[Replay, ...]:
        """Execute what is stored of one method on one image."""
        ...


def distance(a: Array, b: Array) -> float:
    """``‖a - b‖₂`` in double precision."""
    return float(np.linalg.norm(np.asarray(a, dtype=np.complex128) - b))
