"""Plan files to problems: read, validate, build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError
from torch import Tensor

from shaketable.plan.build_images import build_images
from shaketable.plan.build_map import build_map
from shaketable.plan.build_network import build_network
from shaketable.plan.build_probes import build_probes
from shaketable.plan.derive import Around
from shaketable.plan.locate import FieldPath, PlanFile, read_plan_file
from shaketable.plan.maps.by_name import ZooMap
from shaketable.plan.methods import build_methods
from shaketable.plan.mistakes import first_mistake
from shaketable.plan.override import override
from shaketable.plan.plan import Plan
from shaketable.plan.resolve import resolved
from shaketable.plan.schema import PlanSpec
from shaketable.plan.templates import zoo_plan_file
from shaketable.probes import Subject
from shaketable.problem import Problem
from shaketable.protocols import Reconstructor


@dataclass(frozen=True, kw_only=True)
class LoadedPlan:
    """A plan file with everything it names.

    Parameters
    ----------
    problems
        The forward map with each network, in the order of the plan.
    images
        ``(N, *image_shape)``, float32 or complex64.
    image_ids
        One name per image.
    provenance
        Where every image comes from, for the record.
    plan
        Probes and reference methods; ``plan.source`` is the resolved file.
    seed
        For the run.
    device
        Where to compute, by torch's names; everything is made on the CPU.
    workers
        How many processes; None where the plan does not say.
    """

    problems: tuple[Problem, ...]
    images: Tensor
    image_ids: tuple[str, ...]
    provenance: tuple[Mapping[str, Any], ...]
    plan: Plan
    seed: int
    device: tuple[str, ...] = ("cpu",)
    workers: int | None = None

    @property
    def problem(self) -> Problem:
        """The forward map and the first network."""
        return self.problems[0]


def load_plan(path: str | Path, assignments: Sequence[str] = ()) -> LoadedPlan:
    """Read a plan file and make everything it names.

    Parameters
    ----------
    path
        A YAML file; relative paths in it start from its folder, and modules are looked for there
        first.
    assignments
        Fields to set in place of what the file says, ``probes.worst_case.radii=[0.01, 0.02]``; see
        `override`.

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
    return build_plan(override(read_plan_file(path), assignments))


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
    agree, reference methods work on the map, details fit into the images.

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
    """Check the fields of a plan and the arrays in it; nothing else it names is looked at.

    Raises
    ------
    PlanError
        With the first mistake in the file.
    """
    try:
        spec = _validated(plan.data, plan.folder)
    except ValidationError as error:
        raise first_mistake(plan, error) from error
    if all(network.zoo is None for network in spec.all_networks().values()):
        _require_own_parts(plan, spec)
    return spec


def _validated(data: Mapping[str, Any], folder: Path) -> PlanSpec:
    images = data.get("images")
    real = isinstance(images, Mapping) and images.get("real") is True
    return PlanSpec.model_validate(data, context=Around(folder=folder, real=real))


def _require_own_parts(plan: PlanFile, spec: PlanSpec) -> None:
    """Images and map cannot come from the zoo where no network does."""
    if spec.images.zoo is not None:
        raise plan.error(
            ("images", "zoo"),
            "Expected a network of the zoo beside images of the zoo, got an object; "
            "name your images with path.",
        )
    if spec.map is None or isinstance(spec.map.value, ZooMap):
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
    written = validate_plan(plan)
    source = resolved(written, plan.folder)
    # What is built is what is stored: the resolved plan, not the one that was written.
    spec = _validated(source, plan.folder)
    networks = {path: build_network(plan, path, net) for path, net in spec.all_networks().items()}
    zoo = next((network.zoo for network in networks.values() if network.zoo is not None), None)
    images = build_images(plan, spec.images, zoo)
    assert spec.map is not None  # noqa: S101  it is resolved
    built = build_map(plan, spec.map, images.shape, zoo)
    units = spec.images.units or ("" if zoo is None or spec.images.zoo is None else zoo.units)
    problems = tuple(
        Problem(
            forward=built.forward, reconstruct=network.reconstruct, real=spec.images.real,
            differentiable=network.differentiable, name=network.name, units=units,
        )
        for network in networks.values()
    )  # fmt: skip
    with plan.at("images"):
        values = problems[0].prepare(images.values)
    baselines = build_methods(plan, spec.baselines, built.forward, values[:1])
    probes = build_probes(
        plan, spec.probes, built, values, differentiable=all(p.differentiable for p in problems)
    )
    _require_names(plan, tuple(networks), problems, baselines)
    with plan.at("images"):
        Subject(problems=problems, images=values, image_ids=images.ids, baselines=baselines)
    return LoadedPlan(
        problems=problems, images=values, image_ids=images.ids, seed=spec.seed,
        provenance=tuple(origin.describe() for origin in images.provenance),
        device=tuple(written.device or ("cpu",)), workers=written.workers,
        plan=Plan(
            probes=probes, baselines=baselines, not_applicable=spec.not_applicable or {},
            source=source,
        ),
    )  # fmt: skip


def _require_names(
    plan: PlanFile,
    paths: Sequence[FieldPath],
    problems: Sequence[Problem],
    baselines: Mapping[str, Reconstructor],
) -> None:
    """Networks and reference methods have names of their own."""
    for index, (path, problem) in enumerate(zip(paths, problems, strict=True)):
        if problem.name in baselines or problem.name in [p.name for p in problems[:index]]:
            other = "a reference method" if problem.name in baselines else "another network"
            raise plan.error(
                (*path, "name"),
                f"Expected a network with a name of its own, got {problem.name!r} for {other} too; "
                "rename one of them.",
            )
