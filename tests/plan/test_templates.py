from __future__ import annotations

from pathlib import Path

import pytest

from shaketable.errors import InputError
from shaketable.metrics import psnr
from shaketable.plan.load import load_plan, validate_plan
from shaketable.plan.locate import parse_plan
from shaketable.plan.templates import EXAMPLES, example_plan, zoo_plan_file


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_valid_and_explained(example: str) -> None:
    text = example_plan(example)
    spec = validate_plan(parse_plan(text, file="plan.yaml", folder=Path()))
    assert spec.probes.worst_case is not None
    comments = [line for line in text.splitlines() if "#" in line]
    assert len(comments) > len(text.splitlines()) / 2


def test_the_ct_example_runs_on_what_the_package_brings(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(example_plan("ct"))
    loaded = load_plan(tmp_path / "plan.yaml")
    problem = loaded.problem
    assert problem.real
    assert problem.name == "filtered back-projection"
    assert problem.forward.data_shape == (50, 183)
    assert loaded.plan.baselines.keys() == {"total-variation"}
    result = problem.reconstruct(problem.forward(loaded.images), problem.forward)
    assert float(psnr(result, loaded.images).min()) > 25
    assert {probe.name for probe in loaded.plan.probes} == {
        "worst_case", "structural", "sampling", "neighbourhood",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["demo", "standard"])
def test_plans_of_the_package_have_every_probe_and_a_stable_method(kind: str) -> None:
    spec = validate_plan(zoo_plan_file(kind, "deep-mri"))
    assert spec.network.zoo == "deep-mri"
    assert spec.baselines
    assert spec.probes.model_fields_set == set(type(spec.probes).model_fields)


def test_an_unknown_example_is_refused() -> None:
    with pytest.raises(InputError, match="Expected an example of mri, ct, got 'pet'"):
        example_plan("pet")
