"""From settings dataclasses to the fields of a plan: whatever Python can set, a plan can set.

A settings class is a frozen dataclass. Its fields, their types and defaults say what a plan may
write; its own checks say what is wrong with it. Nothing is written down twice.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import Field as Limits
from pydantic import PlainSerializer, PlainValidator, ValidationInfo, create_model
from pydantic_core import PydanticCustomError

from shaketable.errors import InputError
from shaketable.plan.schema_base import Number, Spec, Whole, said

Reader = Callable[[Any, ValidationInfo], "Written"]


@dataclass(frozen=True, kw_only=True)
class Written:
    """A value that a plan states, and plain data that state it anywhere, every setting written out."""

    value: Any
    data: Any


@dataclass(frozen=True, kw_only=True)
class Around:
    """What the fields of a plan depend on: its folder, and whether its images are real."""

    folder: Path
    real: bool = False

    @classmethod
    def of(cls, info: ValidationInfo) -> Around:
        """What a plan is validated with."""
        around: Around = info.context  # type: ignore[assignment]  # pydantic does not know its type
        return around


class Form(NamedTuple):
    """How a plan writes a type that is no plain data, and the field that tells its classes apart."""

    read: Reader
    tag: Callable[[Any], Mapping[str, str]]


AS_WRITTEN = PlainSerializer(lambda written: None if written is None else written.data)
_FORMS: dict[Any, Form] = {}


def declare(
    hint: Any, read: Reader, tag: Callable[[Any], Mapping[str, str]] = lambda _: {}
) -> None:
    """Say how plans write a type: a protocol, a union, a class that is no settings dataclass.

    Parameters
    ----------
    hint
        The type, as fields of settings are annotated.
    read
        What a plan says, as a value.
    tag
        For a value, the field that says which of several classes it is of; empty where there is one.
    """
    _FORMS[hint] = Form(read=read, tag=tag)


def as_field(read: Reader) -> Any:
    """The type of a field that is read in a way of its own."""
    return Annotated[Any, PlainValidator(read), AS_WRITTEN]


def read_settings(kind: type, data: Any, info: ValidationInfo) -> Written:
    """Make a settings dataclass from what a plan says.

    Raises
    ------
    pydantic.ValidationError, PydanticCustomError
        With the place of every mistake; what the class itself finds wrong is one.
    """
    try:
        model = _model(kind)
    except InputError as error:
        raise said(str(error)) from error
    given = model.model_validate(data, context=info.context)
    stated = {key: getattr(given, key) for key in given.model_fields_set}
    keys = {field.name: key for key, field in _fields(kind).items()}
    settings = {name: _value(stated[key]) for name, key in keys.items() if key in stated}
    try:
        value = kind(**settings)
    except (InputError, TypeError, ValueError) as error:
        field = getattr(error, "field", None)
        if field is None or field.partition(".")[0] not in ("", *settings):
            field = _culprit(kind, settings)
        raise said(str(error), field=keys.get(field, field)) from error
    return Written(value=value, data=_fields_of(value, stated))


def data_of(value: Any, forms: Sequence[Form] = ()) -> Any:
    """Settings as a plan writes them, defaults included.

    Parameters
    ----------
    value
        Settings, or what they may hold.
    forms
        Of the type of the field that holds it.

    Raises
    ------
    InputError
        If something in it cannot be written into a plan.
    """
    if isinstance(value, Written):
        return value.data
    if is_dataclass(value) and not isinstance(value, type):
        tags = [form.tag(value) for form in forms]
        return {**next(filter(None, tags), {}), **_fields_of(value, {})}
    if isinstance(value, Mapping):
        return {key: data_of(each, forms) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [data_of(each, forms) for each in value]
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Path):
        return str(value)
    raise InputError(
        f"Expected settings that a plan can state, got {type(value).__name__}; a plan reads it from "
        "a file."
    )


def _fields_of(value: Any, stated: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of settings as data, without what is nothing by default."""
    data = {}
    kind: type = type(value)
    for key, field in _fields(kind).items():
        forms = tuple(_forms_in(_hints(kind)[field.name]))
        each = data_of(stated[key] if key in stated else getattr(value, field.name), forms)
        if each is not None or field.default is not None:
            data[key] = each
    return data


