"""What a run found, for machines that build and test: Markdown for a summary, JUnit XML for results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as Xml

from shaketable.records import printable

Row = Mapping[str, Any]


def markdown(results: Row) -> str:
    r"""A table of the verdicts, one row per network and probe, and the comparisons of networks.

    Examples
    --------
    >>> verdict = {"probe": "structural", "verdict": "stable", "statement": "a|b", "network": "net"}
    >>> print(markdown({"verdicts": [verdict]}).splitlines()[4])
    | net | structural | **stable** | a\|b |
    """
    lines = ["# Stability", "", "| network | probe | verdict | |", "|---|---|---|---|"]
    for row in _rows(results, "verdicts"):
        name, probe = _cell(_network(results, row)), _cell(_probe(row))
        lines.append(
            f"| {name} | {probe} | **{_cell(row['verdict'])}** | {_cell(row['statement'])} |"
        )
    comparisons = _rows(results, "comparisons")
    if comparisons:
        lines += ["", "| network | beside | probe | verdict | |", "|---|---|---|---|---|"]
    for row in comparisons:
        lines.append(
            f"| {_cell(row['network'])} | {_cell(row['beside'])} | {_cell(_probe(row))} | "
            f"**{_cell(row['verdict'])}** | {_cell(row['statement'])} |"
        )
    lines += [f"\n{_cell(note)}" for note in results.get("notes", ())]
    return "\n".join([*lines, ""])


def junit(results: Row) -> str:
    """JUnit XML: a suite per network, a case per verdict.

    ``unstable`` fails, ``inconclusive`` is skipped, and what could not be measured is an error.

    Examples
    --------
    >>> verdict = {"probe": "structural", "verdict": "unstable", "statement": "Lost.", "network": "net"}
    >>> '<failure message="Lost."' in junit({"verdicts": [verdict]})
    True
    """
    root = Xml.Element("testsuites", name="shaketable")
    verdicts = _rows(results, "verdicts")
    for network in dict.fromkeys(_network(results, row) for row in verdicts):
        mine = [row for row in verdicts if _network(results, row) == network]
        suite = _suite(root, network, mine)
        for row in mine:
            case = Xml.SubElement(suite, "testcase", classname=printable(network), name=_probe(row))
            statement = printable(str(row["statement"]))
            if row["verdict"] == "unstable":
                Xml.SubElement(case, "failure", message=statement)
            elif row["verdict"] != "stable":
                Xml.SubElement(case, "skipped", message=statement)
            Xml.SubElement(case, "system-out").text = statement
    failed = _rows(results, "failed")
    if failed:
        suite = Xml.SubElement(
            root, "testsuite", name="not measured", tests=str(len(failed)), errors=str(len(failed)),
            failures="0", skipped="0",
        )  # fmt: skip
        for row in failed:
            case = Xml.SubElement(
                suite, "testcase", classname="task", name=printable(str(row["item"]))
            )
            Xml.SubElement(case, "error", message=printable(str(row["error"])))
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _suite(root: Xml.Element, network: str, verdicts: Sequence[Row]) -> Xml.Element:
    words = [row["verdict"] for row in verdicts]
    n_unstable, n_stable = words.count("unstable"), words.count("stable")
    return Xml.SubElement(
        root, "testsuite", name=printable(network), tests=str(len(words)), failures=str(n_unstable),
        skipped=str(len(words) - n_unstable - n_stable), errors="0",
    )  # fmt: skip


def _rows(results: Row, name: str) -> list[Row]:
    return [row for row in results.get(name) or () if isinstance(row, Mapping)]


def _network(results: Row, row: Row) -> str:
    """Older runs had one network and did not name it in their verdicts."""
    return str(row.get("network") or results.get("problem", {}).get("network") or "network")


def _probe(row: Row) -> str:
    name = printable(str(row["probe"])).replace("_", " ")
    return f"{name}, {printable(str(row['domain']))} domain" if row.get("domain") else name


def _cell(value: object) -> str:
    """Text that cannot end its cell, nor be markup."""
    text = printable(str(value)).replace("|", "\\|").replace("<", "&lt;")
    return " ".join(text.split())
