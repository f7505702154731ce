"""All methods on one image, as a run measures them, in one outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shaketable.checks import Check
from shaketable.probes import Measured, Subject
from shaketable.probes.probe import Array, Case, Giving, OnProgress, Outcome, Probe
from shaketable.runs.measuring import Bench
from shaketable.runs.tasks import Task, tasks_of


@dataclass(frozen=True, kw_only=True)
class Together:
    """What was measured of every method on an image.

    Parameters
    ----------
    subject
        What was measured.
    records
        Method by method, with what reference methods were given in them.
    arrays
        Of all methods.
    outcomes
        By method, as the probe gave them.
    """

    subject: Subject
    records: tuple[Any, ...]
    arrays: dict[str, Array]
    outcomes: dict[str, Outcome]

    def of(self, method: str) -> list[Any]:
        """The records of one method."""
        return [record for record in self.records if record.method == method]

    def measured(self, evidence: tuple[Check, ...] = ()) -> Measured[Any]:
        """As a verdict on the first network wants it."""
        return Measured(
            network=self.subject.problem.name, reference=self.subject.primary_baseline,
            records=self.records, evidence=evidence,
        )  # fmt: skip


def silent(message: str, share: float) -> None:
    """Hear what every probe has to say: words and a share."""
    if not message or not 0 <= share <= 1:
        raise AssertionError(f"progress {message!r}, {share}")


def measure_all(
    probe: Probe, subject: Subject, index: int = 0, seed: int = 0, *, on_progress: OnProgress = silent
) -> Together:  # fmt: skip
    """Measure every method on an image, and every reference method under what networks found.

    Parameters
    ----------
    probe, subject
        What to measure.
    index
        Of the image.
    seed
        Of the probe on the image: what the methods are given as it stands.
    on_progress
        Called by the probe.
    """
    return _measured(probe, subject, index, lambda task: seed, on_progress)


def measure_in_run(probe: Probe, subject: Subject, index: int, run_seed: int) -> Together:
    """The same, with the seed that a run of a seed gives this probe on this image."""
    return _measured(probe, subject, index, lambda task: task.seed(run_seed), silent)


def _measured(
    probe: Probe, subject: Subject, index: int, seed: Callable[[Task], int], on_progress: OnProgress
) -> Together:  # fmt: skip
    bench = Bench(subject=subject, probes=(probe,), seed=0)
    tasks = [task for task in tasks_of(probe, subject) if task.image == index]
    outcomes: dict[str, Outcome] = {}
    given: dict[str, dict[str, tuple[Any, ...]]] = {}
    arrays: dict[str, Array] = {}
    for task in tasks:
        case = Case(
            method=bench.method(task.method), seed=seed(task), on_progress=on_progress,
            image=subject.problem.prepare(subject.images[index : index + 1]),
        )  # fmt: skip
        if not task.network:
            outcome = probe.measure(case)
            outcomes[task.method] = Outcome(
                records=bench.stamped(task, outcome.records), arrays=outcome.arrays
            )
        elif isinstance(probe, Giving):
            outcome = probe.given(case, outcomes[task.network])
            given.setdefault(task.method, {})[task.network] = bench.stamped(task, outcome.records)
        arrays |= outcome.arrays
    records: list[Any] = []
    for name, outcome in outcomes.items():
        own = outcome.records
        records += (
            probe.with_given(own, given[name])
            if isinstance(probe, Giving) and name in given
            else own
        )
    return Together(subject=subject, records=tuple(records), arrays=arrays, outcomes=outcomes)
