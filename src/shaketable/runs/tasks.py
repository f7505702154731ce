"""The units of work: a probe, a method, an image; and what is given from one method to another."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from shaketable.probes.probe import Giving, Probe, Subject, key_of
from shaketable.records import slug


@dataclass(frozen=True, kw_only=True)
class Task:
    """One measurement, done or not done.

    Parameters
    ----------
    probe
        Its key, see `key_of`.
    item
        The probe on the image: what all methods share, seed included.
    image
        Index of the image.
    method
        Who is measured.
    network
        Under whose findings a reference method is measured; empty where it is searched itself.
    """

    probe: str
    item: str
    image: int
    method: str
    network: str = ""

    @property
    def key(self) -> str:
        """Names the task and its files."""
        own = f"{self.item}@{slug(self.method)}"
        return f"{own}@{slug(self.network)}" if self.network else own

    @property
    def needs(self) -> str | None:
        """The key of the task whose findings are given."""
        return f"{self.item}@{slug(self.network)}" if self.network else None

    def seed(self, seed: int) -> int:
        """A seed that depends on the run's seed, the probe and the image alone."""
        digest = hashlib.sha256(f"{seed}/{self.item}".encode()).digest()
        return int.from_bytes(digest[:6], "big")


def tasks_of(probe: Probe, subject: Subject) -> tuple[Task, ...]:
    """The tasks of one probe, image by image: every method, then what reference methods are given."""
    key = key_of(probe)
    networks = [problem.name for problem in subject.problems]
    found = []
    for index, image in enumerate(subject.image_ids):
        item = f"{key}-{slug(image)}"
        found += [
            Task(probe=key, item=item, image=index, method=method.name)
            for method in subject.methods
        ]
        if isinstance(probe, Giving):
            found += [
                Task(probe=key, item=item, image=index, method=name, network=network)
                for name in subject.baselines
                for network in networks
            ]
    return tuple(found)


def all_tasks(probes: Sequence[Probe], subject: Subject) -> tuple[Task, ...]:
    """The tasks of all probes, in the order in which they run and are stored."""
    return tuple(task for probe in probes for task in tasks_of(probe, subject))
