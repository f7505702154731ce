"""What all parts of a plan share: strict fields, and mistakes that say what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shaketable.errors import InputError
from shaketable.plan.objects import require_object_name

_SMALLEST, _LARGEST = 1e-20, 1e20
LARGEST_WHOLE = 2**63 - 1
"""What generators take as a seed and files hold as a number."""


def wrong(expected: str, advice: str = "") -> PydanticCustomError:
    """A mistake in words: what was expected, and what to do."""
    return PydanticCustomError(
        "wrong", "Expected {expected}", {"expected": expected, "advice": advice}
    )


def said(sentence: str, field: str | None = None) -> PydanticCustomError:
    """A mistake that is a whole sentence already, and the field in it that it is about."""
    return PydanticCustomError("said", "{sentence}", {"sentence": sentence, "field": field or ""})


def absent(field: str) -> PydanticCustomError:
    """A field that has to be there."""
    return PydanticCustomError("absent", "absent", {"field": field})


def unknown_field(key: object, allowed: Iterable[str]) -> PydanticCustomError:
    """A field that does not exist, and those that do: pydantic's own message does not name them."""
    return PydanticCustomError(
        "unknown_field", "unknown field", {"key": str(key), "allowed": list(allowed)}
    )


def unknown_name(field: str, name: object, allowed: Iterable[str]) -> PydanticCustomError:
    """A name that stands for nothing, the field that holds it, and those that stand for something."""
    return PydanticCustomError(
        "unknown_name", "unknown name", {"field": field, "name": name, "allowed": list(allowed)}
    )


class Spec(BaseModel):
    """A part of a plan: only the fields it lists, no silent conversions."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, protected_namespaces=()
    )

    @model_validator(mode="before")
    @classmethod
    def _only_known_fields(cls, data: object) -> object:
        """Name the fields there are."""
        if isinstance(data, Mapping):
            for key in data:
                if key not in cls.model_fields:
                    raise unknown_field(key, cls.model_fields)
        return data

    @model_serializer(mode="wrap")
    def _without_nothing(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is nothing."""
        return {key: value for key, value in write(self).items() if value is not None}


def _in_reach(value: float) -> float:
    if value != 0 and not _SMALLEST <= abs(value) <= _LARGEST:
        raise wrong(
            f"0 or a number between {_SMALLEST:g} and {_LARGEST:g} in size",
            "numbers beyond cannot be told from nothing in single precision",
        )
    return value


def _in_memory(value: int) -> int:
    if abs(value) > LARGEST_WHOLE:
        raise wrong(f"a whole number of at most {LARGEST_WHOLE}", "correct the value")
    return value


def checked(require: Callable[[str], object]) -> AfterValidator:
    """A check that raises an `InputError`, as one of a field."""

    def check(value: str) -> str:
        try:
            require(value)
        except InputError as error:
            raise said(str(error)) from error
        return value

    return AfterValidator(check)


def _slices(value: object) -> object:
    numbers = isinstance(value, list) and all(type(entry) is int for entry in value)
    if not (isinstance(value, str) or numbers):
        raise wrong("a list of whole numbers or a text as '10:40:3'")
    return value


Text = Annotated[str, StringConstraints(min_length=1)]
MethodName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+()-]*$")]
"""A name of a method: it names data sets in the array files too, so it holds no slash."""
Rate = Annotated[float, Field(gt=0, le=1)]
Whole = Annotated[int, AfterValidator(_in_memory)]
Number = Annotated[float, AfterValidator(_in_reach)]
Count = Annotated[Whole, Field(ge=1)]
Seed = Annotated[Whole, Field(ge=0)]
Shape = Annotated[list[Count], Field(min_length=2, max_length=2)]
ObjectName = Annotated[str, checked(require_object_name)]
Slices = Annotated[Any, BeforeValidator(_slices)]
Arguments = dict[str, Any]
