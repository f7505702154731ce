"""How Fourier space and views are sampled: the nested patterns that a plan can name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shaketable.errors import InputError
from shaketable.maps import SamplingSequence, ViewSequence, sampling
from shaketable.plan.choices import Choice
from shaketable.plan.derive import declare
from shaketable.settings import require_number, require_whole

Lines = Literal["rows", "columns"]


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A sampling pattern of Fourier space, and the rate at which it is taken."""

    rate: float

    def __post_init__(self) -> None:
        require_number("rate", self.rate, above=0, at_most=1)
        for name in ("seed", "n_center"):  # of those patterns that have them
            require_whole(name, getattr(self, name, 0), at_least=0)

    def sequence(self, shape: tuple[int, int]) -> SamplingSequence:
        """The order in which a grid ``(H, W)`` is sampled."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class CartesianVariableDensity(Pattern):
    """Random lines, denser near the centre: the sampling of Deep MRI."""

    seed: int = 0
    acceleration: float | None = None
    n_center: int = 8
    lines: Lines = "rows"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("acceleration", self.acceleration or 1, at_least=1)

    def sequence(self, shape: tuple[int, int]) -> SamplingSequence:
        """As `shaketable.maps.sampling.cartesian_variable_density`."""
        return sampling.cartesian_variable_density(
            shape, seed=self.seed, n_center=self.n_center, lines=self.lines,
            acceleration=1 / self.rate if self.acceleration is None else self.acceleration,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class GaussianColumns(Pattern):
    """Random columns with a Gaussian density."""

    seed: int = 0
    width: float = 1 / 6
    n_center: int = 8
    lines: Lines = "columns"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("width", self.width, above=0)

    def sequence(self, shape: tuple[int, int]) -> SamplingSequence:
        """As `shaketable.maps.sampling.gaussian_columns`."""
        return sampling.gaussian_columns(
            shape, seed=self.seed, width=self.width, n_center=self.n_center, lines=self.lines
        )


@dataclass(frozen=True, kw_only=True)
class EquispacedLines(Pattern):
    """Every k-th line and a full centre."""

    n_center: int = 8
    lines: Lines = "rows"

    def sequence(self, shape: tuple[int, int]) -> SamplingSequence:
        """As `shaketable.maps.sampling.equispaced_lines`."""
        return sampling.equispaced_lines(
            shape, rate=self.rate, n_center=self.n_center, lines=self.lines
        )


@dataclass(frozen=True, kw_only=True)
class PoissonDisc(Pattern):
    """Random points that keep a distance."""

    seed: int = 0
    slope: float = 2.0
    n_center: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("slope", self.slope, at_least=0)

    def sequence(self, shape: tuple[int, int]) -> SamplingSequence:
        """As `shaketable.maps.sampling.poisson_disc`."""
        return sampling.poisson_disc(
            shape, seed=self.seed, slope=self.slope, n_center=self.n_center
        )


@dataclass(frozen=True, kw_only=True)
class RadialLines(Pattern):
    """Lines through the centre, on the grid."""

    first_angle: float = 0.0

    def sequence(self, shape: tuple[int, int]) -> SamplingSequence:
        """As `shaketable.maps.sampling.radial_lines`."""
        return sampling.radial_lines(shape, first_angle=self.first_angle)


@dataclass(frozen=True, kw_only=True)
class EquispacedViews:
    """Every k-th view of computed tomography; the rate is ``n_views / n_total``."""

    n_views: int
    n_total: int = 1000
    even: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        require_whole("n_total", self.n_total, at_least=1, at_most=1_000_000)
        require_whole("n_views", self.n_views, at_least=1)
        if self.n_views > self.n_total:
            raise InputError(
                f"Expected n_views of at most n_total, got {self.n_views} of {self.n_total}; "
                "n_total are the views of full sampling.",
                field="n_views",
            )

    @property
    def rate(self) -> float:
        """The share of the views of full sampling."""
        return self.n_views / self.n_total

    def sequence(self) -> ViewSequence:
        """As `shaketable.maps.sampling.equispaced_views`."""
        if self.even is None:
            return sampling.equispaced_views(self.n_total)
        return sampling.equispaced_views(self.n_total, even=self.even)


PATTERNS = Choice.of(
    "pattern",
    {
        "cartesian-variable-density": CartesianVariableDensity,
        "gaussian-columns": GaussianColumns,
        "equispaced-lines": EquispacedLines,
        "poisson-disc": PoissonDisc,
        "radial-lines": RadialLines,
    },
)
VIEWS = Choice.of("pattern", {"equispaced-views": EquispacedViews})
declare(Pattern, PATTERNS.read, PATTERNS.tag)
declare(EquispacedViews, VIEWS.read, VIEWS.tag)
