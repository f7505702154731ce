"""The paper's claims on the shipped weights, as they stand in docs/paper.md.

    python benchmarks/paper_claims.py OUT            make all figures in OUT and write their table
    python benchmarks/paper_claims.py OUT --check    compare only; exit code 1 where it differs

OUT is the folder of ``shaketable paper all``; what is finished there is kept. The table goes between
two marks in docs/paper.md and nothing else is touched. A claim that does not hold needs a paragraph
of its own there, which begins with the claim in bold; the program says which have none.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from documents import PAPER, read, settle

from shaketable.cli import main as shaketable

BEGIN, END = "<!-- claims: written by benchmarks/paper_claims.py -->", "<!-- end of claims -->"


def with_table(document: str, table: str) -> str:
    """The document with a table between its marks."""
    if document.count(BEGIN) != 1 or document.count(END) != 1:
        raise SystemExit(f"Expected the marks '{BEGIN}' and '{END}' once each in docs/{PAPER}.")
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table.strip()}\n{END}{after}"


def unexplained(document: str, table: str) -> list[str]:
    """Claims of a table that do not hold and have no paragraph in the document."""
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    failing = dict.fromkeys(row[2] for row in rows[1:] if row[-1] == "does not hold")
    return [claim for claim in failing if f"**{claim}**" not in document]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    if not arguments.check and (code := shaketable(["paper", "all", "--out", str(arguments.out)])):
        return code
    table = (arguments.out / "claims.md").read_text(encoding="utf-8")
    updated = with_table(read(PAPER), table)
    for claim in unexplained(updated, table):
        print(f"No paragraph on: {claim}")
    return settle(updated, PAPER, check=arguments.check)


if __name__ == "__main__":
    sys.exit(main())
