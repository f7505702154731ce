"""Plan files to problems: read, validate, build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError
from torch import Tensor

from shaketable.errors import InputError, PlanError
from shaketable.plan.build_images import Images, build_images
from shaketable.plan.build_map import build_map
from shaketable.plan.build_network import BuiltNetwork, build_baselines, build_network
from shaketable.plan.build_probes import build_probes
from shaketable.plan.locate import PlanFile, read_plan_file
from shaketable.plan.mistakes import first_mistake
from shaketable.plan.plan import Plan
from shaketable.plan.resolve import resolved
from shaketable.plan.schema import PlanSpec
from shaketable.plan.templates import zoo_plan_file
from shaketable.probes import Subject
from shaketable.problem import Problem
from shaketable.protocols import ForwardMap, Reconstructor


@dataclass(frozen=True, kw_only=True)
class LoadedPlan:
    """A plan file with everything it names.

    Parameters
    ----------
    problem
        Forward map and network.
    images
        ``(N, *image_shape)``, float32 or complex64.
    image_ids
        One name per image.
    plan
        Probes and stable methods; ``plan.source`` is the resolved file.
    seed
        For the run.
    """

    problem: Problem
    images: Tensor
    image_ids: tuple[str, ...]
    plan: Plan
    seed: int


def load_plan(path: str | Path) -> LoadedPlan:
    """Read a plan file and make everything it names.

    Parameters
    ----------
    path
        A YAML file; relative paths in it start from its folder, and modules are looked for there
        first.

    Returns
    -------
    LoadedPlan
        Ready for `shaketable.run`.

    Raises
    ------
    PlanError
        With file, line and field, if the plan or anything it names is wrong.

    Examples
    --------
    >>> load_plan("no-such-plan.yaml")
    Traceback (most recent call last):
    shaketable.errors.PlanError: no-such-plan.yaml: Expected a plan file, got nothing there; \
'shaketable init PLAN.yaml --example mri' writes one.
    """
    return build_plan(read_plan_file(path))


def load_zoo_plan(kind: Literal["demo", "standard"], network: str = "deep-mri") -> LoadedPlan:
    """Make a plan of the package's own for a network of the zoo and its held-out images.

    Parameters
    ----------
    kind
        ``"demo"``: three minutes on two cores; ``"standard"``: all probes on all images.
    network
        One of ``shaketable.zoo.names()``.

    Raises
    ------
    PlanError
        If there is no such network.
    """
    return build_plan(zoo_plan_file(kind, network))


def check_plan(path: str | Path) -> PlanSpec:
    """Check a plan file and everything it names; nothing is run.

    Besides the fields: files exist and can be read, objects can be imported, weights fit, shapes
    agree, stable methods work on the map, details fit into the images.

    Parameters
    ----------
    path
        As for `load_plan`.

    Returns
    -------
    PlanSpec
        The plan as validated.

    Raises
    ------
    PlanError
        As `load_plan`.
    """
    plan = read_plan_file(path)
    build_plan(plan)
    return validate_plan(plan)


def validate_plan(plan: PlanFile) -> PlanSpec:
    """Check the fields of a plan; nothing it names is looked at.

    Raises
    ------
    PlanError
        With the first mistake in the file.
    """
    try:
        spec = PlanSpec.model_validate(plan.data)
    except ValidationError as error:
        raise first_mistake(plan, error) from error
    if spec.network.zoo is None:
        _require_own_parts(plan, spec)
    return spec


def _require_own_parts(plan: PlanFile, spec: PlanSpec) -> None:
    """Images and map cannot come from the zoo where the network does not."""
    if spec.images.zoo is not None:
        raise plan.error(
            ("images", "zoo"),
            "Expected a network of the zoo beside images of the zoo, got an object; "
            "name your images with path.",
        )
    if spec.map is None or spec.map.type == "zoo":
        raise plan.error(
            ("map",),
            "Expected a map, got none: only a network of the zoo brings its own; "
            "give one of type fourier, multi-coil-fourier, radon, matrix or object.",
        )


def plan_from(
    data: Mapping[str, Any], *, file: str = "plan", folder: Path | None = None
) -> LoadedPlan:
    """Make everything that a plan given as plain data names, for example ``Plan.source``.

    Raises
    ------
    PlanError
        As `load_plan`, without lines.
    """
    return build_plan(PlanFile(file=file, folder=folder or Path.cwd(), data=data))


def build_plan(plan: PlanFile) -> LoadedPlan:
    """Validate a plan and make everything it names.

    Raises
    ------
    PlanError
        As `load_plan`.
    """
    source = resolved(validate_plan(plan), plan.folder)
    # What is built is what is stored: the resolved plan, not the one that was written.
    spec = PlanSpec.model_validate(source)
    network = build_network(plan, spec.network)
    images = build_images(plan, spec.images, network.zoo)
    if spec.map is None:
        raise plan.error(("map",), "Expected a map, got none; add it.")
    built = build_map(plan, spec.map, images.shape, network.zoo)
    problem = _problem(spec, network, built.forward)
    values = _prepared(plan, problem, images)
    baselines = build_baselines(
        plan, spec.baselines, built.forward, values[:1], real=spec.images.real
    )
    probes = build_probes(
        plan, spec.probes, built, values, differentiable=spec.network.differentiable
    )
    _require_names(plan, problem, images, baselines)
    return LoadedPlan(
        problem=problem, images=values, image_ids=images.ids, seed=spec.seed,
        plan=Plan(
            probes=probes, baselines=baselines,
            not_applicable={str(name): why for name, why in (spec.not_applicable or {}).items()},
            source=source,
        ),
    )  # fmt: skip


def _problem(spec: PlanSpec, network: BuiltNetwork, forward: ForwardMap) -> Problem:
    theirs = "" if network.zoo is None or spec.images.zoo is None else network.zoo.units
    return Problem(
        forward=forward, reconstruct=network.reconstruct, real=spec.images.real,
        differentiable=spec.network.differentiable, name=network.name,
        units=spec.images.units or theirs,
    )  # fmt: skip


def _prepared(plan: PlanFile, problem: Problem, images: Images) -> Tensor:
    with plan.at("images"):
        return problem.prepare(images.values)


def _require_names(
    plan: PlanFile, problem: Problem, images: Images, baselines: Mapping[str, Reconstructor]
) -> None:
    try:
        Subject(
            problems=(problem,), images=images.values, image_ids=images.ids, baselines=baselines
        )
    except PlanError:
        raise
    except InputError as error:
        field = ("network", "name") if problem.name in baselines else ("images",)
        raise plan.error(field, str(error)) from error
