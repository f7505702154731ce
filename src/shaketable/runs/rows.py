"""Plain data as JSON: sorted, and without numbers that do not exist."""

from __future__ import annotations

import json

import numpy as np


def to_json(value: object) -> str:
    """JSON with sorted keys; NaN and infinity are refused rather than written."""
    return json.dumps(
        value, sort_keys=True, allow_nan=False, ensure_ascii=False, default=_plain_number
    )


def _plain_number(value: object) -> object:
    """Settings may be numbers of NumPy."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
