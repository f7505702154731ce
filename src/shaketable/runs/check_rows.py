"""Checks as plain data, and back: what was checked once is not checked again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from shaketable.checks import Check
from shaketable.probes.strength import StrengthCheck
from shaketable.testing import Trial


def check_to_row(check: Check) -> dict[str, Any]:
    """A check for JSON: numbers that do not exist become None."""
    row = asdict(check)
    return row | {name: _finite(row[name]) for name in ("value", "limit")}


def check_from_row(row: Mapping[str, Any]) -> Check:
    """A check as it was.

    Raises
    ------
    KeyError, TypeError
        If the row is no check.
    """
    own = {name: row[name] for name in ("name", "passed", "sentence")}
    value, limit = (math.nan if row[name] is None else row[name] for name in ("value", "limit"))
    if "trials" not in row:
        return Check(**own, value=value, limit=limit)
    trials = tuple(Trial(**trial) for trial in row["trials"])
    return StrengthCheck(**own, value=value, limit=limit, trials=trials)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
