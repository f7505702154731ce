"""A run on disk: finished tasks only, written so that a kill at any moment loses at most one task."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from shaketable.errors import RunError
from shaketable.files import PART, opened_for_appending, whole_file
from shaketable.runs.arrays import Arrays, is_readable, write_arrays
from shaketable.runs.rows import to_json

Rows = Sequence[Mapping[str, Any]]


def write_atomically(path: Path, content: bytes) -> None:
    """Write bytes that readers see whole or not at all."""
    with whole_file(path) as part:
        part.write_bytes(content)


class Store:
    """The directory of one run. One process writes it.

    A task is finished when its line stands complete in ``records.jsonl``; its arrays are in place
    before that line is written. Whatever else a killed run leaves is overwritten when it resumes.

    Parameters
    ----------
    directory
        The run directory; made if it is not there.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._records = directory / "records.jsonl"
        self._checks = directory / "checks.jsonl"
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
            # a process that was killed before it wrote the marker leaves a lock and parts of files
            there = {path.name for path in self.directory.glob("*") if not path.name.endswith(PART)}
            there -= {"lock"}
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
        if "networks" not in stored:
            raise RunError(
                f"Expected an empty directory or the same run in {self.directory}, got a run of an older "
                "version of Shaketable, which can be shown and reported but not resumed; choose another "
                "directory."
            )
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
            lock = opened_for_appending(self.directory / "lock")
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
            for part in self.directory.rglob(f"*{PART}"):
                part.unlink(missing_ok=True)
            if not (self.directory / "run.json").exists():
                write_atomically(self.directory / "run.json", to_json(identity).encode())
            (self.directory / "arrays").mkdir(exist_ok=True)
            yield

    def finished(self) -> dict[str, Rows]:
        """Records of finished tasks by key; an incomplete last line is dropped from the file.

        Tasks whose arrays are gone or cannot be opened are not finished.

        Raises
        ------
        RunError
            If another line than the last is broken, which no kill does.
        """
        entries = self._lines(self._records, "records", "its task is measured again")
        return {key: rows for key, rows in entries.items() if is_readable(self.array_file(key))}

    def checks(self) -> dict[str, Rows]:
        """The checks that this run has made before, by what was checked."""
        return self._lines(self._checks, "checks", "what it checks is checked again")

    def _lines(self, path: Path, field: str, advice: str) -> dict[str, Rows]:
        if not path.exists():
            return {}
        result: dict[str, Rows] = {}
        lines = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines[:-1], 1):  # after the last break a kill cut it off
            try:
                entry = json.loads(line)
                key, rows = entry["task"], entry[field]
            except (ValueError, TypeError, KeyError) as error:
                raise RunError(
                    f"Expected complete lines in {path}, got a broken line {number}; remove "
                    f"it, and {advice}."
                ) from error
            result[key] = rows
        if lines[-1]:
            write_atomically(path, b"".join(line + b"\n" for line in lines[:-1]))
        return result

    def finish(self, key: str, rows: Rows, arrays: Arrays | Path, seconds: float) -> None:
        """Store a task: arrays first, then the line that makes it count.

        Parameters
        ----------
        key
            Of the task.
        rows
            Its records.
        arrays
            To be written, or the file of a store that holds them.
        seconds
            It took.
        """
        if isinstance(arrays, Path):
            with whole_file(self.array_file(key)) as part:
                link_or_copy(arrays, part)
        else:
            write_arrays(self.array_file(key), arrays)
        self._append(self._records, {"task": key, "records": list(rows)})
        self._append(self._timings, {"task": key, "seconds": round(seconds, 3)}, sync=False)

    def keep_checks(self, key: str, rows: Rows) -> None:
        """Store what was checked."""
        self._append(self._checks, {"task": key, "checks": list(rows)})

    def settle(self, finished: Mapping[str, Rows], failures: Mapping[str, str]) -> None:
        """Put the lines into the order of the tasks, so that interrupted runs end up identical."""
        lines = [to_json({"task": key, "records": rows}) + "\n" for key, rows in finished.items()]
        write_atomically(self._records, "".join(lines).encode())
        if failures:
            text = "".join(to_json({"task": k, "error": v}) + "\n" for k, v in failures.items())
            write_atomically(self._failures, text.encode())
        else:
            self._failures.unlink(missing_ok=True)

    def write(self, name: str, content: str) -> None:
        """Write a text file of the run atomically."""
        write_atomically(self.directory / name, content.encode())

    def array_file(self, key: str) -> Path:
        """Where the arrays of a task are."""
        return self.directory / "arrays" / f"{key}.h5"

    @staticmethod
    def _append(path: Path, entry: object, *, sync: bool = True) -> None:
        with opened_for_appending(path) as file:
            if file.seek(0, os.SEEK_END) > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a kill cut the last line off: keep the next one apart
                    file.write(b"\n")
            file.write(to_json(entry).encode() + b"\n")
            file.flush()
            if sync:
                os.fsync(file.fileno())


def link_or_copy(source: Path, target: Path) -> None:
    """The same file under another name, or a copy where file systems differ."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
