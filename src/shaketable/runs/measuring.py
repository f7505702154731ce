"""Measure one task, here or on another machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from shaketable.probes.probe import Case, Giving, Method, Outcome, Probe, Subject, key_of
from shaketable.runs.tasks import Task
from shaketable.version import __version__


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of a task.

    Parameters
    ----------
    key
        Of the task.
    outcome
        None where it failed.
    failure
        Error and sentence.
    seconds
        It took.
    """

    key: str
    outcome: Outcome | None
    failure: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Everything that tasks are measured with; it travels to other processes as a whole.

    Parameters
    ----------
    subject
        Networks, images, reference methods.
    probes
        Of the plan.
    seed
        Of the run.
    """

    subject: Subject
    probes: tuple[Probe, ...]
    seed: int

    def method(self, name: str) -> Method:
        """The method of a name."""
        return next(method for method in self.subject.methods if method.name == name)

    def probe(self, key: str) -> Probe:
        """The probe of a key."""
        return next(probe for probe in self.probes if key_of(probe) == key)

    def case(self, task: Task, on_progress: Callable[[str, float], None]) -> Case:
        """What a probe needs to measure a task."""
        image = self.subject.images[task.image : task.image + 1]
        return Case(
            method=self.method(task.method), image=self.subject.problem.prepare(image),
            seed=task.seed(self.seed), on_progress=on_progress,
        )  # fmt: skip

    def attempt(
        self, task: Task, theirs: Outcome | None, on_progress: Callable[[str, float], None]
    ) -> Done:
        """Measure a task; whatever goes wrong in a network costs this task and no other.

        Parameters
        ----------
        task
            What to measure.
        theirs
            What was measured of the network whose findings are given; None where none are.
        on_progress
            Called with what is being done and the finished share.

        Raises
        ------
        KeyboardInterrupt, MemoryError
            As they come.
        """
        began = time.monotonic()
        try:
            outcome = self._measured(task, theirs, on_progress)
        except (KeyboardInterrupt, MemoryError):
            raise
        except (Exception, SystemExit) as error:
            lines = str(error).splitlines()
            failure = f"{type(error).__name__}: {lines[0] if lines else 'no message'}"
            return Done(key=task.key, outcome=None, failure=failure, seconds=_since(began))
        return Done(key=task.key, outcome=outcome, seconds=_since(began))

    def _measured(
        self, task: Task, theirs: Outcome | None, on_progress: Callable[[str, float], None]
    ) -> Outcome:
        probe, case = self.probe(task.probe), self.case(task, on_progress)
        if theirs is None:
            outcome = probe.measure(case)
            version = __version__
            records = tuple(replace(record, version=version) for record in outcome.records)
        else:
            outcome = cast(Giving, probe).given(case, theirs)
            records = outcome.records
        return replace(outcome, records=self.stamped(task, records))

    def stamped(self, task: Task, records: tuple[Any, ...]) -> tuple[Any, ...]:
        """The records with what the run fills in: whose they are, and of what."""
        if task.network:
            return tuple(replace(record, network=task.network) for record in records)
        role, image = self.method(task.method).role, self.subject.image_ids[task.image]
        name = self.probe(task.probe).name
        return tuple(
            replace(
                record, probe=name, item=task.item, method=task.method, role=role, image=image
            )
            for record in records
        )  # fmt: skip


def _since(began: float) -> float:
    return time.monotonic() - began
