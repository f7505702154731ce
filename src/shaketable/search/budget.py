"""How long a search may take, and when it has nothing left to win."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.settings import require_number, require_whole

_WINDOW = 8


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The limits of a search.

    Parameters
    ----------
    n_gradients
        Gradients (one forward and one backward pass) per image and start. What the search spends on
        the Jacobian at the image counts too, at its cost.
    n_starts
        Independent starts; the best counts.
    plateau
        The search of an image ends where its objective has changed by less than this share over
        eight gradients: it has converged. 0 never ends early.
    max_seconds
        Wall time after which a search ends with status "budget spent".
    max_rows
        Images times starts that are evaluated together; None chooses from free memory.
    checkpoint
        Trade time for memory: keep only what goes into each block of the network and compute it
        again on the way back.

    Examples
    --------
    >>> Budget(n_gradients=50).n_starts
    1
    """

    n_gradients: int = 100
    n_starts: int = 1
    plateau: float = 1e-4
    max_seconds: float | None = None
    max_rows: int | None = None
    checkpoint: bool = False

    def __post_init__(self) -> None:
        require_whole("n_gradients", self.n_gradients, at_least=1)
        require_whole("n_starts", self.n_starts, at_least=1)
        if self.max_seconds is not None:
            require_number("max_seconds", self.max_seconds, above=0)
        if self.max_rows is not None:
            require_whole("max_rows", self.max_rows, at_least=1)
        if not 0 <= self.plateau < 1:
            raise InputError(f"Expected a plateau in [0, 1), got {self.plateau}; 1e-4 is usual.")


class Plateau:
    """Notices, image by image, that the objective no longer changes.

    On a GPU the result is read one gradient later than it was computed, so that the loop never
    waits for the device.
    """

    def __init__(self, budget: Budget, n: int, device: torch.device) -> None:
        self._tolerance = budget.plateau
        self._recent: list[Tensor] = []
        self.running = torch.ones(n, dtype=torch.bool, device=device)
        self._pending: tuple[Tensor, object] | None = None

    def see(self, value: Tensor) -> None:
        """Take the ``(B,)`` values of one gradient into account; NaN where they do not count."""
        self._recent = [*self._recent[-(_WINDOW - 1) :], value]
        if self._tolerance > 0 and len(self._recent) == _WINDOW:
            window = torch.stack(self._recent)
            highest, lowest = window.amax(0), window.amin(0)
            unchanged = (highest - lowest) <= self._tolerance * highest.abs()
            self.running = self.running & ~unchanged

    def all_ended(self, alive: Tensor) -> bool:
        """No image is both running and alive; ``alive`` is ``(B,)`` boolean."""
        going = (self.running & alive).any()
        if going.device.type != "cuda":
            return not bool(going)
        return self._read_late(going)

    def _read_late(self, going: Tensor) -> bool:
        ended = False
        if self._pending is not None:
            host, event = self._pending
            if not event.query():  # type: ignore[attr-defined]
                return False
            ended = not bool(host)
        host = torch.empty((), dtype=torch.bool, pin_memory=True)
        host.copy_(going, non_blocking=True)
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        self._pending = (host, event)
        return ended
