"""A run on disk as an object: its verdicts, its records, its report."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shaketable.errors import MissingDependencyError, RunError
from shaketable.runs.complete import require_complete
from shaketable.runs.results import SCHEMA, exit_code

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, kw_only=True, repr=False)
class Run:
    """A run on disk.

    Parameters
    ----------
    directory
        Where it is.
    results
        The content of ``results.json``.
    """

    directory: Path
    results: Mapping[str, Any]

    @property
    def verdicts(self) -> tuple[Mapping[str, Any], ...]:
        """One per probe and network."""
        return tuple(self.results["verdicts"])

    @property
    def comparisons(self) -> tuple[Mapping[str, Any], ...]:
        """Paired differences of networks, one per probe and pair; none for a single network."""
        return tuple(self.results.get("comparisons", ()))

    @property
    def records(self) -> tuple[Mapping[str, Any], ...]:
        """What was measured: one row per probe, method, image and setting."""
        return tuple(self.results["records"])

    @property
    def exit_code(self) -> int:
        """0: all stable; 1: something unstable; 3: nothing unstable, something inconclusive."""
        return exit_code(self.verdicts)

    def to_dataframe(self) -> DataFrame:
        """The records as a pandas frame, one row each.

        Raises
        ------
        MissingDependencyError
            If pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise MissingDependencyError(
                "Expected pandas for a data frame, got no such library; pip install pandas, or use "
                "run.records."
            ) from error
        return pandas.DataFrame(list(self.records))

    def report(self, out: str | Path | None = None) -> Path:
        """Write the report, one self-contained HTML file, and return its path."""
        from shaketable.report import build_report

        return build_report(self.directory, None if out is None else Path(out))

    def __repr__(self) -> str:
        words = ", ".join(f"{_title(verdict)} {verdict['verdict']}" for verdict in self.verdicts)
        return f"Run({str(self.directory)!r}: {words or 'no verdict'})"

    def _repr_html_(self) -> str:
        """A table of the verdicts, for notebooks."""
        rows = "".join(
            f"<tr><td>{html.escape(_title(verdict))}</td>"
            f"<td><b>{html.escape(str(verdict['verdict']))}</b></td>"
            f"<td style='text-align:left'>{html.escape(str(verdict['statement']))}</td></tr>"
            for verdict in self.verdicts
        )
        return f"<table>{rows}</table><p>{html.escape(str(self.directory))}</p>"


def _title(verdict: Mapping[str, Any]) -> str:
    """``net: worst case, data domain``."""
    name = str(verdict["probe"]).replace("_", " ")
    domain = f", {verdict['domain']} domain" if verdict.get("domain") else ""
    network = f"{verdict['network']}: " if verdict.get("network") else ""
    return f"{network}{name}{domain}"


def load_run(directory: str | Path) -> Run:
    """Read a stored run.

    Raises
    ------
    RunError
        If there is no readable and complete ``results.json`` of this schema.
    """
    path = Path(directory) / "results.json"
    try:
        results = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RunError(
            f"Expected a run with a readable results.json in {directory}, got "
            f"{type(error).__name__}; run the plan again with the same directory to finish it."
        ) from error
    schema = results.get("schema") if isinstance(results, dict) else None
    if schema != SCHEMA:
        raise RunError(
            f"Expected results of schema {SCHEMA!r}, got {schema!r} in {path}; use the version of "
            "Shaketable that wrote them."
        )
    require_complete(results, path)
    return Run(directory=Path(directory), results=results)
