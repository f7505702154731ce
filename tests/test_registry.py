from __future__ import annotations

import tomllib
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from shaketable import registry
from shaketable.errors import InputError

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def announce(monkeypatch: pytest.MonkeyPatch, *found: EntryPoint) -> None:
    """Let the installed packages announce these and nothing else."""
    monkeypatch.setattr(
        registry, "entry_points", lambda group: EntryPoints(found).select(group=group)
    )


def test_what_the_package_announces_is_what_it_knows() -> None:
    announced = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["entry-points"]
    assert announced == {group: dict(names) for group, names in registry.OURS.items() if names}


@pytest.mark.parametrize("group", registry.OURS)
def test_everything_of_ours_loads(group: registry.Group) -> None:
    for name in registry.OURS[group]:
        assert callable(registry.find(group, name))


def test_an_installed_package_adds_a_name_and_takes_none_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    announce(
        monkeypatch,
        EntryPoint(name="fourier", value="os:getcwd", group="shaketable.maps"),
        EntryPoint(name="wave", value="math:sin", group="shaketable.maps"),
        EntryPoint(name="wave", value="math:cos", group="shaketable.maps"),
        EntryPoint(name="tide", value="math:tan", group="shaketable.methods"),
    )
    known = registry.registered("shaketable.maps")
    assert list(known) == [*registry.OURS["shaketable.maps"], "wave"]
    assert known["fourier"].value == "shaketable.plan.maps.fourier:FourierSettings"
    assert registry.find("shaketable.maps", "wave")(0.0) == 1.0


def test_what_does_not_load_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    announce(
        monkeypatch, EntryPoint(name="lost", value="no.such:thing", group="shaketable.readers")
    )
    with pytest.raises(InputError, match=r"no\.such:thing to load as 'lost'.*ModuleNotFoundError"):
        registry.find("shaketable.readers", "lost")
