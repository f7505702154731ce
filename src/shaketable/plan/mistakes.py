"""Mistakes in a plan as one sentence each: expected, got, what to do."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from shaketable.errors import PlanError
from shaketable.plan.locate import FieldPath, PlanFile
from shaketable.plan.suggestion import suggestion

_KINDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "a mapping of fields",
    "model_type": "a mapping of fields",
    "model_attributes_type": "a mapping of fields",
    "finite_number": "a finite number",
    "string_too_short": "a text with something in it",
    "string_pattern_mismatch": "a name of letters, digits, spaces and . _ + - ( )",
}
_BOUNDS = {
    "greater_than": ("gt", "a number above {:g}"),
    "greater_than_equal": ("ge", "a number of at least {:g}"),
    "less_than": ("lt", "a number below {:g}"),
    "less_than_equal": ("le", "a number of at most {:g}"),
    "too_short": ("min_length", "a list of at least {:g} entries"),
    "too_long": ("max_length", "a list of at most {:g} entries"),
}


def first_mistake(plan: PlanFile, error: ValidationError) -> PlanError:
    """The mistake that stands first in the file, as an error with file, line and field."""
    found = []
    for order, entry in enumerate(error.errors(include_url=False)):
        path, sentence = _explain(plan, dict(entry))
        found.append((plan.line(path) or 0, order, path, sentence))
    _, _, path, sentence = min(found)
    return plan.error(path, _with_count(sentence, len(found) - 1))


def _with_count(sentence: str, n_more: int) -> str:
    """The sentence, and how many more mistakes there are, within it."""
    if n_more == 0:
        return sentence
    words = f"({n_more} more {'mistake' if n_more == 1 else 'mistakes'} in the plan)"
    return f"{sentence.removesuffix('.')} {words}."


def _explain(plan: PlanFile, entry: Mapping[str, Any]) -> tuple[FieldPath, str]:
    """Where the mistake is, and the sentence about it."""
    kind, context = entry["type"], entry.get("ctx", {})
    path = _path_in(plan.data, entry["loc"], missing=kind == "missing")
    if kind == "unknown_field":
        key, allowed = context["key"], context["allowed"]
        return (*path, key), _one_of(allowed, f"'{key}'", suggestion(key, allowed, "remove it."))
    if kind == "unknown_name":
        name, allowed = context["name"], context["allowed"]
        advice = suggestion(str(name), allowed, "choose one of them.")
        # The method of a reference method is usually its own name, no field that is written down.
        return plan.written(path, [context["field"]]), _one_of(allowed, shown(name), advice)
    if kind == "absent":
        path = (*path, context["field"])
    if kind in ("missing", "absent"):
        return path, f"Expected the field '{path[-1]}', got none; add it."
    if kind == "wrong":
        advice = f"; {context['advice']}." if context["advice"] else "."
        return path, f"Expected {context['expected']}, got {shown(entry['input'])}{advice}"
    if kind == "said":
        return plan.written(path, context["field"].split(".")), context["sentence"]
    return path, _explain_value(kind, context, entry)


def _one_of(allowed: Iterable[str], got: str, advice: str) -> str:
    return f"Expected one of {', '.join(allowed)}, got {got}; {advice}"


def _explain_value(kind: str, context: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    got = shown(entry["input"])
    if kind == "literal_error":
        allowed = context["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        advice = suggestion(str(entry["input"]), allowed, "choose one of them.")
        return _one_of(allowed, got, advice)
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"Expected {words.format(context[name])}, got {got}; correct the value."
    if kind in _KINDS:
        return f"Expected {_KINDS[kind]}, got {got}; correct the value."
    return f"Expected another value, got {got} ({entry['msg']}); correct it."


def _path_in(data: object, location: Sequence[str | int], *, missing: bool) -> FieldPath:
    """The part of pydantic's location that is written in the file.

    Pydantic adds the tags of unions, and wraps single entries into lists; neither is in the file.
    """
    path: list[str | int] = []
    for position, part in enumerate(location):
        inside = (isinstance(data, Mapping) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        )
        if inside:
            data = data[part]  # type: ignore[index]
            path.append(part)
        elif missing and position == len(location) - 1:
            path.append(part)
    return tuple(path)


def shown(value: object) -> str:
    """A value as a message shows it: short, in one line."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "the fields " + ", ".join(map(str, value)) if value else "no fields"
    if isinstance(value, list) and len(value) <= 8:
        return str(value).replace("\n", " ")
    return reprlib.repr(value).replace("\n", " ")
