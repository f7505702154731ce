"""Results by what they depend on, shared by runs: nothing is measured twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from shaketable.checks import Check
from shaketable.errors import RunError
from shaketable.files import whole_file
from shaketable.modules import statistics_kept
from shaketable.probes.probe import (
    Method,
    Probe,
    array,
    describe_probe,
    key_of,
    version_of,
)
from shaketable.records import from_row
from shaketable.runs.arrays import is_readable, read_arrays, write_arrays
from shaketable.runs.check_rows import check_from_row, check_to_row
from shaketable.runs.contents import content_sha256
from shaketable.runs.measuring import Bench
from shaketable.runs.rows import to_json
from shaketable.runs.store import link_or_copy
from shaketable.runs.tasks import Task

_SAME = 1e-3  # relative; see `shaketable.runs.answers`


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The keys of a run's results: a hash of everything that each depends on.

    A result has no key where its method or map has no content that can be read; it is then measured
    in every run.

    Parameters
    ----------
    bench
        What is measured.
    methods
        Content of every method by name; None where it cannot be read.
    forward
        Content of the forward map.
    images
        Hashes of the images, in order.
    """

    bench: Bench
    methods: Mapping[str, str | None]
    forward: str | None
    images: Sequence[str]

    @classmethod
    def of(cls, bench: Bench) -> Keys:
        """Read the contents of everything once."""
        subject = bench.subject
        return cls(
            bench=bench,
            methods={m.name: content_sha256(m.problem.reconstruct) for m in subject.methods},
            forward=content_sha256(subject.problem.forward),
            images=[str(content_sha256(image)) for image in subject.images],
        )

    @classmethod
    def none(cls, bench: Bench) -> Keys:
        """No keys, where nothing is shared: contents can be large."""
        nobody = dict.fromkeys((method.name for method in bench.subject.methods), None)
        return cls(bench=bench, methods=nobody, forward=None, images=())

    def task(self, task: Task) -> str | None:
        """The key of a task, with that of the network whose findings are given."""
        probe = self.bench.probe(task.probe)
        method = self.bench.method(task.method)
        whose = [self._method(method)]
        if task.network:
            whose.append(self._method(self.bench.method(task.network)))
        if self.forward is None or None in whose:
            return None
        return _hashed([
            "task", self._probe(probe), self.forward, whose, self.images[task.image],
            task.seed(self.bench.seed), self.bench.subject.problem.real,
        ])  # fmt: skip

    def evidence(self, probe: Probe) -> str | None:
        """The key of what shows that a probe's search is strong: no network is in it."""
        if self.forward is None:
            return None
        subject = self.bench.subject
        return _hashed([
            "evidence", self._probe(probe), self.forward, self.images[0], self.bench.seed,
            subject.problem.real,
        ])  # fmt: skip

    def method(self, method: Method) -> str | None:
        """The key of a method on the forward map."""
        own = self._method(method)
        return None if own is None or self.forward is None else _hashed([own, self.forward])

    def _method(self, method: Method) -> list[Any] | None:
        content = self.methods[method.name]
        return None if content is None else [method.name, method.role, content]

    @staticmethod
    def _probe(probe: Probe) -> list[Any]:
        return [key_of(probe), version_of(probe), describe_probe(probe)]


def _hashed(parts: object) -> str:
    return hashlib.sha256(to_json(parts).encode()).hexdigest()


class Cache:
    """A folder of results by key.

    What is in it was measured by whoever wrote it; a run takes what has its key. Before it takes
    results of a method, the method has to answer as it did when they were measured: code that no hash
    can see may have changed.

    Parameters
    ----------
    folder
        Made if it is not there. None keeps and finds nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._vouched: dict[str, bool] = {}
        if folder is not None:
            try:
                for name in ("results", "evidence", "answers"):
                    (folder / name).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise RunError(
                    f"Expected a store that can be written, got {error}; choose another folder."
                ) from error

    @property
    def keeps(self) -> bool:
        """Whether results are kept and found."""
        return self._folder is not None

    def find(self, key: str | None, kind: type[Any]) -> tuple[tuple[Any, ...], Path] | None:
        """Records of a type and the file of their arrays, where a result of that key is kept."""
        if self._folder is None or key is None:
            return None
        line, arrays = self._files(key)
        try:
            rows = json.loads(line.read_text())["records"]
            records = tuple(from_row(kind, row) for row in rows)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return (records, arrays) if is_readable(arrays) else None

    def keep(self, key: str | None, rows: Sequence[Mapping[str, Any]], arrays: Path) -> None:
        """Keep a result: arrays first, then the line that makes it count."""
        if self._folder is None or key is None:
            return
        line, target = self._files(key)
        line.parent.mkdir(exist_ok=True)
        with whole_file(target) as part:
            link_or_copy(arrays, part)
        with whole_file(line) as part:
            part.write_text(to_json({"records": list(rows)}))

    def find_evidence(self, key: str | None) -> tuple[Check, ...] | None:
        """Checks that were made before."""
        if self._folder is None or key is None:
            return None
        try:
            rows = json.loads((self._folder / "evidence" / f"{key}.json").read_text())
            return tuple(check_from_row(row) for row in rows)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def keep_evidence(self, key: str | None, checks: Sequence[Check]) -> None:
        """Keep checks."""
        if self._folder is None or key is None:
            return
        with whole_file(self._folder / "evidence" / f"{key}.json") as part:
            part.write_text(to_json([check_to_row(check) for check in checks]))

    def vouches(self, method: Method, key: str | None, image: torch.Tensor) -> bool:
        """Whether a method answers as it did when its results were kept.

        Parameters
        ----------
        method
            Whose results are looked for.
        key
            Of the method on its map.
        image
            ``(1, H, W)``: what its answer is kept to, where none is kept yet.
        """
        if self._folder is None or key is None:
            return False
        if key not in self._vouched:
            self._vouched[key] = self._answers_as_before(method, key, image)
        return self._vouched[key]

    def _answers_as_before(self, method: Method, key: str, image: torch.Tensor) -> bool:
        assert self._folder is not None  # noqa: S101  (asked before)
        path = self._folder / "answers" / f"{key}.h5"
        kept = read_arrays(path) if is_readable(path) else {}
        if known := {"image", "answer"} <= set(kept):
            image = method.problem.prepare(torch.from_numpy(kept["image"]).to(image.device))
        with torch.no_grad(), statistics_kept(method.problem.reconstruct):
            answer = array(method.reconstruct(image))
        if not known:
            write_arrays(path, {"image": array(image), "answer": answer})
            return True
        before, now = (values.astype(np.complex128).ravel() for values in (kept["answer"], answer))
        if before.shape != now.shape or not np.isfinite(now).all():
            return bool(np.array_equal(kept["answer"], answer, equal_nan=True))
        return bool(np.linalg.norm(before - now) <= _SAME * np.linalg.norm(before))

    def _files(self, key: str) -> tuple[Path, Path]:
        assert self._folder is not None  # noqa: S101  (asked before)
        folder = self._folder / "results" / key[:2]
        return folder / f"{key}.json", folder / f"{key}.h5"
