"""The probes of a plan."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from shaketable.details import SMALLEST_SIZE
from shaketable.plan.schema_base import (
    Count,
    Positive,
    Radii,
    Radius,
    Rate,
    Spec,
    Text,
    empty_for_nothing,
    wrong,
)
from shaketable.plan.schema_methods import AnySearchSpec, SearchSpec, SphereAscentSpec
from shaketable.probes import Neighbourhood, Structural, WorstCase


class WorstCaseSpec(Spec):
    """Settings of `shaketable.probes.WorstCase`."""

    radii: Radii = Field(default=list(WorstCase.radii))
    domain: Literal["image", "data"] = WorstCase.domain
    search: AnySearchSpec = SphereAscentSpec()
    n_random: Count = WorstCase.n_random
    limit: Positive | None = None


class StructuralSpec(Spec):
    """Settings of `shaketable.probes.Structural`."""

    details: Annotated[list[Text], Field(min_length=1)] = Field(default=list(Structural.details))
    contrast: Rate = Structural.contrast
    size: Annotated[int, Field(ge=SMALLEST_SIZE)] | None = None


class SamplingSpec(Spec):
    """Rates for `shaketable.probes.Sampling`; the trained rate is the map's unless given."""

    rates: Annotated[list[Rate], Field(min_length=1)]
    trained_rate: Rate | None = None


Ratios = Annotated[list[Positive], Field(min_length=1)]
Draws = Annotated[list[Count], Field(min_length=1)]


class NeighbourhoodSpec(Spec):
    """Settings of `shaketable.probes.Neighbourhood`."""

    radius: Radius = Neighbourhood.radius
    search: SearchSpec = SphereAscentSpec()
    noise_ratio: Positive | Ratios = 0.25
    n_draws: Count | Draws = 20
    n_draws_stable: Count | None = None
    keeps: Rate = Neighbourhood.keeps


def _as_list(data: Any) -> Any:
    return data if isinstance(data, list) else [data]


WorstCases = Annotated[
    Annotated[list[WorstCaseSpec], Field(min_length=1, max_length=2)], BeforeValidator(_as_list)
]


class ProbesSpec(Spec):
    """Which probes to run; ``worst_case`` may be a list of two, one per domain."""

    worst_case: WorstCases | None = None
    structural: StructuralSpec | None = None
    sampling: SamplingSpec | None = None
    neighbourhood: NeighbourhoodSpec | None = None

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, data: Any) -> Any:
        return empty_for_nothing(data)

    @model_validator(mode="after")
    def _something_to_do(self) -> ProbesSpec:
        if not self.model_fields_set:
            raise wrong("at least one probe", f"choose from {', '.join(type(self).model_fields)}")
        domains = [probe.domain for probe in self.worst_case or ()]
        if len(set(domains)) != len(domains):
            raise wrong("every domain once in worst_case", "give one entry several radii instead")
        return self
