"""Readers by entry point: ours, and those of a package made here."""

from __future__ import annotations

import sys
import textwrap
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from shaketable.errors import InputError, MissingDependencyError
from shaketable.io import load_images
from shaketable.io.registry import GROUP, OUR_READERS, Registry

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
READERS = """
    import numpy as np
    from pathlib import Path
    from shaketable.errors import MissingDependencyError
    from shaketable.io import Stack, StackSlice, one_file

    number = 3

    def read(path, settings):
        settings.refuse_axis(path)
        values = np.fromfile(path).reshape(-1, 4, 4)
        sign = -1 if settings.key == "minus" else 1
        return one_file(path, settings.stem, len(values), lambda n: sign * values[n], subject="S")

    def single(path, settings):
        return one_file(path, settings.stem, None, lambda _: np.fromfile(path).reshape(-1, 4))

    def raises(path, settings):
        raise ValueError("a\\nb")

    def raises_later(path, settings):
        return one_file(path, settings.stem, None, lambda _: 1 / 0)

    def lacks(path, settings):
        raise MissingDependencyError("Expected gizmo, got no such library; install it.")

    def one_argument(path):
        return None

    def array(path, settings):
        return np.zeros((4, 4))

    def cube(path, settings):
        return one_file(path, settings.stem, None, lambda _: np.ones((2, 2, 2)))

    def lists(path, settings):
        return one_file(path, settings.stem, None, lambda _: [[1.0, 2.0]])

    def climbs(path, settings):
        return one_file(path, "../up", None, lambda _: np.eye(4))

    def no_file(path, settings):
        return one_file(Path("nowhere"), settings.stem, None, lambda _: np.eye(4))
"""


