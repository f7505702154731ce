"""Progress: a live line on a terminal or in a notebook, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from shaketable.cli.output import say

if TYPE_CHECKING:
    from shaketable.runs import Event
    from shaketable.zoo import TrainingEvent

_SILENCE = 30.0  # seconds after which a log gets another line
_REFRESH = 0.2  # seconds between two pictures of a notebook


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

    On a terminal: what is done now, a bar, finished and all tasks, time left. Elsewhere one line
    per finished task, and at least one every 30 seconds that says what is done and how long it will
    take, so that logs stay readable and nobody takes long work for a dead one.
    """

    def __init__(self) -> None:
        super().__init__()
        self._latest: Event | None = None
        self._began = self._said = time.monotonic()
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._keep_talking, daemon=True)

    def __enter__(self) -> Self:
        super().__enter__()
        if self._live is None:
            self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._watch.is_alive():
            self._watch.join()
        super().__exit__(kind, error, trace)

    def __call__(self, event: Event) -> None:
        """Draw one event."""
        self._latest = event
        if self._live is None:
            self._write(event)
            return
        if self._task is None:
            self._task = self._live.add_task("", total=None, done="", left="")
        share = event.share if event.kind == "progress" else 0.0
        self._live.update(
            self._task, description=doing(event) or "done", total=event.n_items or None,
            completed=event.n_done + share, done=f"{event.n_done}/{event.n_items} tasks",
            left=time_left(event.seconds_left),
        )  # fmt: skip

    def _write(self, event: Event) -> None:
        if event.kind == "checks":
            self._say(f"{event.message[:1].upper()}{event.message[1:]}.")
        elif event.kind in ("finished", "failed", "skipped"):
            words = {"finished": "done", "failed": f"FAILED: {event.message}", "skipped": "kept"}
            left = time_left(event.seconds_left)
            said = f"{event.item}: {words[event.kind]}" if event.item else event.message
            line = f"{_count(event)} {said}"
            self._say(f"{line}{f', {left}' if left and event.n_done < event.n_items else ''}")

    def _keep_talking(self) -> None:
        while not self._over.wait(0.5):
            if time.monotonic() - self._said >= _SILENCE:
                self._say(self.still_at_it())

    def still_at_it(self) -> str:
        """What is done now, and how long it will take, as a line."""
        event = self._latest
        if event is None or event.n_items == 0:
            what = "starting" if event is None else event.message
            return f"Still {what}, {time.monotonic() - self._began:.0f} s so far."
        share = f" ({event.share:.0%} of it)" if event.kind == "progress" else ""
        left = time_left(event.seconds_left) or "time left not known yet"
        return f"{_count(event)} {doing(event)}{share}, {left}"

    def _say(self, line: str) -> None:
        self._said = time.monotonic()
        say(line)


class NotebookProgress:
    """Draws the events of a run in one line of a notebook; give it to ``run`` as ``on_event``."""

    def __init__(self) -> None:
        from IPython.display import display

        self._display = display({"text/plain": ""}, raw=True, display_id=True)
        self._drawn = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """The last line stays."""

    def __call__(self, event: Event) -> None:
        """Draw one event."""
        now = time.monotonic()
        if event.kind == "progress" and now - self._drawn < _REFRESH:
            return
        self._drawn = now
        left = time_left(event.seconds_left)
        line = f"{_count(event)} {doing(event) or 'done'}{f', {left}' if left else ''}"
        self._display.update({"text/plain": line}, raw=True)


def show_progress() -> RunProgress | NotebookProgress:
    """Draw how far a run is: in a notebook, on a terminal or in a log.

    Examples
    --------
    >>> with show_progress() as progress:
    ...     callable(progress)  # run(problem, images, plan, out=..., on_event=progress)
    True
    """
    try:
        from IPython import get_ipython
    except ImportError:
        return RunProgress()
    shell = get_ipython()
    return NotebookProgress() if type(shell).__name__ == "ZMQInteractiveShell" else RunProgress()


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


def doing(event: Event) -> str:
    """What an event says is being done."""
    return f"{event.item}: {event.message}" if event.item else event.message


def _count(event: Event) -> str:
    return f"[{event.n_done:{len(str(event.n_items))}}/{event.n_items}]"


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
