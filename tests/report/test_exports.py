"""Verdicts for machines that build and test."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from hypothesis import given
from hypothesis import strategies as st

from shaketable.report.exports import junit, markdown

WORDS = ("unstable", "stable", "inconclusive")


def verdict(word: str, network: str = "net", **more: object) -> dict[str, object]:
    return {
        "probe": "worst_case",
        "verdict": word,
        "statement": "It is so.",
        "network": network,
        **more,
    }


def test_junit_counts_what_ci_shows() -> None:
    results = {
        "verdicts": [*(verdict(word) for word in WORDS), verdict("stable", "other", domain="data")],
        "failed": [{"item": "a task", "error": "ValueError: no"}],
    }
    root = Xml.fromstring(junit(results))
    counts = {suite.get("name"): suite.attrib for suite in root}
    assert (counts["net"]["tests"], counts["net"]["failures"], counts["net"]["skipped"]) == (
        "3",
        "1",
        "1",
    )
    assert (counts["other"]["tests"], counts["other"]["failures"]) == ("1", "0")
    assert counts["not measured"]["errors"] == "1"
    assert [len(case.findall("failure")) for case in root[0]] == [1, 0, 0]
    assert root[1][0].get("name") == "worst case, data domain"


def test_runs_without_names_of_networks_are_told_by_the_problem() -> None:
    old = {"problem": {"network": "deep"}, "verdicts": [verdict("stable")]}
    del old["verdicts"][0]["network"]
    assert Xml.fromstring(junit(old))[0].get("name") == "deep"
    assert "| deep | worst case | **stable** | It is so. |" in markdown(old)


@given(text=st.text())
def test_any_text_gives_valid_files(text: str) -> None:
    results = {
        "verdicts": [verdict("unstable", network=text, statement=text)],
        "comparisons": [
            {"probe": text, "network": text, "beside": text, "verdict": "worse", "statement": text}
        ],
        "notes": [text],
    }
    Xml.fromstring(junit(results).encode("utf-8"))
    lines = markdown(results).splitlines()
    table = [line for line in lines if line.startswith("| ")]
    assert len(table) == 4
    assert all(line.replace("\\|", "").count("|") in (5, 6) for line in table)
    assert "<" not in markdown(results).replace("&lt;", "")
