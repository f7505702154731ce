"""The forward map of a plan, and how Fourier space is sampled."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from shaketable.plan.schema_base import (
    AnyShape,
    Arguments,
    Count,
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
Share = Annotated[float, Field(gt=0, lt=1)]


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


class EquispacedViews(Spec):
    """Every k-th view of computed tomography; the rate is ``n_views / n_total``."""

    pattern: Literal["equispaced-views"]
    n_views: Count
    n_total: Count = 1000
    even: list[Count] | None = None

    @model_validator(mode="after")
    def _no_more_than_all(self) -> EquispacedViews:
        if self.n_views > self.n_total:
            raise wrong("n_views of at most n_total", "n_total are the views of full sampling")
        return self


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
        _require_one_sampling(self)
        return self


class BirdcageCoils(Spec):
    """Simulated coil maps."""

    type: Literal["birdcage"]
    n_coils: Count
    radius: Positive = 1.5


class CoilFile(Spec):
    """Coil maps ``(C, H, W)`` from a file."""

    type: Literal["file"]
    file: Text
    key: Text | None = None


class EspiritCoils(Spec):
    """Coil maps estimated from the data ``(C, H, W)`` in a file."""

    type: Literal["espirit"]
    file: Text
    key: Text | None = None
    centred: bool = False
    calibration: Count | None = None
    kernel_width: Annotated[int, Field(ge=2)] = 6
    threshold: Share = 0.02
    crop: Annotated[float, Field(ge=0, lt=1)] = 0.95
    library: Literal["sigpy", "bart"] | None = None


class MultiCoilFourierMapSpec(Spec):
    """Multi-coil Fourier sampling: a pattern or a mask from a file, and coil maps."""

    type: Literal["multi-coil-fourier"]
    sampling: SamplingPattern | None = None
    mask: Text | None = None
    key: Text | None = None
    centred: bool = False
    coils: Annotated[BirdcageCoils | CoilFile | EspiritCoils, Field(discriminator="type")]

    @model_validator(mode="after")
    def _one_of_two(self) -> MultiCoilFourierMapSpec:
        _require_one_sampling(self)
        return self


def _require_one_sampling(spec: FourierMapSpec | MultiCoilFourierMapSpec) -> None:
    if (spec.sampling is None) == (spec.mask is None):
        raise wrong("either sampling or mask in a Fourier map", "give one of the two")
    if spec.mask is None and (spec.key is not None or spec.centred):
        raise wrong("key and centred only beside mask", "patterns need neither")


class RadonMapSpec(Spec):
    """Parallel-beam computed tomography: a pattern of views, or angles in radians from a file."""

    type: Literal["radon"]
    sampling: EquispacedViews | None = None
    angles: Text | None = None
    key: Text | None = None
    n_detectors: Count | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> RadonMapSpec:
        if (self.sampling is None) == (self.angles is None):
            raise wrong("either sampling or angles in a Radon map", "give one of the two")
        if self.angles is None and self.key is not None:
            raise wrong("key only beside angles", "patterns need none")
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
    ZooMap | FourierMapSpec | MultiCoilFourierMapSpec | RadonMapSpec | MatrixMapSpec | ObjectMap,
    Field(discriminator="type"),
]
MapField = Annotated[MapSpec, BeforeValidator(_named)]
