"""Which reader reads which file: ours by a table, others' by entry points."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path

from shaketable.errors import InputError
from shaketable.io.dicom import looks_like_dicom
from shaketable.io.foreign import package_of, read_foreign
from shaketable.io.reader import Reader, ReadSettings
from shaketable.io.stack import Stack
from shaketable.registry import OURS

GROUP = "shaketable.readers"
"""The group of entry points: the name is an ending without its dot, the value a :class:`Reader`."""

OUR_READERS = OURS["shaketable.readers"]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A file format and its reader.

    Attributes
    ----------
    ending
        Of the file in question, with its dot; empty where it was known by its content.
    reader
        The entry point of its reader; two endings of one reader are one format.
    ours
        Whether the reader is part of the package.
    """

    ending: str
    reader: metadata.EntryPoint
    ours: bool

    @property
    def is_dicom(self) -> bool:
        """Whether a folder of such files is one series."""
        return self.ours and self.reader.value == OUR_READERS["dcm"]

    def stem(self, path: Path) -> str:
        """File name without its ending, with nothing in it that a file name cannot hold."""
        name = path.name[: len(path.name) - len(self.ending)]
        return re.sub(r"[^A-Za-z0-9._-]+", "_", name) or "image"

    def read(self, path: Path, *, axis: int | None, key: str | None) -> Stack:
        """Read a file of this format.

        Raises
        ------
        InputError, MissingDependencyError
            As its reader says, and InputError if the reader of another package is broken.
        """
        settings = ReadSettings(stem=self.stem(path), axis=axis, key=key)
        if not self.ours:
            return read_foreign(self.reader, path, settings)
        reader: Reader = self.reader.load()
        return reader(path, settings)


class Registry:
    """The readers there are. Those of other packages are looked up when none of ours fits."""

    def find(self, path: Path) -> Format | None:
        """The format of a file by its ending, ours first; None if no reader knows it.

        Raises
        ------
        InputError
            If two packages have a reader of such files.
        """
        ours = _longest_ending(path, OUR_READERS)
        if ours is not None:
            return _ours(ours, f".{ours}")
        # Scanners write DICOM files without an ending, or with a number as one.
        without_ending = path.suffix == "" or path.suffix[1:].isdigit()
        if without_ending and looks_like_dicom(path):
            return _ours("dcm", "")
        name = _longest_ending(path, self._others)
        if name is None:
            return None
        readers = self._others[name]
        if len(readers) > 1:
            packages = sorted(package_of(reader) for reader in readers)
            raise InputError(
                f"Expected one reader of .{name} files to read '{path}', got those of "
                f"{' and '.join(packages)}; uninstall all but one."
            )
        return Format(ending=f".{name}", reader=readers[0], ours=False)

    def known(self) -> str:
        """The endings that can be read, in words."""
        endings = ", ".join(f".{name}" for name in (*OUR_READERS, *self._others))
        return f"{endings}, or DICOM without an ending"

    @cached_property
    def _others(self) -> Mapping[str, tuple[metadata.EntryPoint, ...]]:
        """Entry points of other packages by lower-case ending, without those of our endings."""
        found: dict[str, dict[str, metadata.EntryPoint]] = {}
        for reader in metadata.entry_points(group=GROUP):
            name = reader.name.lower()
            if name not in OUR_READERS:
                # A package that is found twice, installed and in a checkout, is one.
                found.setdefault(name, {})[reader.value] = reader
        return {name: tuple(found[name].values()) for name in sorted(found)}


def _ours(name: str, ending: str) -> Format:
    reader = metadata.EntryPoint(name=name, value=OUR_READERS[name], group=GROUP)
    return Format(ending=ending, reader=reader, ours=True)


def _longest_ending(path: Path, names: Mapping[str, object]) -> str | None:
    fitting = [name for name in names if path.name.lower().endswith(f".{name}")]
    return max(fitting, key=len, default=None)
