"""Records: what a probe measured, as typed rows from which JSON, report and replay derive."""

from __future__ import annotations

import math
import re
import types
import typing
import unicodedata
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union

Role = Literal["network", "baseline"]


@dataclass(frozen=True, kw_only=True)
class Record:
    """What every record says; the fields of a probe follow in its own type.

    The run fills these in; a probe leaves them out.

    Parameters
    ----------
    probe
        Name of the probe.
    item
        What was measured with all methods side by side: the probe on one image.
    method, role
        Which reconstructor, and the part it plays.
    image
        Name of the image.
    version
        The version of Shaketable that measured it; empty in runs older than that.
    """

    probe: str = ""
    item: str = ""
    method: str = ""
    role: Role = "network"
    image: str = ""
    version: str = ""

    @property
    def is_network(self) -> bool:
        """Whether the network was measured, not a reference method."""
        return self.role != "baseline"


R = TypeVar("R")


def slug(name: str) -> str:
    """A file-name-safe form of a name.

    Examples
    --------
    >>> slug("patient 7/slice:3.nii")
    'patient-7-slice-3.nii'
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") or "image"


def to_row(record: Any) -> dict[str, Any]:
    """A record as plain data for JSON: what is not finite becomes None, tuples become lists.

    Examples
    --------
    >>> to_row(Record(probe="structural", image="one"))["image"]
    'one'
    """
    kind: Any = type(record)
    return {field.name: _plain(getattr(record, field.name)) for field in _fields(kind)}


def from_row(kind: type[R], row: Mapping[str, Any]) -> R:
    """Read a row that may lack fields or hold other things than it should.

    What is missing or of another kind becomes None where the type allows that, else NaN, an empty
    text, 0 or nothing; what the type does not know is passed over.

    Examples
    --------
    >>> from_row(Record, {"image": "one", "method": 3, "colour": "red"})
    Record(probe='', item='', method='', role='network', image='one', version='')
    """
    shape: Any = kind
    hints = _hints(shape)
    values = {f.name: _typed(hints[f.name], row.get(f.name)) for f in _fields(shape)}
    return kind(**values)


@cache
def _fields(kind: Any) -> tuple[Field[Any], ...]:
    return fields(kind)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


@cache
def _shape(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    return typing.get_origin(hint), typing.get_args(hint)


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return to_row(value)
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


_EMPTY: dict[Any, Any] = {str: "", float: math.nan, int: 0, bool: False}


def _typed(hint: Any, value: Any) -> Any:
    if type(value) is hint and hint is not float:  # nothing to read; most fields of most rows
        return value
    origin, arguments = _shape(hint)
    if origin in (Union, types.UnionType):
        (inner,) = (one for one in arguments if one is not type(None))
        return None if value is None else _or_none(inner, value)
    if origin is tuple:
        return _typed_tuple(arguments, value)
    if origin is Literal:
        return value if value in arguments else arguments[0]
    if is_dataclass(hint) and isinstance(hint, type):
        return from_row(hint, value if isinstance(value, Mapping) else {})
    found = _or_none(hint, value)
    return _EMPTY.get(hint) if found is None else found


def _typed_tuple(arguments: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    values = value if isinstance(value, list | tuple) else []
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_typed(arguments[0], one) for one in values)
    if len(values) != len(arguments):
        values = [None] * len(arguments)
    return tuple(_typed(one, each) for one, each in zip(arguments, values, strict=True))


def _or_none(hint: Any, value: Any) -> Any:
    """The value where it is of the kind, else None; a whole number is a number too."""
    if _shape(hint)[0] is tuple:
        return _typed(hint, value) if isinstance(value, list | tuple) else None
    if hint is float:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if good and math.isfinite(value) else None
    if hint is int:
        return value if isinstance(value, int) and not isinstance(value, bool) else None
    return value if isinstance(value, hint) else None


def printable(text: str) -> str:
    r"""Text without control characters and lone surrogates, which terminals and XML act upon.

    Examples
    --------
    >>> printable("a\x1b[31mred\ud800")
    'a?[31mred?'
    """
    return "".join(
        "?" if unicodedata.category(one) in ("Cc", "Cs") and one not in "\n\t" else one
        for one in text
    )
