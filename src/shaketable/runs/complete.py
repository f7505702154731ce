"""What stored results must hold before anything is read of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from shaketable.errors import RunError
from shaketable.registry import OURS


class _Image(TypedDict):
    id: str
    sha256: str
    dtype: str


class _Network(TypedDict):
    network: str
    baselines: list[str]
    images: list[_Image]


class _Said(TypedDict):
    probe: str
    verdict: str
    statement: str


class _Measured(TypedDict):
    """The rest of a record is its probe's own."""

    probe: str


class _MeasuredInImage(_Measured):
    """A record of a probe of this package."""

    item: str
    method: str
    image: str


class _OurRecords(TypedDict):
    records: list[_MeasuredInImage]


class _Results(TypedDict):
    plan: dict[str, Any]
    problem: _Network
    checks: list[dict[str, Any]]
    records: list[_Measured]
    verdicts: list[_Said]


_RESULTS = TypeAdapter(_Results)
_OUR_RECORDS = TypeAdapter(_OurRecords)
_OURS = OURS["shaketable.probes"]


def require_complete(results: object, path: Path) -> None:
    """Find that everything is there that is read of results without asking.

    Raises
    ------
    RunError
        If something is missing or of another kind, with where it should be.
    """
    try:
        _RESULTS.validate_python(results)
        records = results["records"]  # type: ignore[index]
        ours = [record for record in records if record["probe"] in _OURS]
        _OUR_RECORDS.validate_python({"records": ours})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise RunError(
            f"Expected complete results in {path}, got a mistake at {where} "
            f"({first['msg'].lower()}); run the plan again with the same directory to mend them."
        ) from error
