"""Documents of which programs write the tables."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PAPER = "paper.md"

Rows = list[list[str]]
"""Cells of a table, its head first."""

_DOCS = Path(__file__).resolve().parents[1] / "docs"
_TABLE = re.compile(r"(<!-- table: ([^>]*?) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def read(name: str) -> str:
    """A document as it stands."""
    return (_DOCS / name).read_text(encoding="utf-8")


def settle(updated: str, name: str, *, check: bool) -> int:
    """Write a document, or print how it differs; 1 where a check finds a difference."""
    if not check:
        (_DOCS / name).write_text(updated, encoding="utf-8")
        return 0
    document = read(name)
    sys.stdout.writelines(difflib.unified_diff(document.splitlines(True), updated.splitlines(True)))
    return int(updated != document)


def write_tables(
    description: str, name: str, stored: Mapping[str, Any], rows_of: Callable[[list[str]], Rows]
) -> int:
    """The program of a document: every table anew from stored results; ``--check`` compares.

    A table stands between ``<!-- table: KEY, KEY, ... -->`` and ``<!-- end of table -->``; its keys, of
    one kind, are those of the stored results.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()

    def filled(found: re.Match[str]) -> str:
        keys = [key.strip() for key in found[2].split(",")]
        missing = [key for key in keys if key not in stored]
        if missing:
            raise SystemExit(f"Expected stored results, got none for {', '.join(missing)}.")
        return f"{found[1]}{_markdown(rows_of(keys))}{found[3]}"

    return settle(_TABLE.sub(filled, read(name)), name, check=arguments.check)


def _markdown(rows: Rows) -> str:
    lines = ["| " + " | ".join(row) + " |\n" for row in rows]
    return "".join([lines[0], "|" + "---|" * len(rows[0]) + "\n", *lines[1:]])
