from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shaketable.errors import PlanError, WeightsError
from shaketable.plan.locate import FieldPath, parse_plan

SCALARS = st.one_of(
    st.integers(-1000, 1000),
    st.floats(-1e6, 1e6, allow_nan=False),
    st.booleans(),
    st.none(),
    st.text(alphabet="abc xyz:#-'\"{}[]&*!|>%@,\n", max_size=20),
)
TREES = st.recursive(
    SCALARS,
    lambda inside: st.one_of(
        st.lists(inside, max_size=4),
        st.dictionaries(st.text(alphabet="abcdefgh_", min_size=1, max_size=6), inside, max_size=4),
    ),
    max_leaves=20,
)


def numbered(tree: Any, counter: list[int]) -> Any:
    """The tree with a number behind every key, so that each key occurs once in the text."""
    if isinstance(tree, dict):
        result = {}
        for key, value in tree.items():
            counter[0] += 1
            result[f"{key}__{counter[0]}__"] = numbered(value, counter)
        return result
    return [numbered(value, counter) for value in tree] if isinstance(tree, list) else tree


def keys(tree: Any, path: FieldPath = ()) -> list[FieldPath]:
    """Paths of all fields of mappings."""
    if isinstance(tree, dict):
        found = [(*path, key) for key in tree]
        return found + [p for key, value in tree.items() for p in keys(value, (*path, key))]
    if isinstance(tree, list):
        return [p for index, value in enumerate(tree) for p in keys(value, (*path, index))]
    return []


@given(
    tree=st.dictionaries(st.text(alphabet="abcdefgh", min_size=1, max_size=6), TREES, min_size=1),
    flow=st.sampled_from([None, False, True]),
    n_blank=st.integers(0, 3),
)
def test_every_field_is_found_on_the_line_it_is_written_on(
    tree: dict[str, Any], flow: bool | None, n_blank: int
) -> None:
    tree = numbered(tree, [0])
    text = "# a comment\n" + "\n" * n_blank + yaml.safe_dump(tree, default_flow_style=flow)
    plan = parse_plan(text, file="plan.yaml", folder=Path())
    lines = text.split("\n")
    for path in keys(tree):
        number = plan.line(path)
        assert number is not None
        assert str(path[-1]) in lines[number - 1]


@given(
    tree=st.dictionaries(st.text(alphabet="abcdefgh", min_size=1, max_size=6), TREES, min_size=1)
)
def test_what_is_dumped_is_read_back(tree: dict[str, Any]) -> None:
    assert parse_plan(yaml.safe_dump(tree), file="", folder=Path()).data == tree


@given(
    tree=st.dictionaries(st.text(alphabet="abcdefgh", min_size=1, max_size=6), TREES, min_size=1),
    beyond=st.lists(st.sampled_from(["nowhere", 17]), min_size=1, max_size=3),
)
def test_a_field_that_is_not_there_is_found_at_the_nearest_around_it(
    tree: dict[str, Any], beyond: list[str | int]
) -> None:
    plan = parse_plan(yaml.safe_dump(tree), file="", folder=Path())
    for path in plan.lines:
        assert plan.line((*path, *beyond)) == plan.line(path)
    assert plan.line(tuple(beyond)) is None


def test_entries_of_lists_have_lines() -> None:
    plan = parse_plan("a:\n  - 1\n  - b: 2\n    c: 3\n", file="", folder=Path())
    assert [plan.line(("a", index)) for index in range(2)] == [2, 3]
    assert plan.line(("a", 1, "c")) == 4


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5e-3", 5e-3), ("1E3", 1000.0), (".5", 0.5), ("-2", -2), ("+3", 3), ("1.", 1.0),
        ("10:40:3", "10:40:3"), ("yes", "yes"), ("on", "on"), ("true", True), ("null", None),
        ("2024-01-02", "2024-01-02"), ("012", "012"), ("1_000", "1_000"), ("'5'", "5"), ("", None),
        (".inf", float("inf")), ("0", 0), ("deep-mri", "deep-mri"),
    ],
)  # fmt: skip
def test_values_mean_what_they_look_like(text: str, value: object) -> None:
    read = parse_plan(f"field: {text}\n", file="", folder=Path()).data["field"]
    assert read == value
    assert type(read) is type(value)


def test_an_alias_is_read_and_located() -> None:
    plan = parse_plan("a: &x\n  b: 1\nc: *x\n", file="", folder=Path())
    assert plan.data["c"] == {"b": 1}
    assert plan.line(("c", "b")) == 2


def test_errors_of_other_rooms_get_a_place() -> None:
    plan = parse_plan("a:\n  b: 1\n", file="p.yaml", folder=Path())
    with (
        pytest.raises(PlanError, match=r"^p\.yaml:2: a\.b: Expected this\.$") as caught,
        plan.at("a", "b"),
    ):
        raise WeightsError("Expected this.")
    assert (caught.value.file, caught.value.line, caught.value.field) == ("p.yaml", 2, "a.b")


def test_other_errors_pass_unchanged() -> None:
    plan = parse_plan("a: 1", file="p.yaml", folder=Path())
    with pytest.raises(ZeroDivisionError), plan.at("a"):
        _ = 1 / 0
