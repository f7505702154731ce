"""Who measures: this process, one task after the other; `cluster` has other processes do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from shaketable.errors import RunError
from shaketable.probes.probe import Outcome
from shaketable.runs.measuring import Bench, Done
from shaketable.runs.tasks import Task

OnTaskProgress = Callable[[Task, str, float], None]


class Engine(Protocol):
    """Takes tasks that are ready and gives back what became of them, in any order."""

    @property
    def n_ahead(self) -> int:
        """Tasks that it wants to have at the same time."""
        ...

    @property
    def n_at_once(self) -> int:
        """Tasks that it measures at the same time."""
        ...

    def submit(self, task: Task, theirs: Outcome | None) -> None:
        """Take a task, with what was measured of the network whose findings are given."""
        ...

    def wait(self) -> Done:
        """Return the next task that is done or has failed."""
        ...

    def close(self) -> None:
        """Let go of everything that was taken."""
        ...


class Serial:
    """Measures in this process when it is waited for.

    Parameters
    ----------
    bench
        What tasks are measured with.
    on_progress
        Called with the task, what is being done and the finished share.
    """

    n_ahead = n_at_once = 1

    def __init__(self, bench: Bench, on_progress: OnTaskProgress) -> None:
        self._bench, self._on_progress = bench, on_progress
        self._taken: tuple[Task, Outcome | None] | None = None

    def submit(self, task: Task, theirs: Outcome | None) -> None:
        """Take a task."""
        self._taken = (task, theirs)

    def wait(self) -> Done:
        """Measure the task that was taken."""
        if self._taken is None:
            raise RunError("Expected a task to measure, got none; submit one first.")
        (task, theirs), self._taken = self._taken, None

        def report(message: str, share: float) -> None:
            self._on_progress(task, message, share)

        return self._bench.attempt(task, theirs, report)

    def close(self) -> None:
        """Nothing is held."""
