"""What somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(name: str, allowed: Iterable[str], otherwise: str) -> str:
    """``did you mean 'x'?``, or another advice where nothing is close."""
    close = get_close_matches(name, list(allowed), n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else otherwise
