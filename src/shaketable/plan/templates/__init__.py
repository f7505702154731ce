"""Plans that come with the package: the demo, the standard plan, the examples of ``init``."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from shaketable.errors import InputError
from shaketable.plan.locate import PlanFile, parse_plan

Example = Literal["mri", "ct"]
EXAMPLES: tuple[Example, ...] = ("mri", "ct")


def example_plan(example: str) -> str:
    """The text of a commented plan that runs as it stands.

    Raises
    ------
    InputError
        If there is no such example.

    Examples
    --------
    >>> example_plan("mri").splitlines()[0].startswith("#")
    True
    """
    if example not in EXAMPLES:
        raise InputError(
            f"Expected an example of {', '.join(EXAMPLES)}, got '{example}'; choose one of them."
        )
    return _text(f"{example}.yaml")


def zoo_plan_file(kind: Literal["demo", "standard"], network: str = "deep-mri") -> PlanFile:
    """The plan of the demo, or the standard plan for a network of the zoo."""
    name = f"{_standard(network) if kind == 'standard' else kind}.yaml"
    plan = parse_plan(_text(name), file=f"{kind} plan", folder=Path.cwd())
    data = {**plan.data, "network": {"zoo": network}}
    return PlanFile(file=plan.file, folder=plan.folder, data=data, lines=plan.lines)


def figure_plan(name: str) -> dict[str, Any]:
    """The plan of a figure of the paper, ``figure-1-deep-mri`` for example, as plain data."""
    return dict(parse_plan(_text(f"{name}.yaml"), file=f"plan of {name}", folder=Path.cwd()).data)


def _standard(network: str) -> str:
    """The name of a network's standard plan; an unknown network is reported when it is built."""
    from shaketable import zoo

    return zoo.find_entry(network).standard_plan if network in zoo.names() else "standard"


def _text(name: str) -> str:
    return files("shaketable.plan.templates").joinpath(name).read_text(encoding="utf-8")
