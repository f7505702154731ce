"""The forward map of a plan, and how Fourier space is sampled."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from shaketable.plan.schema_base import (
    AnyShape,
    Arguments,
    ObjectName,
    Positive,
    Rate,
    Seed,
    Spec,
    Text,
    wrong,
)

Lines = Literal["rows", "columns"]
CentreLines = Annotated[int, Field(ge=0)]


class CartesianVariableDensity(Spec):
    """Random lines, denser near the centre: the sampling of Deep MRI."""

    pattern: Literal["cartesian-variable-density"]
    rate: Rate
    seed: Seed = 0
    acceleration: Annotated[float, Field(ge=1)] | None = None
    n_center: CentreLines = 8
    lines: Lines = "rows"


class GaussianColumns(Spec):
    """Random columns with a Gaussian density."""

    pattern: Literal["gaussian-columns"]
    rate: Rate
    seed: Seed = 0
    width: Positive = 1 / 6
    n_center: CentreLines = 8
    lines: Lines = "columns"


class EquispacedLines(Spec):
    """Every k-th line and a full centre."""

    pattern: Literal["equispaced-lines"]
    rate: Rate
    n_center: CentreLines = 8
    lines: Lines = "rows"


class PoissonDisc(Spec):
    """Random points that keep a distance."""

    pattern: Literal["poisson-disc"]
    rate: Rate
    seed: Seed = 0
    slope: Annotated[float, Field(ge=0)] = 2.0
    n_center: CentreLines = 8


class RadialLines(Spec):
    """Lines through the centre, on the grid."""

    pattern: Literal["radial-lines"]
    rate: Rate
    first_angle: float = 0.0


SamplingPattern = Annotated[
    CartesianVariableDensity | GaussianColumns | EquispacedLines | PoissonDisc | RadialLines,
    Field(discriminator="pattern"),
]


class ZooMap(Spec):
    """The map that the zoo network was trained for."""

    type: Literal["zoo"]


class FourierMapSpec(Spec):
    """Single-coil Fourier sampling: a pattern, or a mask from a file."""

    type: Literal["fourier"]
    sampling: SamplingPattern | None = None
    mask: Text | None = None
    key: Text | None = None
    centred: bool = False

    @model_validator(mode="after")
    def _one_of_two(self) -> FourierMapSpec:
        if (self.sampling is None) == (self.mask is None):
            raise wrong("either sampling or mask in a Fourier map", "give one of the two")
        if self.mask is None and (self.key is not None or self.centred):
            raise wrong("key and centred only beside mask", "patterns need neither")
        return self


class MatrixMapSpec(Spec):
    """A matrix from a file."""

    type: Literal["matrix"]
    file: Text
    key: Text | None = None
    image_shape: AnyShape | None = None
    data_shape: AnyShape | None = None


class ObjectMap(Spec):
    """A forward map made by Python code: an instance, a class, or a function that returns one."""

    type: Literal["object"]
    object: ObjectName
    arguments: Arguments = Field(default={})
    folder: Text | None = None


def _named(data: Any) -> Any:
    return {"type": "zoo"} if data == "zoo" else data


MapSpec = Annotated[
    ZooMap | FourierMapSpec | MatrixMapSpec | ObjectMap,
    Field(discriminator="type"),
]
MapField = Annotated[MapSpec, BeforeValidator(_named)]
