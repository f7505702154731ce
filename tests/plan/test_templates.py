from __future__ import annotations

from pathlib import Path

import pytest

from shaketable.errors import InputError
from shaketable.plan.load import validate_plan
from shaketable.plan.locate import parse_plan
from shaketable.plan.templates import EXAMPLES, example_plan, zoo_plan_file


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_valid_and_explained(example: str) -> None:
    text = example_plan(example)
    spec = validate_plan(parse_plan(text, file="plan.yaml", folder=Path()))
    assert spec.probes.worst_case is not None
    comments = [line for line in text.splitlines() if "#" in line]
    assert len(comments) > len(text.splitlines()) / 2


@pytest.mark.parametrize("kind", ["demo", "standard"])
def test_plans_of_the_package_have_every_probe_and_a_stable_method(kind: str) -> None:
    spec = validate_plan(zoo_plan_file(kind, "deep-mri"))
    assert spec.network.zoo == "deep-mri"
    assert spec.baselines
    assert spec.probes.model_fields_set == set(type(spec.probes).model_fields)


def test_an_unknown_example_is_refused() -> None:
    with pytest.raises(InputError, match="Expected an example of mri, got 'pet'"):
        example_plan("pet")
