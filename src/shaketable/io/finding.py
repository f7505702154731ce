"""From a file or folder to the stacks of slices in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from shaketable.errors import InputError
from shaketable.io.dicom import read_header, read_series
from shaketable.io.reader import ReadSettings
from shaketable.io.registry import Format, Registry
from shaketable.io.source import ImageSource
from shaketable.io.stack import Stack, joined


def find_stacks(source: ImageSource) -> list[Stack]:
    """Open what a source names: one stack of all single images, or one per volume.

    Raises
    ------
    InputError
        If there is nothing there, nothing that can be read, or files of several kinds.
    MissingDependencyError
        If a library for the format is not installed.
    """
    path = source.path
    if not path.exists():
        raise InputError(_not_there(path))
    registry = Registry()
    if path.is_dir():
        return _folder(source, registry)
    kind = registry.find(path)
    if kind is None:
        raise InputError(
            f"Expected an image file ({registry.known()}), got '{path}'; convert it, for example "
            "to .npy."
        )
    return [kind.read(path, axis=source.axis, key=source.key)]


def _folder(source: ImageSource, registry: Registry) -> list[Stack]:
    folder = source.path
    entries = sorted(folder.iterdir(), key=lambda entry: _natural(entry.name))
    formats = {
        entry: kind
        for entry in entries
        if entry.is_file() and not entry.name.startswith(".") and (kind := registry.find(entry))
    }
    if not formats:
        raise InputError(
            f"Expected image files ({registry.known()}) in the folder '{folder}', got none among "
            f"its {len(entries)} entries; name the folder that holds the files themselves."
        )
    names = {kind.reader.value: kind.reader.name for kind in reversed(formats.values())}
    if len(names) > 1:
        raise InputError(
            f"Expected files of one kind in '{folder}', got {', '.join(sorted(names.values()))}; "
            "put each kind into its own folder."
        )
    if any(kind.is_dicom for kind in formats.values()):
        return [_series(source, formats)]
    stacks = [kind.read(p, axis=source.axis, key=source.key) for p, kind in formats.items()]
    single = all(len(stack) == 1 and not stack.volume for stack in stacks)
    return [joined(stacks)] if single else stacks


def _series(source: ImageSource, formats: Mapping[Path, Format]) -> Stack:
    settings = ReadSettings(stem="", axis=source.axis, key=source.key)
    settings.refuse_key(source.path)
    settings.refuse_axis(source.path)
    stems = {path: kind.stem(path) for path, kind in formats.items()}
    return read_series([read_header(path) for path in formats], stems, source.path)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sorting key under which ``slice2`` comes before ``slice10``."""
    parts = re.findall(r"\d+|\D+", name)
    key = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]
    return [*key, (2, 0, name)]


def _not_there(path: Path) -> str:
    if not path.parent.is_dir():
        return (
            f"Expected a file or folder '{path}', got nothing there, nor the folder "
            f"'{path.parent}'; check the path."
        )
    siblings = [entry.name for entry in sorted(path.parent.iterdir())]
    close = get_close_matches(path.name, siblings, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"check the names in '{path.parent}'."
    return f"Expected a file or folder '{path}', got nothing there; {hint}"
