"""The stable methods and the searches of a plan."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from shaketable.plan.schema_base import (
    Arguments,
    Count,
    ObjectName,
    Positive,
    Spec,
    Text,
    wrong,
)
from shaketable.search import BlackBox, Budget, MomentumAscent, SphereAscent
from shaketable.sparse import (
    AtNoiseLevel,
    BasisPursuitDenoising,
    ReweightedShearlets,
    Shearlets,
    TotalGeneralizedVariation,
    TotalVariation,
    WaveletL1,
)

Values = Literal["complex", "ri", "real"]
Momentum = Annotated[float, Field(ge=0, lt=1)]
ShearLevel = Annotated[int, Field(ge=0, le=4)]
ShearLevels = Annotated[tuple[ShearLevel, ...], Field(strict=False)]
NotNegative = Annotated[float, Field(ge=0)]


class BudgetFields(Spec):
    """Settings of `shaketable.search.Budget`, beside those of the update."""

    n_gradients: Count = Budget.n_gradients
    n_starts: Count = Budget.n_starts
    plateau: Annotated[float, Field(ge=0, lt=1)] = Budget.plateau
    max_seconds: Positive | None = None
    max_rows: Count | None = None
    checkpoint: bool = Budget.checkpoint


class SphereAscentSpec(BudgetFields):
    """Settings of a search by `shaketable.search.SphereAscent`."""

    method: Literal["sphere-ascent"] = "sphere-ascent"
    step: Positive = SphereAscent.step
    momentum: Annotated[list[Momentum], Field(min_length=2, max_length=2)] = Field(
        default=list(SphereAscent.momentum)
    )
    step_continued: Positive = SphereAscent.step_continued
    overshoot: Annotated[float, Field(ge=1)] = SphereAscent.overshoot


class MomentumAscentSpec(BudgetFields):
    """Settings of the paper's search; ``published`` takes those stated for one of its networks."""

    method: Literal["momentum-ascent"]
    published: Text | None = None
    rate: Positive | None = None
    penalty: NotNegative | None = None
    start_size: NotNegative | None = None
    momentum: Momentum = MomentumAscent.momentum
    n_gradients: Count | None = None  # type: ignore[assignment]  # None: as published
    plateau: Annotated[float, Field(ge=0, lt=1)] = 0.0


class BlackBoxSpec(Spec):
    """Settings of `shaketable.search.BlackBox`: a search that asks for reconstructions only."""

    method: Literal["black-box"]
    n_queries: Annotated[int, Field(ge=2)] = BlackBox.n_queries
    step: Annotated[float, Field(gt=0, le=1)] = BlackBox.step
    share: Annotated[float, Field(gt=0, le=1)] = BlackBox.share
    n_round: Count = BlackBox.n_round
    max_rows: Count = BlackBox.max_rows
    max_seconds: Positive | None = None


def _with_method(data: Any) -> Any:
    """``search: {n_gradients: 50}`` means the default search."""
    return {"method": "sphere-ascent", **data} if isinstance(data, dict) else data


SearchSpec = Annotated[
    Annotated[SphereAscentSpec | MomentumAscentSpec, Field(discriminator="method")],
    BeforeValidator(_with_method),
]

AnySearchSpec = Annotated[
    Annotated[SphereAscentSpec | MomentumAscentSpec | BlackBoxSpec, Field(discriminator="method")],
    BeforeValidator(_with_method),
]


class TotalVariationSpec(Spec):
    """Settings of `shaketable.sparse.TotalVariation`."""

    method: Literal["total-variation"]
    strength: Positive = TotalVariation.strength
    isotropic: bool = TotalVariation.isotropic
    values: Values | None = None
    gap: Positive = TotalVariation.gap
    max_iterations: Count = TotalVariation.max_iterations
    rule: str = TotalVariation.rule


class WaveletL1Spec(Spec):
    """Settings of `shaketable.sparse.WaveletL1`."""

    method: Literal["wavelet-l1"]
    strength: Positive = WaveletL1.strength
    wavelet: Text = WaveletL1.wavelet
    levels: Count = WaveletL1.levels
    translation_invariant: bool = WaveletL1.translation_invariant
    values: Values | None = None
    gap: Positive = WaveletL1.gap
    max_iterations: Count = WaveletL1.max_iterations
    rule: str = WaveletL1.rule


