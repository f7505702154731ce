"""Work through the tasks that are not done yet: take what is known, measure the rest, write it down."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

from shaketable.probes.probe import Outcome
from shaketable.records import from_row, to_row
from shaketable.runs.arrays import read_arrays
from shaketable.runs.cache import Cache, Keys
from shaketable.runs.engine import Engine
from shaketable.runs.events import Clock, Event, OnEvent
from shaketable.runs.measuring import Bench, Done
from shaketable.runs.results import record_type
from shaketable.runs.store import Rows, Store
from shaketable.runs.tasks import Task, all_tasks


class Work:
    """The tasks of a run and what has become of them. Only this writes to the run directory.

    Parameters
    ----------
    bench
        What is measured.
    store
        The run directory, opened.
    keys, cache
        Where results of other runs are found and kept.
    emit
        Hears what happens.
    """

    def __init__(
        self, *, bench: Bench, store: Store, keys: Keys, cache: Cache, emit: OnEvent
    ) -> None:
        self.bench, self.store, self.keys, self.cache, self.emit = bench, store, keys, cache, emit
        self._tasks = {task.key: task for task in all_tasks(bench.probes, bench.subject)}
        self._finished: dict[str, Rows] = {
            key: rows for key, rows in store.finished().items() if key in self._tasks
        }
        self.failures: dict[str, str] = {}
        left = [task for task in self._tasks.values() if task.key not in self._finished]
        self.clock = Clock(remaining=dict(Counter(_kind(task) for task in left)))
        self._left = deque(left)

    @property
    def n_tasks(self) -> int:
        """All tasks of the run."""
        return len(self._tasks)

    @property
    def n_done(self) -> int:
        """Tasks that are finished."""
        return len(self._finished)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return not self._left

    def resume(self) -> None:
        """Say what was done before."""
        for key in self._finished:
            self._say("skipped", self._tasks[key], 1.0, "done before")

    def work(self, engine: Engine) -> None:
        """Do what is left.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C; what is finished is kept.
        """
        self.clock.at_once = engine.n_at_once
        under_way = 0
        try:
            while self._left or under_way:
                while under_way < engine.n_ahead and (task := self._next()) is not None:
                    if not self._is_known(task):
                        self.clock.begin()
                        self._say("started", task, 0.0, _words(task))
                        engine.submit(task, self._theirs(task))
                        under_way += 1
                if under_way:
                    self._take(engine.wait())
                    under_way -= 1
        finally:
            engine.close()

    def _next(self) -> Task | None:
        """The first task whose needs are met; those whose needs have failed fail with them."""
        for _ in range(len(self._left)):
            task = self._left.popleft()
            if task.needs is None or task.needs in self._finished:
                return task
            if task.needs in self.failures:
                self._fail(task, f"{task.network} could not be measured")
                continue
            self._left.append(task)  # its network is under way
        return None

    def _is_known(self, task: Task) -> bool:
        """Whether another run has measured the same; it is taken then."""
        method = self.bench.method(task.method)
        kind = record_type(self.bench.probe(task.probe), task)
        found = self.cache.find(self.keys.task(task), kind)
        if found is None or not self._vouched(task):
            return False
        records, arrays = found
        stamped = self.bench.stamped(task, records)
        rows = [to_row(record) for record in stamped]
        self.store.finish(task.key, rows, arrays, 0.0)
        self._finished[task.key] = rows
        self.clock.remaining[_kind(task)] -= 1
        self._say("skipped", task, 1.0, f"{method.name} was measured before")
        return True

    def _vouched(self, task: Task) -> bool:
        """Whether the methods of a task answer as they did when the store's results were made."""
        image = self.keys.bench.case(task, _unheard).image
        names = [task.method, *([task.network] if task.network else [])]
        methods = [self.bench.method(name) for name in names]
        return all(self.cache.vouches(m, self.keys.method(m), image) for m in methods)

    def _theirs(self, task: Task) -> Outcome | None:
        """What was measured of the network whose findings are given."""
        if task.needs is None:
            return None
        kind = self.bench.probe(task.probe).record_type
        records = tuple(from_row(kind, row) for row in self._finished[task.needs])
        return Outcome(records=records, arrays=read_arrays(self.store.array_file(task.needs)))

    def _take(self, done: Done) -> None:
        task = self._tasks[done.key]
        if done.outcome is None:
            self._fail(task, done.failure)
            return
        rows = [to_row(record) for record in done.outcome.records]
        self.store.finish(task.key, rows, done.outcome.arrays, done.seconds)
        self._finished[task.key] = rows
        self.clock.end(_kind(task), done.seconds)
        if self._vouched(task):
            self.cache.keep(self.keys.task(task), rows, self.store.array_file(task.key))
        self._say("finished", task, 1.0, _words(task))

    def _fail(self, task: Task, sentence: str) -> None:
        self.failures[task.key] = sentence
        self.clock.remaining[_kind(task)] -= 1
        self._say("failed", task, 1.0, sentence)

    def settle(self) -> dict[str, Rows]:
        """Bring what is finished into the order of the tasks, and return it by key."""
        ordered = {key: self._finished[key] for key in self._tasks if key in self._finished}
        self.store.settle(ordered, self.failures)
        return ordered

    def progress(self, task: Task, message: str, share: float) -> None:
        """Say what a task is doing."""
        self._say("progress", task, share, message)

    def _say(self, kind: Any, task: Task, share: float, message: str) -> None:
        left = self.clock.seconds_left(_kind(task), share if kind == "progress" else 0.0)
        self.emit(
            Event(
                kind=kind, item=task.key, n_done=self.n_done, n_items=self.n_tasks,
                share=share, message=message, seconds_left=left,
            )
        )  # fmt: skip


def _words(task: Task) -> str:
    return task.probe.replace("_", " ")


def _kind(task: Task) -> str:
    """Tasks of one kind take about the same time."""
    return f"{task.probe} {task.method} {'given' if task.network else ''}"


def _unheard(message: str, share: float) -> None:
    """Nothing is measured."""
