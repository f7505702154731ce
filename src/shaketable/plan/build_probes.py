"""From the ``probes`` of a plan to probes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationInfo, create_model
from torch import Tensor

import shaketable.plan.searches  # noqa: F401  declares how probes write their search
from shaketable.details import make_details
from shaketable.errors import InputError
from shaketable.maps import FourierMap, MultiCoilFourierMap, ViewSequence
from shaketable.plan.derive import Written, as_field, read_settings
from shaketable.plan.locate import FieldPath, PlanFile
from shaketable.plan.maps import BuiltMap
from shaketable.plan.schema_base import Spec, said, wrong
from shaketable.probes import Probe, Sampling, Structural, WorstCase
from shaketable.registry import find, registered
from shaketable.search import BlackBox, Objective, Reference, Search
from shaketable.settings import about, require_number


@dataclass(frozen=True, kw_only=True)
class SamplingRates:
    """What a plan says of `shaketable.probes.Sampling`: rates; the maps are the plan's at these.

    Parameters
    ----------
    rates
        Above 0 and at most 1.
    trained_rate
        That of the plan's map unless given.
    """

    rates: tuple[float, ...]
    trained_rate: float | None = None

    def __post_init__(self) -> None:
        if not self.rates:
            raise InputError(
                "Expected a list of at least 1 entries, got []; add one.", field="rates"
            )
        for rate in self.rates:
            require_number("rates", rate, above=0, at_most=1)
        if self.trained_rate is not None:
            require_number("trained_rate", self.trained_rate, above=0, at_most=1)

    def on(self, built: BuiltMap) -> Sampling:
        """The probe whose maps are that of the plan at other rates."""
        forward, sequence = built.forward, built.sequence
        if sequence is None:
            raise InputError(
                "Expected a map with a sampling pattern, got one without: a single mask or matrix "
                "has no other rates; remove this probe or give map.sampling."
            )
        trained = float(self.trained_rate or built.rate or 0)
        with about("rates"):
            if isinstance(sequence, ViewSequence):
                height, width = forward.image_shape
                return Sampling.radon(
                    sequence, image_shape=(height, width), n_detectors=forward.data_shape[1],
                    rates=self.rates, trained_rate=trained,
                )  # fmt: skip
            if isinstance(forward, MultiCoilFourierMap):
                return Sampling.multi_coil(
                    sequence, coils=forward.coils, rates=self.rates, trained_rate=trained
                )
            if isinstance(forward, FourierMap):
                return Sampling.fourier(sequence, rates=self.rates, trained_rate=trained)
        raise InputError(
            f"Expected a Fourier or Radon map for other sampling rates, got {type(forward).__name__}; "
            "remove this probe."
        )


def probe_names() -> list[str]:
    """The probes there are, ours first, in the order of the paper."""
    return list(registered("shaketable.probes"))


def read_probes(data: Any, info: ValidationInfo) -> Spec:
    """What a plan says of its probes: a `Written` tuple for each, one probe or one per domain.

    Raises
    ------
    pydantic.ValidationError, PydanticCustomError
        With the place of every mistake.
    """
    if data == {}:
        raise wrong("at least one probe", f"choose from {', '.join(probe_names())}")
    described: dict[str, Any] = {
        name: (as_field(partial(_read, name)), None) for name in probe_names()
    }
    kind = create_model("Probes", __base__=Spec, **described)
    return kind.model_validate(data, context=info.context)


def _read(name: str, data: Any, info: ValidationInfo) -> Written:
    try:
        kind = find("shaketable.probes", name)
    except InputError as error:
        raise said(str(error)) from error
    read = partial(read_settings, SamplingRates if kind is Sampling else kind)
    if not isinstance(data, list):
        one = read({} if data is None else data, info)
        return Written(value=(one.value,), data=one.data)
    entries: TypeAdapter[list[Written]] = TypeAdapter(list[as_field(read)])  # type: ignore[misc, arg-type]
    every = entries.validate_python(data, context=info.context)
    domains = [getattr(one.value, "domain", None) for one in every]
    if not domains or len(set(domains)) != len(domains):
        raise wrong(f"every domain once in {name}", "give one entry several settings instead")
    return Written(value=tuple(one.value for one in every), data=[one.data for one in every])


def build_probes(
    plan: PlanFile, spec: Spec, built: BuiltMap, images: Tensor, *, differentiable: bool
) -> tuple[Probe, ...]:
    """Make the probes of a plan, ours first, in the order of the paper.

    Parameters
    ----------
    plan, spec
        The plan and its field ``probes``.
    built
        The forward map and its sampling pattern.
    images
        ``(N, H, W)``: every detail is tried on each, so that none fails in the middle of a run.
    differentiable
        Whether all networks can be searched with gradients.

    Raises
    ------
    PlanError
        If a setting is impossible, or a probe cannot be run on this map or network.
    """
    return tuple(
        _built(plan, path, probe, built, images, differentiable)
        for path, probe in _stated(plan, spec)
    )


def _stated(plan: PlanFile, spec: Spec) -> Iterator[tuple[FieldPath, Any]]:
    """Every probe and where it stands in the plan."""
    for name in type(spec).model_fields:
        written = getattr(spec, name)
        for index, probe in enumerate(() if written is None else written.value):
            inside = (index,) if isinstance(plan.data["probes"][name], list) else ()
            yield ("probes", name, *inside), probe


def _built(
    plan: PlanFile, path: FieldPath, probe: Any, built: BuiltMap, images: Tensor,
    differentiable: bool,
) -> Probe:  # fmt: skip
    if isinstance(getattr(probe, "search", None), Search) and not differentiable:
        gradients = "Expected a network that torch can differentiate for a gradient search, got"
        without = "choose search: {method: black-box} or " if isinstance(probe, WorstCase) else ""
        raise plan.error(path, f"{gradients} differentiable: false; {without}remove this probe.")
    with plan.at(*path):
        if isinstance(getattr(probe, "search", None), Search | BlackBox):
            _try_objective(probe.search.objective, images[:1])
        if isinstance(probe, Structural):
            with about("details"):
                for image in images:
                    make_details(image, probe.details, contrast=probe.contrast, size=probe.size)
        made: Probe = probe.on(built) if hasattr(probe, "on") else probe
    return made


def _try_objective(objective: Objective, image: Tensor) -> None:
    """Find out before a run whether a region or structure has the shape of the images."""
    reference = Reference(clean=image, truth=image, index=torch.zeros(1, dtype=torch.int64))
    with about("search.objective"):
        objective(image, torch.zeros_like(image), reference)
