"""From the ``probes`` of a plan to probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from shaketable.details import make_details
from shaketable.errors import InputError
from shaketable.maps import MultiCoilFourierMap, SamplingSequence, ViewSequence
from shaketable.plan import schema_probes as specs
from shaketable.plan.build_map import BuiltMap
from shaketable.plan.locate import FieldPath, PlanFile
from shaketable.plan.schema_methods import (
    AnySearchSpec,
    BlackBoxSpec,
    BudgetFields,
    MomentumAscentSpec,
    SearchSpec,
)
from shaketable.probes import Neighbourhood, Probe, Sampling, Structural, WorstCase
from shaketable.protocols import ForwardMap
from shaketable.search import BlackBox, Budget, MomentumAscent, PenalisedError, Search, SphereAscent


def build_probes(
    plan: PlanFile,
    spec: specs.ProbesSpec,
    built: BuiltMap,
    images: Tensor,
    *,
    differentiable: bool,
) -> tuple[Probe, ...]:
    """Make the probes of a plan, in the order of the paper.

    Parameters
    ----------
    plan, spec
        The plan and its field ``probes``.
    built
        The forward map and its sampling pattern.
    images
        ``(N, H, W)``: every detail is tried on each, so that none fails in the middle of a run.
    differentiable
        Whether the network can be searched.

    Raises
    ------
    PlanError
        If a setting is impossible, or a probe cannot be run on this map or network.
    """
    _require_gradients(plan, spec, differentiable)
    probes: list[Probe] = []
    for index, each in enumerate(spec.worst_case or ()):
        written_as_list = isinstance(plan.data["probes"]["worst_case"], list)
        probes.append(_worst_case(plan, each, (index,) if written_as_list else ()))
    if spec.structural is not None:
        probes.append(_structural(plan, spec.structural, images))
    if spec.sampling is not None:
        probes.append(_sampling(plan, spec.sampling, built))
    if spec.neighbourhood is not None:
        probes.append(_neighbourhood(plan, spec.neighbourhood))
    return tuple(probes)


def _require_gradients(plan: PlanFile, spec: specs.ProbesSpec, differentiable: bool) -> None:
    if differentiable:
        return
    gradients = any(not isinstance(each.search, BlackBoxSpec) for each in spec.worst_case or ())
    names = {
        "worst_case": (gradients, "choose search: {method: black-box} or remove this probe."),
        "neighbourhood": (spec.neighbourhood is not None, "remove this probe."),
    }
    for name, (needed, advice) in names.items():
        if needed:
            raise plan.error(
                ("probes", name),
                "Expected a network that torch can differentiate for a gradient search, got "
                f"differentiable: false; {advice}",
            )


def _worst_case(plan: PlanFile, spec: specs.WorstCaseSpec, index: FieldPath) -> WorstCase:
    path = ("probes", "worst_case", *index)
    search = _any_search(plan, spec.search, (*path, "search"))
    with plan.at(*path):
        return WorstCase(
            radii=tuple(spec.radii), domain=spec.domain, search=search,
            n_random=spec.n_random, limit=spec.limit,
        )  # fmt: skip


def _structural(plan: PlanFile, spec: specs.StructuralSpec, images: Tensor) -> Structural:
    with plan.at("probes", "structural", "details"):
        for image in images:
            make_details(image, spec.details, contrast=spec.contrast, size=spec.size)
        return Structural(details=tuple(spec.details), contrast=spec.contrast, size=spec.size)


def _sampling(plan: PlanFile, spec: specs.SamplingSpec, built: BuiltMap) -> Sampling:
    with plan.at("probes", "sampling"):
        if built.sequence is None:
            raise InputError(
                "Expected a map with a sampling pattern, got one without: a single mask or matrix "
                "has no other rates; remove this probe or give map.sampling."
            )
    trained = spec.trained_rate if spec.trained_rate is not None else built.rate
    with plan.at("probes", "sampling", "rates"):
        return _sampling_of(built.forward, built.sequence, spec.rates, float(trained or 0))


def _sampling_of(
    forward: ForwardMap,
    sequence: SamplingSequence | ViewSequence,
    rates: Sequence[float],
    trained_rate: float,
) -> Sampling:
    """The probe whose maps are those of the plan at other rates."""
    if isinstance(sequence, ViewSequence):
        height, width = forward.image_shape
        return Sampling.radon(
            sequence, image_shape=(height, width), n_detectors=forward.data_shape[1],
            rates=rates, trained_rate=trained_rate,
        )  # fmt: skip
    if isinstance(forward, MultiCoilFourierMap):
        return Sampling.multi_coil(
            sequence, coils=forward.coils, rates=rates, trained_rate=trained_rate
        )
    return Sampling.fourier(sequence, rates=rates, trained_rate=trained_rate)


def _neighbourhood(plan: PlanFile, spec: specs.NeighbourhoodSpec) -> Neighbourhood:
    search = _search(plan, spec.search, ("probes", "neighbourhood", "search"))
    ratio, draws = spec.noise_ratio, spec.n_draws
    with plan.at("probes", "neighbourhood"):
        return Neighbourhood(
            radius=spec.radius, search=search,
            noise_ratio=tuple(ratio) if isinstance(ratio, list) else ratio,
            n_draws=tuple(draws) if isinstance(draws, list) else draws,
            n_draws_stable=spec.n_draws_stable, keeps=spec.keeps,
        )  # fmt: skip


def _any_search(plan: PlanFile, spec: AnySearchSpec, path: FieldPath) -> Search | BlackBox:
    if not isinstance(spec, BlackBoxSpec):
        return _search(plan, spec, path)
    with plan.at(*path):
        return BlackBox(
            n_queries=spec.n_queries, step=spec.step, share=spec.share, n_round=spec.n_round,
            max_rows=spec.max_rows, max_seconds=spec.max_seconds,
        )  # fmt: skip


def _search(plan: PlanFile, spec: SearchSpec, path: FieldPath) -> Search:
    with plan.at(*path):
        if not isinstance(spec, MomentumAscentSpec):
            return Search(
                update=SphereAscent(
                    step=spec.step,
                    step_continued=spec.step_continued,
                    momentum=(spec.momentum[0], spec.momentum[1]),
                    overshoot=spec.overshoot,
                ),
                budget=_budget(spec, spec.n_gradients),
            )
        base = Search.published(spec.published) if spec.published else Search.published("deep-mri")
        return _momentum_ascent(spec, base)


def _momentum_ascent(spec: MomentumAscentSpec, base: Search) -> Search:
    """The published settings, with those that the plan states in their place."""
    update, objective = base.update, base.objective
    assert isinstance(update, MomentumAscent)  # noqa: S101  that is what published searches are
    assert isinstance(objective, PenalisedError)  # noqa: S101
    stated = replace(
        update,
        rate=spec.rate or update.rate,
        start_size=update.start_size if spec.start_size is None else spec.start_size,
        momentum=spec.momentum,
    )
    if spec.penalty is not None:
        objective = replace(objective, penalty=spec.penalty)
    n_gradients = spec.n_gradients or base.budget.n_gradients
    return replace(base, objective=objective, update=stated, budget=_budget(spec, n_gradients))


def _budget(spec: BudgetFields, n_gradients: int) -> Budget:
    return Budget(
        n_gradients=n_gradients, n_starts=spec.n_starts, plateau=spec.plateau,
        max_seconds=spec.max_seconds, max_rows=spec.max_rows, checkpoint=spec.checkpoint,
    )  # fmt: skip
