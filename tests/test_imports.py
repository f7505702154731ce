"""No module of the package imports itself by way of others, wherever in a file the import stands.

import-linter forbids circles among the modules and packages of one package. This finds those too that go
through an ``__init__``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

import shaketable


def circle_in(root: Path) -> list[str]:
    """The modules of one circle of imports in the package in a folder; empty where there is none.

    Imports inside functions and those for type checkers count.
    """
    files = {module_name(path, root): path for path in root.rglob("*.py")}
    graph = {name: set(imported(name, path, files)) - {name} for name, path in files.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(name: str, path: Path, files: dict[str, Path]) -> Iterator[str]:
    """The modules among ``files`` that one of them names in its imports."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in files)
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield from [found for found in (inner, source) if found in files][:1]


def test_the_package_has_no_circle_of_imports() -> None:
    assert circle_in(Path(shaketable.__file__).parent) == []


ONE = "from house.two import thing\n"


@pytest.mark.parametrize(
    ("two", "circle"),
    [
        ("import json\n", False),
        ("import house.one\n", True),
        ("from house import one\n", True),
        ("from .one import thing\n", True),
        ("def late():\n    from house.one import thing\n", True),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.one import Thing\n",
            True,
        ),
        ("from house import name\n", True),
    ],
)
def test_a_circle_is_found_wherever_the_import_stands(
    tmp_path: Path, two: str, circle: bool
) -> None:
    house = tmp_path / "house"
    house.mkdir()
    (house / "__init__.py").write_text("from house.one import name\n")
    (house / "one.py").write_text(ONE)
    (house / "two.py").write_text(two)
    assert bool(circle_in(house)) == circle
