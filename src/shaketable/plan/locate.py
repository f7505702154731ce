"""Plan files as plain data that remembers on which line everything stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from shaketable.errors import InputError, PlanError, ShaketableError

FieldPath = tuple[str | int, ...]


class PlanLoader(yaml.SafeLoader):
    """YAML as people expect it: ``5e-3`` is a number, ``10:40:3`` and ``yes`` are texts.

    PyYAML follows YAML 1.1, where ``5e-3`` is a text, ``10:40:3`` the number 38403 and ``no`` is
    false; each of them would be a trap in a plan.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _tag, _pattern, _first_characters in (
    ("bool", r"true|True|false|False", [*"tTfF"]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", [*"-+0123456789"]),
    (
        "float",
        r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)",
        [*"-+.0123456789"],
    ),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", [*"-+."]),
    ("null", r"~|null|Null|", [*"~nN", ""]),
    ("merge", r"<<", ["<"]),
):
    PlanLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first_characters
    )


_NOTHING = object()


def _inside(place: Any, part: str | int) -> Any:
    """A field of a mapping or an entry of a list, where there is one."""
    if isinstance(place, list):
        return place[int(part)] if str(part).isdecimal() and int(part) < len(place) else _NOTHING
    return place.get(part, _NOTHING) if isinstance(place, Mapping) else _NOTHING


@dataclass(frozen=True, kw_only=True)
class PlanFile:
    """A plan as it was written: its data and where each part stands.

    Parameters
    ----------
    file
        As messages name it.
    folder
        What relative paths start from.
    data
        Mappings, lists, numbers and texts.
    lines
        Line, counted from 1, of every field and list entry, by its path.
    commands
        What set a field in place of the file, by the field's path: ``--set seed=3``.
    """

    file: str
    folder: Path
    data: Mapping[str, Any]
    lines: Mapping[FieldPath, int] = field(default_factory=dict)
    commands: Mapping[FieldPath, str] = field(default_factory=dict)

    def line(self, path: FieldPath) -> int | None:
        """The line of a field, or of the nearest one around it that is written down."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def error(self, path: FieldPath, message: str) -> PlanError:
        """An error about a field, with file and line."""
        name = ".".join(str(part) for part in path)
        for length in range(len(path), 0, -1):
            if path[:length] in self.commands:
                return PlanError(message, file=self.commands[path[:length]], field=name)
        return PlanError(message, file=self.file, line=self.line(path), field=name)

    def written(self, path: FieldPath, inner: Iterable[str]) -> FieldPath:
        """The path of a field inside another one, as far in as it is written down."""
        place: Any = self.data
        for part in path:
            place = _inside(place, part)
        for name in inner:
            place = _inside(place, name)
            if place is _NOTHING:
                break
            path = (*path, int(name) if name.isdecimal() else name)
        return path

    @contextmanager
    def at(self, *path: str | int) -> Iterator[None]:
        """Give the errors of other rooms the place of the field they are about."""
        try:
            yield
        except PlanError:
            raise
        except ShaketableError as error:
            field = error.field if isinstance(error, InputError) else None
            raise self.error(self.written(path, (field or "").split(".")), str(error)) from error
        except MemoryError as error:
            raise self.error(
                path, "Expected something that fits into memory, got more; choose smaller numbers."
            ) from error


def read_plan_file(path: str | Path) -> PlanFile:
    """Read a plan file without judging its content.

    Raises
    ------
    PlanError
        If there is no such file, or it is not YAML with one mapping in it.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(_unreadable(path, error), file=str(path)) from error
    return parse_plan(text, file=str(path), folder=path.resolve().parent)


def parse_plan(text: str, *, file: str, folder: Path) -> PlanFile:
    r"""Turn the text of a plan into data with lines.

    Raises
    ------
    PlanError
        If it is not YAML, not one mapping, or says a field twice.

    Examples
    --------
    >>> plan = parse_plan("seed: 1\nimages:\n  path: a.npy", file="plan.yaml", folder=Path())
    >>> plan.data["images"], plan.line(("images", "path"))
    ({'path': 'a.npy'}, 3)
    """
    try:
        node = yaml.compose(text, Loader=PlanLoader)
        lines = dict(_lines(node, (), (), file)) if node is not None else {}
        data = yaml.load(text, Loader=PlanLoader)  # noqa: S506  (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise PlanError(
            f"Expected YAML, got text that cannot be read as such "
            f"({' '.join(str(error.problem).split())}); check indentation, colons and quotes.",
            file=file,
            line=None if mark is None else mark.line + 1,
        ) from error
    except PlanError:
        raise
    except RecursionError as error:
        raise PlanError(
            "Expected a plan a few levels deep, got one nested too deeply to be read; write it flat.",
            file=file,
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        raise PlanError(
            f"Expected YAML, got text that cannot be read as such ({str(error).splitlines()[0]}); "
            "save it as plain UTF-8 text.",
            file=file,
        ) from error
    if not isinstance(data, dict):
        got = "an empty file" if data is None else f"a {type(data).__name__}"
        raise PlanError(
            f"Expected the fields network, images and probes, got {got}; "
            "'shaketable init PLAN.yaml --example mri' writes a plan to start from.",
            file=file,
            line=None if data is None else 1,
        )
    return PlanFile(file=file, folder=folder, data=data, lines=lines)


def _lines(
    node: yaml.Node, path: FieldPath, parents: Sequence[yaml.Node], file: str
) -> Iterator[tuple[FieldPath, int]]:
    if any(node is parent for parent in parents):
        raise PlanError(
            "Expected a plan that ends, got a field that contains itself; remove the alias.",
            file=file,
            line=node.start_mark.line + 1,
        )
    inside = (*parents, node)
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                raise PlanError(
                    f"Expected every field once, got {name!r} here and on line {seen[name]}; "
                    "remove one of them.",
                    file=file,
                    line=line,
                    field=".".join(map(str, (*path, name))),
                )
            seen[name] = line
            yield (*path, name), line
            yield from _lines(value, (*path, name), inside, file)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1
            yield from _lines(value, (*path, index), inside, file)


def _unreadable(path: Path, error: Exception) -> str:
    if path.is_dir():
        return "Expected a plan file, got a folder; name the YAML file in it."
    if isinstance(error, UnicodeDecodeError):
        return "Expected a plan as UTF-8 text, got a file of another kind; name the YAML file."
    if isinstance(error, FileNotFoundError):
        return (
            "Expected a plan file, got nothing there; "
            "'shaketable init PLAN.yaml --example mri' writes one."
        )
    reason = error.strerror if isinstance(error, OSError) else type(error).__name__
    return f"Expected a plan file, got one that cannot be read ({reason}); check its permissions."
