"""Documents of which programs write the tables."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"


def read(name: str = "paper.md") -> str:
    """The document as it stands."""
    return (DOCS / name).read_text(encoding="utf-8")


def settle(updated: str, name: str = "paper.md", *, check: bool) -> int:
    """Write the document, or print how it differs; 1 where a check finds a difference."""
    if not check:
        (DOCS / name).write_text(updated, encoding="utf-8")
        return 0
    document = read(name)
    sys.stdout.writelines(difflib.unified_diff(document.splitlines(True), updated.splitlines(True)))
    return int(updated != document)