class Site:
    """A folder of installed packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "gizmo_readers.py").write_text(textwrap.dedent(READERS))

    def install(self, package: str, readers: dict[str, str]) -> None:
        info = self.folder / f"{package.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in readers.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Site:
    folder = tmp_path_factory.mktemp("site")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "gizmo_readers", raising=False)
    return Site(folder)


def write(path: Path, n_slices: int = 3) -> np.ndarray:
    values = np.random.default_rng(n_slices).standard_normal((n_slices, 4, 4))
    values.tofile(path)
    return values


def test_our_table_is_that_of_the_installation() -> None:
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    assert project["entry-points"][GROUP] == OUR_READERS
    for name, value in OUR_READERS.items():
        assert callable(metadata.EntryPoint(name=name, value=value, group=GROUP).load())


def test_our_readers_need_no_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise AssertionError("not asked for where the ending is ours")

    monkeypatch.setattr(metadata, "entry_points", broken)
    np.save(tmp_path / "x.npy", np.eye(4))
    assert [image.id for image in load_images(tmp_path / "x.npy")] == ["x"]
    assert [image.id for image in load_images(tmp_path)] == ["x"]


def test_a_reader_of_another_package_reads_its_files(tmp_path: Path, site: Site) -> None:
    site.install("gizmo-io", {"Giz.gz": "gizmo_readers:read"})
    values = write(tmp_path / "my scan.GIZ.gz")
    loaded = load_images(tmp_path / "my scan.GIZ.gz", slices=[2, 0])
    assert [image.id for image in loaded] == ["my_scan-002", "my_scan-000"]
    np.testing.assert_array_equal([image.array for image in loaded], values[[2, 0]])
    assert loaded[0].file == tmp_path / "my scan.GIZ.gz"
    assert loaded[0].slice is not None
    assert (loaded[0].slice.index, loaded[0].subject) == (2, "S")
    [minus] = load_images(tmp_path / "my scan.GIZ.gz", slices=[1], key="minus")
    np.testing.assert_array_equal(minus.array, -values[1])
    with pytest.raises(InputError, match="no axis"):
        load_images(tmp_path / "my scan.GIZ.gz", axis=1)


def test_folders_of_such_files_are_read(tmp_path: Path, site: Site) -> None:
    site.install("gizmo-io", {"giz": "gizmo_readers:single", "gizmo": "gizmo_readers:single"})
    for name in ("a10.giz", "a9.gizmo"):
        write(tmp_path / name)
    (tmp_path / "notes.txt").write_text("left out")
    assert [image.id for image in load_images(tmp_path)] == ["a9", "a10"]
    assert [image.id for image in load_images(tmp_path, slices=[1])] == ["a10"]
    np.save(tmp_path / "x.npy", np.eye(4))
    with pytest.raises(InputError, match=r"one kind in .*got gizmo, npy"):
        load_images(tmp_path)


def test_the_longest_ending_decides_and_ours_come_first(tmp_path: Path, site: Site) -> None:
    site.install(
        "gizmo-io",
        {
            "giz": "gizmo_readers:raises",
            "two.giz": "gizmo_readers:read",
            "npy": "gizmo_readers:raises",
            "odd.npy": "gizmo_readers:raises",
        },
    )
    write(tmp_path / "a.two.giz")
    assert len(load_images(tmp_path / "a.two.giz")) == 3
    np.save(tmp_path / "x.odd.npy", np.eye(4))
    assert [image.id for image in load_images(tmp_path / "x.odd.npy")] == ["x.odd"]


def test_known_endings_are_listed(tmp_path: Path, site: Site) -> None:
    site.install("gizmo-io", {"giz": "gizmo_readers:read"})
    (tmp_path / "x.mat").write_bytes(bytes(8))
    with pytest.raises(InputError, match=r"\.npy, .*\.png, \.giz, or DICOM without an ending"):
        load_images(tmp_path / "x.mat")


def test_two_packages_for_one_ending_are_refused_and_one_found_twice_is_one(
    tmp_path: Path, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site.install("gizmo-io", {"giz": "gizmo_readers:read"})
    site.install("gizmo-io-copy", {"giz": "gizmo_readers:read"})
    write(tmp_path / "a.giz")
    assert len(load_images(tmp_path / "a.giz")) == 3
    site.install("other-io", {"giz": "gizmo_readers:single"})
    with pytest.raises(InputError, match=r"one reader of \.giz files .*io.* and other-io; unins"):
        load_images(tmp_path / "a.giz")


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("gizmo_readers:missing", r"cannot be loaded \(AttributeError: .*install gizmo-io again"),
        ("no_such_module_at_all:read", r"cannot be loaded \(ModuleNotFoundError: "),
        ("gizmo_readers:number", "Expected a function as the reader .*got int"),
        ("gizmo_readers:raises", r"an error in it \(ValueError: a b\)"),
        ("gizmo_readers:raises_later", r"an error in it \(ZeroDivisionError: "),
        ("gizmo_readers:one_argument", r"an error in it \(TypeError: "),
        ("gizmo_readers:array", r"Expected a shaketable\.io\.Stack .*got ndarray"),
        ("gizmo_readers:cube", r"slices \(H, W\) as arrays .*got ndarray of shape \(2, 2, 2\)"),
        ("gizmo_readers:lists", r"slices \(H, W\) .*got list;"),
        ("gizmo_readers:climbs", r"ids of letters, digits .*got '\.\./up'"),
        ("gizmo_readers:no_file", "files that exist .*got 'nowhere'"),
    ],
)
def test_a_broken_reader_is_told_in_one_sentence(
    tmp_path: Path, site: Site, target: str, sentence: str
) -> None:
    site.install("gizmo-io", {"giz": target})
    write(tmp_path / "a.giz")
    with pytest.raises(InputError, match=sentence) as caught:
        load_images(tmp_path / "a.giz")
    assert "\n" not in str(caught.value)
    assert "gizmo-io" in str(caught.value)
    assert "a.giz" in str(caught.value)


def test_what_a_reader_says_of_a_file_passes(tmp_path: Path, site: Site) -> None:
    site.install("gizmo-io", {"giz": "gizmo_readers:lacks"})
    write(tmp_path / "a.giz")
    with pytest.raises(MissingDependencyError, match=r"^Expected gizmo, got no such library"):
        load_images(tmp_path / "a.giz")


def test_readers_are_not_loaded_before_they_are_needed(tmp_path: Path, site: Site) -> None:
    site.install("gizmo-io", {"giz": "gizmo_readers:read"})
    write(tmp_path / "a.giz")
    assert Registry().find(tmp_path / "a.giz") is not None
    assert "gizmo_readers" not in sys.modules
