"""A run as an object: rows, a data frame, how it shows itself."""

from __future__ import annotations

import html
import math
import sys

import pytest

from shaketable.errors import MissingDependencyError
from shaketable.runs import Run, load_run
from tests.helpers.quick_run import quick


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return quick(tmp_path_factory.mktemp("quick") / "run")


def test_records_are_rows_of_plain_data(result):
    assert result.records == tuple(result.results["records"])
    assert len(result.records) == 2 * 2
    for row in result.records:
        assert type(row) is dict
        assert all(
            value is None or isinstance(value, str | int | float | list) for value in row.values()
        )
    assert load_run(result.directory).records == result.records


def test_a_data_frame_has_a_row_per_record_and_their_values(result):
    pytest.importorskip("pandas")
    frame = result.to_dataframe()
    assert len(frame) == len(result.records)
    assert list(frame.columns) == list(result.records[0])
    means = frame.groupby("method")["contrast_recovery"].mean()
    for method in ("net", "zero-filled"):
        mine = [r["contrast_recovery"] for r in result.records if r["method"] == method]
        assert means[method] == pytest.approx(math.fsum(mine) / len(mine))


def test_without_pandas_there_are_still_rows(result, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match=r"run\.records"):
        result.to_dataframe()


def made(tmp_path, **verdict) -> Run:
    row = {"probe": "worst_case", "verdict": "unstable", "statement": "It fell.", "domain": "data"}
    return Run(directory=tmp_path, results={"verdicts": [row | verdict], "records": []})


def test_a_run_shows_its_directory_and_verdicts(tmp_path):
    shown = repr(made(tmp_path, network="net"))
    assert shown == f"Run({str(tmp_path)!r}: net: worst case, data domain unstable)"
    assert repr(Run(directory=tmp_path, results={"verdicts": []})).endswith(": no verdict)")
    assert made(tmp_path).comparisons == ()  # of a run that is older than these


def test_a_notebook_shows_what_was_said_and_runs_no_script(tmp_path):
    said = "<script>alert('a & b')</script>"
    folder = tmp_path / "<b>bold"
    page = made(folder, network=said, statement=said, verdict=said, probe=said)._repr_html_()
    assert "<script" not in page
    assert "<b>bold" not in page
    assert page.count(html.escape(said)) == 4
    assert html.escape(str(folder)) in page
    assert page.count("<tr>") == 1
