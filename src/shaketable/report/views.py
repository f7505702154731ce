"""Records of the probes as typed rows: what is missing or not a number is None."""

from __future__ import annotations

import math
from dataclasses import dataclass

from shaketable.report.quantities import ratio
from shaketable.report.words import status_of
from shaketable.stored import Record, StoredRun, bounds, number, text


@dataclass(frozen=True, kw_only=True)
class Source:
    """What every record says: which method on which image, and where the arrays are."""

    item: str
    method: str
    role: str
    image: str

    @property
    def is_network(self) -> bool:
        """Whether the network was measured, not a stable method."""
        return self.role == "network"


@dataclass(frozen=True, kw_only=True)
class WorstCaseRow:
    """One worst case. Norms are Euclidean, in the image's (or the data's) units."""

    source: Source
    domain: str
    radius: float | None
    perturbation_norm: float | None
    error: float | None
    amplification: float | None
    random_amplification: float | None
    local_gain: float | None
    relative_error: float | None
    clean_psnr: float | None
    perturbed_psnr: float | None
    given_network_error: float | None
    given_network_amplification: float | None
    solver_gap: float | None
    status: str

    @property
    def output_norm(self) -> float | None:
        """``‖f(y)‖``, from the error and the relative error."""
        return ratio(self.error, self.relative_error)

    @property
    def random_relative_error(self) -> float | None:
        """The change under a random perturbation of the same size, relative to ``‖f(y)‖``."""
        if self.random_amplification is None or self.perturbation_norm is None:
            return None
        return ratio(self.random_amplification * self.perturbation_norm, self.output_norm)

    @property
    def given_relative_error(self) -> float | None:
        """The change under the network’s perturbation, relative to ``‖f(y)‖``."""
        return ratio(self.given_network_error, self.output_norm)


@dataclass(frozen=True, kw_only=True)
class StructuralRow:
    """One detail in one image."""

    source: Source
    detail: str
    contrast: float | None
    contrast_recovery: float | None
    correlation: float | None
    leakage: float | None


@dataclass(frozen=True, kw_only=True)
class SamplingRow:
    """One sampling rate on one image."""

    source: Source
    rate: float | None
    trained_rate: float | None
    psnr: float | None
    ssim: float | None


@dataclass(frozen=True, kw_only=True)
class NeighbourhoodRow:
    """Noisy repetitions of one worst case."""

    source: Source
    radius: float | None
    noise_ratio: float | None
    n_draws: float | None
    n_persisting: float | None
    error: float | None
    status: str
    interval: tuple[float | None, float | None]


def _source(record: Record) -> Source:
    return Source(
        item=text(record, "item"),
        method=text(record, "method", "unnamed"),
        role=text(record, "role"),
        image=text(record, "image", "unnamed"),
    )


def worst_case_rows(run: StoredRun) -> tuple[WorstCaseRow, ...]:
    """Return the records of the worst-case probe."""
    return tuple(
        WorstCaseRow(
            source=_source(record),
            domain=text(record, "domain", "image"),
            radius=number(record, "radius"),
            perturbation_norm=number(record, "perturbation_norm"),
            error=number(record, "error"),
            amplification=number(record, "amplification"),
            random_amplification=number(record, "random_amplification"),
            local_gain=number(record, "local_gain"),
            relative_error=number(record, "relative_error"),
            clean_psnr=number(record, "clean_psnr"),
            perturbed_psnr=number(record, "perturbed_psnr"),
            given_network_error=number(record, "given_network_error"),
            given_network_amplification=number(record, "given_network_amplification"),
            solver_gap=number(record, "solver_gap"),
            status=status_of(text(record, "status")),
        )
        for record in run.records("worst_case")
    )


def structural_rows(run: StoredRun) -> tuple[StructuralRow, ...]:
    """Return the records of the structural probe."""
    return tuple(
        StructuralRow(
            source=_source(record),
            detail=text(record, "detail", "unnamed"),
            contrast=number(record, "contrast"),
            contrast_recovery=number(record, "contrast_recovery"),
            correlation=number(record, "correlation"),
            leakage=number(record, "leakage"),
        )
        for record in run.records("structural")
    )


def sampling_rows(run: StoredRun) -> tuple[SamplingRow, ...]:
    """Return the records of the sampling probe."""
    return tuple(
        SamplingRow(
            source=_source(record),
            rate=number(record, "rate"),
            trained_rate=number(record, "trained_rate"),
            psnr=number(record, "psnr"),
            ssim=number(record, "ssim"),
        )
        for record in run.records("sampling")
    )


def neighbourhood_rows(run: StoredRun) -> tuple[NeighbourhoodRow, ...]:
    """Return the records of the neighbourhood probe."""
    return tuple(
        NeighbourhoodRow(
            source=_source(record),
            radius=number(record, "radius"),
            noise_ratio=number(record, "noise_ratio"),
            n_draws=number(record, "n_draws"),
            n_persisting=number(record, "n_persisting"),
            error=number(record, "error"),
            status=status_of(text(record, "status")),
            interval=bounds(record),
        )
        for record in run.records("neighbourhood")
    )


def same(a: float | None, b: float | None) -> bool:
    """Whether two stored settings are the same up to single precision."""
    return a is not None and b is not None and math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-12)


def worst_case_of(
    rows: tuple[WorstCaseRow, ...], item: str, method: str, radius: float | None
) -> WorstCaseRow | None:
    """Return the row of one item, method and radius."""
    found = (
        row
        for row in rows
        if row.source.item == item and row.source.method == method and same(row.radius, radius)
    )
    return next(found, None)


def severity(value: float | None) -> float:
    """Return a key for sorting: what is missing comes last when sorted from large to small."""
    return -math.inf if value is None else value
