"""A run on disk: finished items only, written so that a kill at any moment loses at most one item."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shaketable.errors import RunError
from shaketable.files import whole_file
from shaketable.probes import Outcome, Record

Arrays = Mapping[str, np.ndarray[Any, Any]]


def write_atomically(path: Path, content: bytes) -> None:
    """Write bytes that readers see whole or not at all."""
    with whole_file(path) as part:
        part.write_bytes(content)


def to_json(value: object) -> str:
    """JSON with sorted keys; NaN and infinity are refused rather than written."""
    return json.dumps(
        value, sort_keys=True, allow_nan=False, ensure_ascii=False, default=_plain_number
    )


def _plain_number(value: object) -> object:
    """Settings may be numbers of NumPy."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write named arrays as HDF5, whole or not at all."""
    import h5py

    with whole_file(path) as part, h5py.File(part, "w") as file:
        for name, values in sorted(arrays.items()):
            if values.dtype.kind == "U":
                file.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
            else:
                file.create_dataset(name, data=values, compression="gzip")


def _readable(path: Path) -> bool:
    import h5py

    if not path.exists():
        return False
    try:
        with h5py.File(path, "r", locking=False):  # somebody may be looking at it
            return True
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EMFILE, errno.ENFILE):
            raise  # that says nothing about the file
        return False


class Store:
    """The directory of one run.

    An item is finished when its line stands complete in ``records.jsonl``; its arrays are in place
    before that line is written. Whatever else a killed run leaves is overwritten when it resumes.

    Parameters
    ----------
    directory
        The run directory; made if it is not there.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._records = directory / "records.jsonl"
        self._failures = directory / "failures.jsonl"
        self._timings = directory / "timings.jsonl"

    def match(self, identity: Mapping[str, object]) -> None:
        """Find that the directory is free or belongs to the same run; write nothing.

        Raises
        ------
        RunError
            If the directory holds another run, or files that are no run.
        """
        marker = self.directory / "run.json"
        if self.directory.exists() and not self.directory.is_dir():
            raise RunError(
                f"Expected a directory, got the file {self.directory}; choose another name."
            )
        if not marker.exists():
            # a process that was killed before it wrote the marker leaves no more than these
            ours = {"lock", "run.json.part"}
            there = {path.name for path in self.directory.glob("*")} - ours
            if there:
                raise RunError(
                    f"Expected an empty directory or a run in {self.directory}, got other files "
                    f"({min(there)}); choose another directory."
                )
            return
        try:
            stored = dict(json.loads(marker.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise RunError(
                f"Expected a run in {self.directory}, got a run.json that cannot be read; choose another "
                "directory."
            ) from error
        wanted = json.loads(to_json(identity))
        if stored != wanted:
            differing = [key for key in wanted if stored.get(key) != wanted[key]]
            raise RunError(
                f"Expected an empty directory or the same run in {self.directory}, got a run with "
                f"another {' and '.join(sorted(differing))}; choose another directory."
            )

    @contextlib.contextmanager
    def opened(self, identity: Mapping[str, object]) -> Iterator[None]:
        """Make the directory or open that of the same run, and keep other processes out.

        Raises
        ------
        RunError
            As in `match`; if another process is at work; if the directory cannot be made.
        """
        self.match(identity)
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            lock = (self.directory / "lock").open("w")
        except OSError as error:
            raise RunError(
                f"Expected a directory that can be written, got {error}; choose another one."
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise RunError(
                    f"Expected no other process at work in {self.directory}, got one; wait for it or "
                    "choose another directory."
                ) from error
            self.match(identity)  # again: another process may have come first
            if not (self.directory / "run.json").exists():
                write_atomically(self.directory / "run.json", to_json(identity).encode())
            (self.directory / "arrays").mkdir(exist_ok=True)
            yield

    def finished(self) -> dict[str, list[Record]]:
        """Records of finished items by key; an incomplete last line is dropped from the file.

        Items whose arrays are gone or cannot be opened are not finished.

        Raises
        ------
        RunError
            If another line than the last is broken, which no kill does.
        """
        if not self._records.exists():
            return {}
        result: dict[str, list[Record]] = {}
        lines = self._records.read_bytes().split(b"\n")
        for number, line in enumerate(lines[:-1], 1):  # after the last break a kill cut it off
            try:
                entry = json.loads(line)
                key, records = entry["item"], entry["records"]
            except (ValueError, TypeError, KeyError) as error:
                raise RunError(
                    f"Expected complete lines in {self._records}, got a broken line {number}; remove "
                    "it, and its item is measured again."
                ) from error
            if _readable(self.array_file(key)):
                result[key] = records
        if lines[-1]:
            write_atomically(self._records, b"".join(line + b"\n" for line in lines[:-1]))
        return result

    def finish(self, key: str, outcome: Outcome, seconds: float) -> None:
        """Store an item: arrays first, then the line that makes it count."""
        write_arrays(self.array_file(key), outcome.arrays)
        self._append(self._records, {"item": key, "records": list(outcome.records)})
        self._append(self._timings, {"item": key, "seconds": round(seconds, 3)})

    def settle(self, order: Sequence[str], failures: Mapping[str, str]) -> dict[str, list[Record]]:
        """Put the lines into the order of the items, so that interrupted runs end up identical.

        Returns the records of finished items, as `finished` does.
        """
        finished = self.finished()
        lines = [
            to_json({"item": key, "records": finished[key]}) + "\n"
            for key in order
            if key in finished
        ]
        write_atomically(self._records, "".join(lines).encode())
        if failures:
            text = "".join(to_json({"item": k, "error": v}) + "\n" for k, v in failures.items())
            write_atomically(self._failures, text.encode())
        else:
            self._failures.unlink(missing_ok=True)
        return finished

    def write(self, name: str, content: str) -> None:
        """Write a text file of the run atomically."""
        write_atomically(self.directory / name, content.encode())

    def array_file(self, key: str) -> Path:
        """Where the arrays of an item are."""
        return self.directory / "arrays" / f"{key}.h5"

    @staticmethod
    def _append(path: Path, entry: object) -> None:
        torn = path.exists() and path.read_bytes()[-1:] not in (b"", b"\n")
        with path.open("ab") as file:
            if torn:  # a kill cut the last line off: keep the next one apart from it
                file.write(b"\n")
            file.write(to_json(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
