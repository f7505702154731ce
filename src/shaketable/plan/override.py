"""Fields of a plan that are set beside its file: ``--set FIELD=VALUE``."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import yaml

from shaketable.errors import PlanError
from shaketable.plan.locate import FieldPath, PlanFile, PlanLoader
from shaketable.plan.mistakes import shown


def override(plan: PlanFile, assignments: Sequence[str]) -> PlanFile:
    """Set fields of a plan; a field that does not exist is found when the plan is validated.

    Parameters
    ----------
    plan
        As read from its file; it stays as it is.
    assignments
        ``FIELD=VALUE`` with dots between the names of fields, entries of lists by number from 0, and
        the value as in a plan: ``probes.worst_case.radii=[0.01, 0.02]``. Later ones count.

    Raises
    ------
    PlanError
        If one is no assignment, its value is no YAML, or its field lies in something without fields.

    Examples
    --------
    >>> from shaketable.plan.locate import parse_plan
    >>> from pathlib import Path
    >>> plan = parse_plan("images: {path: a.npy}", file="plan.yaml", folder=Path())
    >>> override(plan, ["images.count=2", "seed=7"]).data
    {'images': {'path': 'a.npy', 'count': 2}, 'seed': 7}
    """
    data, commands = copy.deepcopy(dict(plan.data)), dict(plan.commands)
    for text in assignments:
        name, equals, value = text.partition("=")
        command = f"--set {text}"
        if not equals or not all(name.split(".")):
            raise PlanError(
                f"Expected --set FIELD=VALUE with dots between names, got {text!r}; "
                "write --set seed=3.",
                file=plan.file,
            )
        path = _set(data, name.split("."), _parsed(value, command), command)
        commands = {key: each for key, each in commands.items() if key[: len(path)] != path}
        commands[path] = command
    return replace(plan, data=data, commands=commands)


def _parsed(text: str, command: str) -> Any:
    try:
        return yaml.load(text, Loader=PlanLoader)  # noqa: S506  (a SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PlanError(
            f"Expected a value as in a plan, got {text!r}, which is no YAML; check brackets and quotes.",
            file=command,
        ) from error


def _set(data: dict[str, Any], names: Sequence[str], value: Any, command: str) -> FieldPath:
    """Set one field; returns the outermost field that was not there before, or the field itself."""
    place: Any = data
    path: FieldPath = ()
    new: FieldPath = ()
    for position, name in enumerate(names):
        key = _key(place, name, path, command)
        path = (*path, key)
        there = isinstance(place, list) or place.get(key) is not None
        new = new or (() if there else path)
        if position == len(names) - 1:
            place[key] = value
        else:
            place[key] = place[key] if there else {}
            place = place[key]
    return new or path


def _key(place: Any, name: str, path: FieldPath, command: str) -> str | int:
    """The next part of a path: a field of a mapping, the number of an entry of a list."""
    if isinstance(place, Mapping):
        return name
    if isinstance(place, list) and name.isdecimal() and int(name) < len(place):
        return int(name)
    where = ".".join(map(str, path))
    if isinstance(place, list):
        expected = f"the number of one of the {len(place)} entries of {where}, counted from 0"
        got = repr(name)
    else:
        expected, got = f"fields inside {where}", f"{shown(place)} there"
    raise PlanError(
        f"Expected --set FIELD=VALUE with {expected}, got {got}; or set {where} itself.",
        file=command, field=where,
    )  # fmt: skip
