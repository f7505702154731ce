"""Progress of a run: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from shaketable.cli.output import say

if TYPE_CHECKING:
    from shaketable.runs import Event
    from shaketable.zoo import TrainingEvent


class _Drawing:
    """What is drawn while a verb works: a live line on a terminal, nothing of its own elsewhere."""

    def __init__(self) -> None:
        self._live = _live() if sys.stderr.isatty() else None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()


class RunProgress(_Drawing):
    """Draws the events of a run; give it to ``run`` as ``on_event``.

    On a terminal: what is done now, a bar, finished and all items, time left. Elsewhere one line
    per finished item, so that logs stay readable.
    """

    def __call__(self, event: Event) -> None:
        """Draw one event."""
        if self._live is None:
            self._write(event)
            return
        if self._task is None:
            self._task = self._live.add_task("", total=None, done="", left="")
        doing = f"{event.item}: {event.message}" if event.item else event.message
        share = event.share if event.kind == "progress" else 0.0
        self._live.update(
            self._task, description=doing or "done", total=event.n_items or None,
            completed=event.n_done + share, done=f"{event.n_done}/{event.n_items} items",
            left=time_left(event.seconds_left),
        )  # fmt: skip

    def _write(self, event: Event) -> None:
        if event.kind == "checks":
            say(f"{event.message[:1].upper()}{event.message[1:]}.")
        elif event.kind in ("finished", "failed", "skipped"):
            width = len(str(event.n_items))
            words = {"finished": "done", "failed": f"FAILED: {event.message}", "skipped": "kept"}
            left = time_left(event.seconds_left)
            line = f"[{event.n_done:{width}}/{event.n_items}] {event.item}: {words[event.kind]}"
            say(f"{line}{f', {left}' if left and event.n_done < event.n_items else ''}")


class TrainingProgress(_Drawing):
    """Draws the events of a training; give it to ``train`` as ``on_event``."""

    def __call__(self, event: TrainingEvent) -> None:
        """Draw one event."""
        quality = "" if event.quality is None else f", {event.quality:.2f} dB on held-out images"
        loss = "" if event.loss is None else f", relative error {event.loss:.4f}"
        if self._live is None:
            if event.kind != "step":
                left = time_left(event.seconds_left)
                tail = f", {left}" if left else ""
                say(f"[{event.step}/{event.n_steps}] {event.kind}{loss}{quality}{tail}")
            return
        if self._task is None:
            self._task = self._live.add_task("", total=event.n_steps, done="", left="")
        self._live.update(
            self._task, description=f"training{loss}{quality}", completed=event.step,
            done=f"{event.step}/{event.n_steps} steps", left=time_left(event.seconds_left),
        )  # fmt: skip


def time_left(seconds: float | None) -> str:
    """The time left in words, rounded as an estimate should be.

    Examples
    --------
    >>> time_left(None), time_left(8), time_left(95), time_left(7500)
    ('', 'about 10 s left', 'about 2 min left', 'about 2 h 5 min left')
    """
    if seconds is None:
        return ""
    if seconds < 60:
        return f"about {max(5, 5 * round(seconds / 5))} s left"
    minutes = round(seconds / 60)
    hours = f"{minutes // 60} h " if minutes >= 60 else ""
    return f"about {hours}{minutes % 60} min left"


def _live() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[done]}"),
        TextColumn("{task.fields[left]}"),
        console=Console(stderr=True),
        transient=True,
    )
