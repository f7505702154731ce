"""Runs that are killed or interrupted for real end with the same bytes as undisturbed ones."""

import json

import pytest

from shaketable.runs import load_run
from tests.helpers import resumable


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    resumable.finish(out)
    return resumable.contents(out)


@pytest.mark.slow
def test_six_kills_at_random_moments_leave_no_trace(undisturbed, tmp_path):
    out = tmp_path / "run"
    n_hits = resumable.kill_until_finished(out, n_kills=6, most_seconds=0.6, seed=1)
    assert n_hits >= 3
    assert resumable.contents(out) == undisturbed


@pytest.mark.slow
def test_ctrl_c_leaves_results_that_can_be_read_and_resumed(undisturbed, tmp_path):
    out = tmp_path / "run"
    process = resumable.start(out, interrupt_after=2)
    process.join()
    assert process.exitcode == 130
    stored = load_run(out)
    planned = 12
    lines = (out / "records.jsonl").read_text().splitlines()
    assert len(lines) < planned
    assert stored.results["notes"][0].startswith(f"{planned - len(lines)} of the planned items")
    items = [json.loads(line)["item"] for line in lines]
    assert list(dict.fromkeys(r["item"] for r in stored.results["records"])) == items
    assert all(verdict["statement"] for verdict in stored.verdicts)
    resumable.finish(out)
    assert resumable.contents(out) == undisturbed
