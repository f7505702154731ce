"""What all parts of a plan share: strict fields, and mistakes that say what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shaketable.search import LARGEST_RADIUS


def wrong(expected: str, advice: str = "") -> PydanticCustomError:
    """A mistake in words: what was expected, and what to do."""
    return PydanticCustomError(
        "wrong", "Expected {expected}", {"expected": expected, "advice": advice}
    )


class Spec(BaseModel):
    """A part of a plan: only the fields it lists, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _only_known_fields(cls, data: object) -> object:
        """Name the fields there are: pydantic's own message does not."""
        if isinstance(data, Mapping):
            for key in data:
                if key not in cls.model_fields:
                    raise PydanticCustomError(
                        "unknown_field", "unknown field",
                        {"key": str(key), "allowed": list(cls.model_fields)},
                    )  # fmt: skip
        return data


def _increasing(values: list[float]) -> list[float]:
    if any(after <= before for before, after in pairwise(values)):
        raise wrong("numbers that increase from one to the next", "sort them and leave out doubles")
    return values


def _object_name(text: str) -> str:
    module, colon, name = text.partition(":")
    parts = [*module.split("."), *name.split(".")]
    if not colon or not all(part.isidentifier() for part in parts):
        raise wrong("'package.module:name'", "a colon stands between the module and the name in it")
    return text


def _slices(value: object) -> object:
    numbers = isinstance(value, list) and all(type(entry) is int for entry in value)
    if not (isinstance(value, str) or numbers):
        raise wrong("a list of whole numbers or a text as '10:40:3'")
    return value


def empty_for_nothing(data: Any) -> Any:
    """``structural:`` with nothing behind it means: with its defaults."""
    if isinstance(data, Mapping):
        return {key: {} if value is None else value for key, value in data.items()}
    return data


Text = Annotated[str, StringConstraints(min_length=1)]
MethodName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+()-]*$")]
"""A name of a method: it names data sets in the array files too, so it holds no slash."""
Positive = Annotated[float, Field(gt=0)]
Rate = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
Shape = Annotated[list[Count], Field(min_length=2, max_length=2)]
AnyShape = Annotated[list[Count], Field(min_length=1)]
ObjectName = Annotated[str, AfterValidator(_object_name)]
Radius = Annotated[float, Field(gt=0, le=LARGEST_RADIUS)]
Radii = Annotated[list[Radius], Field(min_length=1), AfterValidator(_increasing)]
Slices = Annotated[Any, BeforeValidator(_slices)]
Arguments = dict[str, Any]
