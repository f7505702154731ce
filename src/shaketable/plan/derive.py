"""From settings dataclasses to the fields of a plan: whatever Python can set, a plan can set.

A settings class is a frozen dataclass. Its fields, their types and defaults say what a plan may
write; its own checks say what is wrong with it. Nothing is written down twice.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    Protocol,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import (
    Discriminator,
    PlainSerializer,
    PlainValidator,
    Tag,
    ValidationInfo,
    create_model,
)
from pydantic import Field as Limits
from pydantic_core import PydanticCustomError

from shaketable.errors import InputError
from shaketable.plan.schema_base import Number, Spec, Whole, said

Value = TypeVar("Value")
TAG = "method"


@dataclass(frozen=True, kw_only=True)
class Written(Generic[Value]):
    """A value that a plan states, and plain data that state it anywhere, every setting written out."""

    value: Value
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


class Form(Protocol):
    """How a plan writes a type that is no plain data."""

    def read(self, data: Any, info: ValidationInfo) -> Written[Any]:
        """What a plan says, as a value."""
        ...

    def tag(self, value: object) -> Mapping[str, str]:
        """What tells this value's class from the others of its type; empty where there is one."""
        ...


AS_WRITTEN = PlainSerializer(lambda written: None if written is None else written.data)
_FORMS: dict[Any, Form] = {}


def declare(hint: Any, form: Form) -> None:
    """Say how plans write a type: a protocol, a union, a class that is no settings dataclass."""
    _FORMS[hint] = form


def as_field(read: Callable[[Any, ValidationInfo], Written[Any]]) -> Any:
    """The type of a field that is read in a way of its own."""
    return Annotated[Any, PlainValidator(read), AS_WRITTEN]


def read_settings(kind: type, data: Any, info: ValidationInfo) -> Written[Any]:
    """Make a settings dataclass from what a plan says.

    Raises
    ------
    pydantic.ValidationError, PydanticCustomError
        With the place of every mistake; what the class itself finds wrong is one.
    """
    given = _model(kind).model_validate(data, context=info.context)
    stated = {key: getattr(given, key) for key in given.model_fields_set}
    keys = {field.name: key for key, field in _fields(kind).items()}
    settings = {name: _value(stated[key]) for name, key in keys.items() if key in stated}
    try:
        value = kind(**settings)
    except (InputError, TypeError, ValueError) as error:
        field = error.field if isinstance(error, InputError) else None
        culprit = _culprit(kind, settings) if field is None else field
        raise said(str(error), field=keys.get(culprit, culprit)) from error
    data = data_of(value) | {key: _data(each) for key, each in stated.items()}
    return Written(value=value, data=_without_defaults(kind, data))


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
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        written = {
            key: data_of(getattr(value, field.name), tuple(_forms_in(_hints(kind)[field.name])))
            for key, field in _fields(kind).items()
        }
        tags = [form.tag(value) for form in forms]
        return dict(next(filter(None, tags), {})) | _without_defaults(kind, written)
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


def _without_defaults(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """The data without what is nothing by default."""
    nothing = {key for key, field in _fields(kind).items() if field.default is None}
    return {key: each for key, each in data.items() if each is not None or key not in nothing}


def _value(raw: Any) -> Any:
    """What is given to the class: lists become tuples, which nobody can change."""
    if isinstance(raw, Written):
        return raw.value
    if isinstance(raw, list):
        return tuple(map(_value, raw))
    return {key: _value(each) for key, each in raw.items()} if isinstance(raw, dict) else raw


def _data(raw: Any) -> Any:
    if isinstance(raw, Written):
        return raw.data
    if isinstance(raw, list):
        return list(map(_data, raw))
    return {key: _data(each) for key, each in raw.items()} if isinstance(raw, dict) else raw


def _culprit(kind: type, settings: Mapping[str, Any]) -> str:
    """The setting without which the others are good; empty where it is not one alone."""
    if len(settings) == 1:
        return next(iter(settings))
    for name in settings:
        try:
            kind(**{key: value for key, value in settings.items() if key != name})
        except (InputError, TypeError, ValueError):
            continue
        return name
    return ""


def _fields(kind: type) -> dict[str, Field[Any]]:
    """The fields by what a plan calls them: one that would be taken for the tag is ``of``."""
    own = [field for field in fields(kind) if field.init]
    return {"of" if field.name == TAG else field.name: field for field in own}


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind, include_extras=True)


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
        return _union(arguments, kind)
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


def _union(arguments: tuple[Any, ...], kind: type) -> Any:
    """A union whose mistakes are told once: a list is meant as one, all else as what is none."""
    lists = [hint for hint in arguments if get_origin(hint) in (tuple, list, Sequence)]
    others = [hint for hint in arguments if hint not in lists]
    if lists and others:
        return Annotated[
            Annotated[_annotation(Union[tuple(lists)], kind), Tag("list")]  # noqa: UP007
            | Annotated[_annotation(Union[tuple(others)], kind), Tag("one")],  # noqa: UP007
            Discriminator(lambda data: "list" if isinstance(data, list) else "one"),
        ]
    return Union[tuple(_annotation(hint, kind) for hint in arguments)]  # noqa: UP007


def _form(hint: Any) -> Form | None:
    return _FORMS.get(hint) or _FORMS.get(get_origin(hint)) if _hashable(hint) else None


def _hashable(hint: Any) -> bool:
    return hint.__hash__ is not None


def _forms_in(hint: Any) -> Iterator[Form]:
    """The declared forms in a type."""
    form = _form(hint)
    if form is not None:
        yield form
    else:
        for part in get_args(hint):
            yield from _forms_in(part)


class _PathForm:
    """A path, absolute once it is read: relative ones start from the folder of the plan."""

    def read(self, data: Any, info: ValidationInfo) -> Written[Path]:
        if not isinstance(data, str) or not data:
            raise PydanticCustomError("string_type", "a text")
        path = (Around.of(info).folder / Path(data).expanduser()).resolve()
        return Written(value=path, data=str(path))

    def tag(self, value: object) -> Mapping[str, str]:  # noqa: ARG002
        return {}


_PLAIN: Mapping[Any, Any] = {
    int: Whole, float: Number, bool: bool, str: str, Any: Any, type(None): None,
}  # fmt: skip
declare(Path, _PathForm())
