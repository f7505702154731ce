"""What stored results must hold before anything is read of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from shaketable.errors import RunError


class _Network(TypedDict):
    network: str
    baselines: list[str]
    images: list[dict[str, Any]]


class _Said(TypedDict):
    probe: str
    verdict: str
    statement: str


class _Measured(TypedDict):
    """The rest of a record is its probe's own."""

    probe: str


class _Results(TypedDict):
    plan: dict[str, Any]
    problem: _Network
    checks: list[dict[str, Any]]
    records: list[_Measured]
    verdicts: list[_Said]


_RESULTS = TypeAdapter(_Results)


def require_complete(results: object, path: Path) -> None:
    """Find that everything is there that is read of results without asking.

    Raises
    ------
    RunError
        If something is missing or of another kind, with where it should be.
    """
    try:
        _RESULTS.validate_python(results)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise RunError(
            f"Expected complete results in {path}, got a mistake at {where} "
            f"({first['msg'].lower()}); run the plan again with the same directory to mend them."
        ) from error