class TotalGeneralizedVariationSpec(Spec):
    """Settings of `shaketable.sparse.TotalGeneralizedVariation`."""

    method: Literal["total-generalized-variation"]
    strength: Positive = TotalGeneralizedVariation.strength
    balance: Positive = TotalGeneralizedVariation.balance
    values: Values | None = None
    gap: Positive = TotalGeneralizedVariation.gap
    max_iterations: Count = TotalGeneralizedVariation.max_iterations
    rule: str = TotalGeneralizedVariation.rule


class ShearletsSpec(Spec):
    """Settings of `shaketable.sparse.Shearlets`."""

    method: Literal["shearlets"]
    strength: Positive = Shearlets.strength
    levels: ShearLevels = Shearlets.levels
    values: Values | None = None
    gap: Positive = Shearlets.gap
    max_iterations: Count = Shearlets.max_iterations
    rule: str = Shearlets.rule


class ReweightedShearletsSpec(Spec):
    """Settings of `shaketable.sparse.ReweightedShearlets`."""

    method: Literal["reweighted-shearlets"]
    strength: Positive = ReweightedShearlets.strength
    variation: Literal["tgv", "tv"] = ReweightedShearlets.variation
    share: Positive = ReweightedShearlets.share
    levels: ShearLevels = ReweightedShearlets.levels
    n_reweightings: Annotated[int, Field(ge=0)] = ReweightedShearlets.n_reweightings
    values: Values | None = None
    gap: Positive = ReweightedShearlets.gap
    max_iterations: Count = ReweightedShearlets.max_iterations
    rule: str = ReweightedShearlets.rule


class BasisPursuitDenoisingSpec(Spec):
    """Settings of `shaketable.sparse.BasisPursuitDenoising`."""

    method: Literal["basis-pursuit-denoising"]
    noise: Annotated[float, Field(gt=0, lt=1)] = BasisPursuitDenoising.noise
    wavelet: Text = BasisPursuitDenoising.wavelet
    levels: Count = BasisPursuitDenoising.levels
    values: Values | None = None
    gap: Positive = BasisPursuitDenoising.gap
    max_iterations: Count = BasisPursuitDenoising.max_iterations


ConvexSpec = TotalVariationSpec | WaveletL1Spec | TotalGeneralizedVariationSpec | ShearletsSpec


def _by_name(data: Any) -> Any:
    """``of: total-variation`` means the method with its defaults."""
    return {"method": data} if isinstance(data, str) else data


class AtNoiseLevelSpec(Spec):
    """Settings of `shaketable.sparse.AtNoiseLevel`: another method, its strength from the noise."""

    method: Literal["at-noise-level"]
    noise: Annotated[float, Field(gt=0, lt=1)]
    of: Annotated[Annotated[ConvexSpec, Field(discriminator="method")], BeforeValidator(_by_name)]
    gap: Positive = AtNoiseLevel.gap


SparseSpec = ConvexSpec | ReweightedShearletsSpec | BasisPursuitDenoisingSpec | AtNoiseLevelSpec


class ObjectMethod(Spec):
    """A stable method of one's own: any callable ``g(y, A)``."""

    method: Literal["object"]
    object: ObjectName
    arguments: Arguments = Field(default={})
    folder: Text | None = None
    weights: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        if isinstance(data, dict) and "object" not in data:
            raise wrong("the field object with 'package.module:name'", "add it")
        return data


BaselineSpec = Annotated[SparseSpec | ObjectMethod, Field(discriminator="method")]
BASELINE_NAMES = (
    "total-variation",
    "wavelet-l1",
    "total-generalized-variation",
    "shearlets",
    "reweighted-shearlets",
    "basis-pursuit-denoising",
    "at-noise-level",
)


def name_methods(data: Any) -> Any:
    """Fill in ``method`` where the name of a baseline, or its object, already says it."""
    if not isinstance(data, dict):
        return data
    named = {}
    for name, settings in data.items():
        settings = {} if settings is None else settings
        if isinstance(settings, dict) and "method" not in settings:
            method = "object" if "object" in settings else name
            settings = {"method": method, **settings}
        named[name] = settings
    return named
