"""What a run says while it works; the command line draws it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["checks", "started", "progress", "finished", "failed", "skipped", "done"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened in a run.

    Parameters
    ----------
    kind
        ``skipped``: a task whose result another run has kept, or, without an item, all tasks that were
        done in an earlier run of the same directory.
    item
        Key of the task, empty for the run as a whole.
    n_done, n_items
        Tasks finished, and all of them.
    share
        Finished share of the current task.
    message
        What is being done, in words.
    seconds_left
        Estimate for the whole run; None until an item of every kind left has been timed.
    """

    kind: Kind
    item: str = ""
    n_done: int = 0
    n_items: int = 0
    share: float = 0.0
    message: str = ""
    seconds_left: float | None = None


OnEvent = Callable[[Event], None]


@dataclass(kw_only=True)
class Clock:
    """Time per task of each kind, to say how long the rest will take.

    Parameters
    ----------
    remaining
        Tasks left, by kind.
    at_once
        Tasks that are measured at the same time.
    seconds
        What finished ones took, by kind.
    """

    remaining: dict[str, int]
    at_once: int = 1
    seconds: dict[str, list[float]] = field(default_factory=dict)
    began: float = 0.0

    def begin(self) -> None:
        """Start timing an item."""
        self.began = time.monotonic()

    def end(self, probe: str, seconds: float) -> None:
        """Note what a task of a probe took."""
        self.seconds.setdefault(probe, []).append(seconds)
        self.remaining[probe] -= 1

    def seconds_left(self, probe: str, share: float) -> float | None:
        """Estimate for everything left while an item of ``probe`` is at ``share``."""
        elapsed = time.monotonic() - self.began
        total = 0.0
        for name, count in self.remaining.items():
            if count == 0:
                continue
            timed = self.seconds.get(name)
            if timed:
                each = sum(timed) / len(timed)
            elif name == probe and share > 0.05:
                each = elapsed / share
            else:
                return None
            total += each * (count - share if name == probe else count)
        return max(0.0, total / self.at_once)
