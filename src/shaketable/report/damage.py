"""Damage against radius: charts and the numbers under them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shaketable.report.axes import Axis
from shaketable.report.charts import Chart, Ink, Series
from shaketable.report.quantities import (
    Interval,
    decibel,
    extent,
    interval,
    mean,
    percent,
    plain,
)
from shaketable.report.tables import Entry, Table
from shaketable.report.views import WorstCaseRow, same, worst_case_rows
from shaketable.stored import StoredRun

COLOURS = ("baseline", "second", "third")
LONGEST_TABLE = 600


@dataclass(frozen=True, kw_only=True)
class DamageSection:
    """The charts and tables of one domain."""

    domain: str
    title: str
    chart: Chart
    amplification: Chart
    summary: Table
    full: Table


def build_damage(run: StoredRun) -> tuple[DamageSection, ...]:
    """One section per domain that was searched."""
    rows = worst_case_rows(run)
    domains = dict.fromkeys(row.domain for row in rows)
    return tuple(
        _section(run, domain, [row for row in rows if row.domain == domain]) for domain in domains
    )


def method_ink(run: StoredRun, method: str) -> Ink:
    """How a method looks in every chart of the page."""
    if method == run.network or method not in run.baselines:
        return Ink(colour="network", mark="circle")
    index = min(run.baselines.index(method), len(COLOURS) - 1)
    return Ink(colour=COLOURS[index], mark=("square", "diamond", "triangle")[index])


def _section(run: StoredRun, domain: str, rows: Sequence[WorstCaseRow]) -> DamageSection:
    base = "‖y‖" if domain == "data" else "‖x‖"
    place = "data" if domain == "data" else "image"
    x = Axis(label=f"size of the perturbation, % of {base}", from_zero=True)
    damage = Chart(
        title=f"Change of the reconstruction, perturbation of the {place}",
        x=x,
        y=Axis(label="change of the reconstruction, %", from_zero=True),
        series=_series(run, rows, _change_of),
    )
    amplification = Chart(
        title=f"Amplification, perturbation of the {place}",
        x=x,
        y=Axis(label="amplification", from_zero=True),
        series=_series(run, rows, _amplification_of),
    )
    return DamageSection(
        domain=domain,
        title=f"Perturbation of the {place}",
        chart=damage,
        amplification=amplification,
        summary=_summary(run, rows, base),
        full=_full(rows, base),
    )


def _change_of(row: WorstCaseRow, kind: str) -> float | None:
    value = {
        "own": row.relative_error,
        "given": row.given_relative_error,
        "random": row.random_relative_error,
    }[kind]
    return None if value is None else 100 * value


def _amplification_of(row: WorstCaseRow, kind: str) -> float | None:
    return {
        "own": row.amplification,
        "given": row.given_network_amplification,
        "random": row.random_amplification,
    }[kind]


def _series(
    run: StoredRun,
    rows: Sequence[WorstCaseRow],
    value: Callable[[WorstCaseRow, str], float | None],
) -> tuple[Series, ...]:
    series = []
    for method in run.methods:
        own = [row for row in rows if row.source.method == method]
        ink = method_ink(run, method)
        is_network = method == run.network
        kinds = {
            "own": (f"{method}: worst case found", ink),
            "given": (
                f"{method}: under the network’s perturbation",
                Ink(colour=ink.colour, mark="triangle", dash="dotted"),
            ),
            "random": (
                f"{method}: random perturbation",
                Ink(colour="random" if is_network else ink.colour, mark="none", dash="dashed"),
            ),
        }
        for kind, (label, look) in kinds.items():
            points = tuple(
                (100 * row.radius, value(row, kind)) for row in own if row.radius is not None
            )
            series.append(Series(label=label, points=points, ink=look))
    return tuple(series)


def _spread(values: Sequence[float | None], as_percent: bool = False) -> Interval | str:
    low, high = extent(values)
    return "–" if low is None else interval(low, high, as_percent)


def _summary(run: StoredRun, rows: Sequence[WorstCaseRow], base: str) -> Table:
    radii: list[float] = []
    for row in rows:
        if row.radius is not None and not any(same(row.radius, known) for known in radii):
            radii.append(row.radius)
    entries: list[tuple[Entry, ...]] = []
    for method in run.methods:
        for radius in sorted(radii):
            group = [r for r in rows if r.source.method == method and same(r.radius, radius)]
            if group:
                entries.append(_summary_row(method, radius, group))
    return Table(
        caption="Worst cases found (lower bounds): means over the images, and from the smallest to the "
        "largest image. “at 0”: the largest amplification of vanishingly small perturbations; "
        "“random”: under a random perturbation of the same size; “network’s”: the stable method under "
        "the perturbation made for the network.",
        columns=(
            "Method",
            f"Size, of {base}",
            "mean",
            "range",
            "mean",
            "range",
            "at 0",
            "random",
            "network’s",
            "without",
            "with",
            "Images",
        ),
        groups=(
            ("", 2),
            ("Reconstruction changed by", 2),
            ("Amplification", 5),
            ("PSNR, perturbation", 2),
            ("", 1),
        ),
        rows=tuple(entries),
    )


def _summary_row(method: str, radius: float, group: Sequence[WorstCaseRow]) -> tuple[Entry, ...]:
    changes = [row.relative_error for row in group]
    amplifications = [row.amplification for row in group]
    return (
        method,
        percent(radius),
        percent(mean(changes)),
        _spread(changes, as_percent=True),
        plain(mean(amplifications)),
        _spread(amplifications),
        plain(mean(row.local_gain for row in group)),
        plain(mean(row.random_amplification for row in group)),
        plain(mean(row.given_network_amplification for row in group)),
        decibel(mean(row.clean_psnr for row in group)),
        decibel(mean(row.perturbed_psnr for row in group)),
        plain(float(len(group))),
    )


def _full(rows: Sequence[WorstCaseRow], base: str) -> Table:
    shown = rows[:LONGEST_TABLE]
    rest = len(rows) - len(shown)
    more = f" The other {rest} are in results.json." if rest else ""
    return Table(
        caption=f"One image, one method, one size per row.{more}",
        columns=(
            "Image",
            "Method",
            f"Size, of {base}",
            "Size, absolute",
            "Error",
            "Changed by",
            "Amplification",
            "At size 0",
            "Random",
            "Network's perturbation",
            "PSNR without",
            "PSNR with",
            "Search",
        ),
        rows=tuple(_full_row(row) for row in shown),
        fold=f"{len(shown)} of {len(rows)} records" if rest else f"All {len(rows)} records",
    )


def _full_row(row: WorstCaseRow) -> tuple[Entry, ...]:
    return (
        row.source.image,
        row.source.method,
        percent(row.radius),
        plain(row.perturbation_norm),
        plain(row.error),
        percent(row.relative_error),
        plain(row.amplification),
        plain(row.local_gain),
        plain(row.random_amplification),
        plain(row.given_network_amplification),
        decibel(row.clean_psnr),
        decibel(row.perturbed_psnr),
        row.status,
    )