def _value(raw: Any) -> Any:
    """What is given to the class: lists become tuples, which nobody can change."""
    if isinstance(raw, Written):
        return raw.value
    if isinstance(raw, list):
        return tuple(map(_value, raw))
    return {key: _value(each) for key, each in raw.items()} if isinstance(raw, dict) else raw


def _culprit(kind: type, settings: Mapping[str, Any]) -> str:
    """The setting, or entry of one, without which all is good; empty where it is not one alone."""
    if len(settings) == 1:
        return _entry(kind, settings, next(iter(settings)))
    for name in settings:
        if _is_good(kind, {key: value for key, value in settings.items() if key != name}):
            return _entry(kind, settings, name)
    return ""


def _entry(kind: type, settings: Mapping[str, Any], name: str) -> str:
    entries = settings[name]
    if not isinstance(entries, tuple):
        return name
    cures = [
        index for index in range(len(entries))
        if _is_good(kind, {**settings, name: entries[:index] + entries[index + 1 :]})
    ]  # fmt: skip
    return f"{name}.{cures[0]}" if len(cures) == 1 else name


def _is_good(kind: type, settings: Mapping[str, Any]) -> bool:
    try:
        kind(**settings)
    except (InputError, TypeError, ValueError):
        return False
    return True


def _fields(kind: type) -> dict[str, Field[Any]]:
    """The fields by what a plan calls them: in a reference method, ``method`` tells which one it is."""
    taken = "method" if any("__call__" in vars(base) for base in kind.__mro__) else ""
    own = [field for field in fields(kind) if field.init]
    return {"of" if field.name == taken else field.name: field for field in own}


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)


@cache
def _model(kind: type) -> type[Spec]:
    """The fields of a settings class, to be validated together."""
    described: dict[str, Any] = {}
    for key, field in _fields(kind).items():
        needed = field.default is MISSING and field.default_factory is MISSING
        described[key] = (_annotation(_hints(kind)[field.name], kind), ... if needed else None)
    return create_model(kind.__name__, __base__=Spec, **described)


def _annotation(hint: Any, kind: type) -> Any:
    """The type of a field as pydantic understands it."""
    origin, arguments = get_origin(hint), get_args(hint)
    form = _form(hint)
    if form is not None:
        return as_field(form.read)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if origin is Literal:
        return hint
    if origin is Annotated:
        return Annotated[_annotation(arguments[0], kind), *hint.__metadata__]
    if origin in (Union, types.UnionType):
        return Union[tuple(_annotation(each, kind) for each in arguments)]  # noqa: UP007
    if origin in (list, Sequence) or (origin is tuple and arguments[-1] is ...):
        return list[_annotation(arguments[0], kind)]  # type: ignore[misc]
    if origin is tuple:
        n, entry = len(arguments), Union[arguments]  # noqa: UP007
        exactly = Limits(min_length=n, max_length=n)
        return Annotated[list[_annotation(entry, kind)], exactly]  # type: ignore[misc]
    if origin in (dict, Mapping):
        return dict[str, _annotation(arguments[1], kind)]  # type: ignore[misc]
    if is_dataclass(hint) and isinstance(hint, type):
        return as_field(lambda data, info: read_settings(hint, data, info))
    raise InputError(
        f"Expected fields of {kind.__name__} that a plan can state (numbers, texts, truth values, "
        f"lists, mappings, paths, tensors, settings dataclasses), got {hint!r}; change its type."
    )


def _form(hint: Any) -> Form | None:
    return _FORMS.get(hint) or _FORMS.get(get_origin(hint))


def _forms_in(hint: Any) -> Iterator[Form]:
    """The declared forms in a type."""
    form = _form(hint)
    if form is not None:
        yield form
    else:
        for part in get_args(hint):
            yield from _forms_in(part)


def _read_path(data: Any, info: ValidationInfo) -> Written:
    """A path, absolute once it is read: relative ones start from the folder of the plan."""
    if not isinstance(data, str) or not data:
        raise PydanticCustomError("string_type", "a text")
    path = (Around.of(info).folder / Path(data).expanduser()).resolve()
    return Written(value=path, data=str(path))


_PLAIN: Mapping[Any, Any] = {
    int: Whole, float: Number, bool: bool, str: str, Any: Any, type(None): None,
}  # fmt: skip
declare(Path, _read_path)
