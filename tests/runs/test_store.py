"""The store: what a kill can leave behind, whose directory it is, and one process at a time."""

import json

import h5py
import numpy as np
import pytest

from shaketable.errors import RunError
from shaketable.runs.rows import to_json
from shaketable.runs.store import Store, write_atomically

SAME = {"seed": 0, "plan": {"probes": {}}, "networks": []}


def result(value: float):
    """Rows and arrays of a task."""
    arrays = {"a": np.full((2, 3), value, np.float32), "names": np.array(["x", "yz"])}
    return [{"value": value}], arrays


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "run")
    with store.opened(SAME):
        store.finish("one", *result(1.0), 0.5)
        store.finish("two", *result(2.0), 0.5)
    return store


def test_what_is_stored_is_read_back(store):
    assert store.finished() == {"one": [{"value": 1.0}], "two": [{"value": 2.0}]}
    with h5py.File(store.array_file("two"), "r") as file:
        np.testing.assert_array_equal(file["a"], np.full((2, 3), 2.0))
        assert file["a"].dtype == np.float32
        assert file["a"].compression == "gzip"
        assert list(file["names"].asstr()) == ["x", "yz"]


def test_a_torn_last_line_is_dropped_and_its_task_done_again(store):
    path = store.directory / "records.jsonl"
    whole = path.read_bytes()
    for cut in range(1, len(whole.splitlines()[-1])):
        path.write_bytes(whole[:-cut] if cut > 1 else whole[:-1])
        assert store.finished() == {"one": [{"value": 1.0}]}
        assert path.read_bytes() == whole.splitlines(keepends=True)[0]
        store.finish("two", *result(2.0), 0.5)
        assert path.read_bytes() == whole


def test_a_torn_line_of_timings_does_not_spoil_the_next(store):
    path = store.directory / "timings.jsonl"
    path.write_bytes(path.read_bytes()[:-4])
    store.finish("three", *result(3.0), 0.25)
    assert json.loads(path.read_bytes().splitlines()[-1]) == {"task": "three", "seconds": 0.25}


def test_a_line_without_its_arrays_does_not_count(store):
    store.array_file("one").unlink()
    assert set(store.finished()) == {"two"}


def test_arrays_that_cannot_be_opened_do_not_count(store):
    path = store.array_file("one")
    path.write_bytes(path.read_bytes()[:100])
    assert set(store.finished()) == {"two"}


def test_a_broken_line_in_the_middle_is_said(store):
    path = store.directory / "records.jsonl"
    path.write_bytes(b'{"task": "o\n' + path.read_bytes())
    with pytest.raises(RunError, match="broken line 1"):
        store.finished()


def test_settling_puts_lines_in_order_and_drops_repetitions(store):
    store.finish("one", *result(1.0), 0.5)
    finished = store.finished()
    store.settle({key: finished[key] for key in ("two", "one")}, {})
    lines = (store.directory / "records.jsonl").read_text().splitlines()
    assert [json.loads(line)["task"] for line in lines] == ["two", "one"]
    assert store.finished() == finished
    assert not (store.directory / "failures.jsonl").exists()


def test_failures_are_kept_until_they_are_gone(store):
    store.settle(store.finished(), {"three": "ValueError: no"})
    text = (store.directory / "failures.jsonl").read_text()
    assert json.loads(text) == {"task": "three", "error": "ValueError: no"}
    store.settle(store.finished(), {})
    assert not (store.directory / "failures.jsonl").exists()


@pytest.mark.parametrize("left", [[], ["lock"], ["run.json.part"], ["lock", "run.json.part"]])
def test_a_kill_before_the_marker_leaves_a_directory_that_can_be_used(tmp_path, left):
    for name in left:
        (tmp_path / name).write_text("{")
    store = Store(tmp_path)
    with store.opened(SAME):
        store.finish("one", *result(1.0), 0.5)
    assert set(store.finished()) == {"one"}


def test_a_kill_before_the_folder_of_arrays_leaves_a_directory_that_can_be_used(tmp_path):
    write_atomically(tmp_path / "run.json", to_json(SAME).encode())
    with Store(tmp_path).opened(SAME):
        assert (tmp_path / "arrays").is_dir()


def test_other_peoples_files_are_not_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(RunError, match=r"thesis\.tex"), Store(tmp_path).opened(SAME):
        pytest.fail("the directory was opened")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(RunError, match="got the file"), Store(tmp_path / "out").opened(SAME):
        pytest.fail("the file was opened")
    with pytest.raises(RunError, match="can be written"), Store(tmp_path / "out/in").opened(SAME):
        pytest.fail("a folder in a file was opened")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (SAME | {"seed": 1}, "another seed;"),
        (SAME | {"seed": 1, "plan": {}}, "another plan and seed;"),
        (SAME | {"networks": ["n"]}, "another networks;"),
    ],
)
def test_another_run_is_refused_and_nothing_changes(store, other, said):
    before = {path: path.read_bytes() for path in store.directory.glob("*.json*")}
    with pytest.raises(RunError, match=said), store.opened(other):
        pytest.fail("another run's directory was opened")
    assert before == {path: path.read_bytes() for path in store.directory.glob("*.json*")}


def test_a_run_of_an_older_version_is_not_resumed(store):
    path = store.directory / "run.json"
    old = {key: value for key, value in json.loads(path.read_text()).items() if key != "networks"}
    path.write_text(json.dumps(old | {"network": "n"}))
    with pytest.raises(RunError, match="older version"), store.opened(SAME):
        pytest.fail("an older run's directory was opened")


def test_checks_are_read_back_and_a_torn_line_is_checked_again(store):
    rows = [{"name": "adjoint", "value": None}]
    store.keep_checks("map", rows)
    store.keep_checks("method net", rows)
    assert store.checks() == {"map": rows, "method net": rows}
    path = store.directory / "checks.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    assert store.checks() == {"map": rows}
    store.keep_checks("method net", rows)
    assert path.read_bytes() == whole
    path.write_bytes(b"{}\n" + whole)
    with pytest.raises(RunError, match=r"checks\.jsonl, got a broken line 1; .*checked again"):
        store.checks()


def test_arrays_of_a_shared_store_are_taken_without_a_second_copy(store, tmp_path):
    shared = tmp_path / "shared.h5"
    shared.write_bytes(store.array_file("one").read_bytes())
    store.finish("three", [{"value": 3.0}], shared, 0.0)
    assert store.array_file("three").samefile(shared)
    assert set(store.finished()) == {"one", "two", "three"}
    store.finish("three", *result(3.0), 0.5)  # measured again: the shared file keeps what it holds
    assert shared.read_bytes() == store.array_file("one").read_bytes()
    assert not store.array_file("three").samefile(shared)


def test_a_run_is_open_once_at_a_time(store):
    other = Store(store.directory)
    with store.opened(SAME):  # the lock belongs to the open file, so one process shows it too
        with pytest.raises(RunError, match="no other process at work"), other.opened(SAME):
            pytest.fail("the directory was opened twice")
        assert set(other.finished()) == {"one", "two"}
    with other.opened(SAME):
        other.finish("three", *result(3.0), 0.1)


def test_numbers_that_do_not_exist_are_refused_by_json():
    with pytest.raises(ValueError, match="JSON"):
        to_json({"a": float("nan")})
    assert to_json({"b": 1, "a": "é"}) == '{"a": "é", "b": 1}'
