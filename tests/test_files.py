"""Files are whole or not there; hashes."""

import hashlib
import tracemalloc

import numpy as np
import pytest

from shaketable.files import file_sha256, whole_file


def test_an_error_leaves_the_old_content_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def interrupted():
        with whole_file(path) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_nothing_is_seen_before_the_end(tmp_path):
    path = tmp_path / "file"
    with whole_file(path) as part:
        part.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"


def test_a_forgotten_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "file"):
        pass


def test_a_file_is_hashed_as_its_bytes_without_being_held(tmp_path):
    content = np.random.default_rng(0).bytes(8_000_001)
    (tmp_path / "file").write_bytes(content)
    tracemalloc.start()
    try:
        found = file_sha256(tmp_path / "file")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == hashlib.sha256(content).hexdigest()
    assert peak < len(content) / 8
