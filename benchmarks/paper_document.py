"""docs/paper.md, of which programs write the tables."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "paper.md"


def read() -> str:
    """The document as it stands."""
    return DOCUMENT.read_text(encoding="utf-8")


def settle(updated: str, *, check: bool) -> int:
    """Write the document, or print how it differs; 1 where a check finds a difference."""
    if not check:
        DOCUMENT.write_text(updated, encoding="utf-8")
        return 0
    document = read()
    sys.stdout.writelines(difflib.unified_diff(document.splitlines(True), updated.splitlines(True)))
    return int(updated != document)
