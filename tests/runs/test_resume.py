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
    process = resumable.start(out, interrupt_after=3)
    process.join()
    assert process.exitcode == 130
    stored = load_run(out)
    lines = (out / "records.jsonl").read_text().splitlines()
    assert len(lines) == 3
    n_left = resumable.N_TASKS - 3
    assert stored.results["notes"][0].startswith(f"{n_left} of the planned items")
    tasks = [json.loads(line)["task"] for line in lines]
    item = "worst_case-image-image-000"
    assert tasks == [f"{item}@{name}" for name in ("net", "zero-filled", "zero-filled@net")]
    assert {r["item"] for r in stored.results["records"]} == {item}
    assert all(verdict["statement"] for verdict in stored.verdicts)
    resumable.finish(out)
    assert resumable.contents(out) == undisturbed
