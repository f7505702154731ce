"""Damage against radius: charts and the numbers under them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shaketable.blocks import Axis, Block, Chart, Entry, Heading, Ink, Note, Series, Table
from shaketable.blocks.charts import method_inks
from shaketable.blocks.quantities import (
    Interval,
    decibel,
    distinct,
    extent,
    interval,
    mean,
    percent,
    plain,
    same,
)
from shaketable.blocks.tables import LONGEST_TABLE, count_of, rest_of
from shaketable.blocks.wording import status_of
from shaketable.probes.worst_case.derived import (
    Records,
    domain_of,
    given_amplification,
    given_relative_error,
    random_relative_error,
)
from shaketable.probes.worst_case.record import WorstCaseRecord
from shaketable.stored import StoredRun

_CHANGE = (
    "The <dfn>change of the reconstruction</dfn> is ‖<i>f</i>(perturbed) − <i>f</i>(unperturbed)‖ "
    "relative to ‖<i>f</i>(unperturbed)‖. The <dfn>amplification</dfn> is the same change divided by "
    "the size of the perturbation: at 1 the reconstruction changes as much as its input did. Small "
    "marks are single images, large marks are means. All worst cases are lower bounds."
)
_PSNR = (
    "<dfn>PSNR</dfn> (peak signal-to-noise ratio, in decibel) compares a reconstruction with the true "
    "image; higher is better, and 6 dB less means that the error has doubled."
)
Value = Callable[[WorstCaseRecord], float | None]
_CHANGES: dict[str, Value] = {
    "own": lambda record: _as_percent(record.relative_error),
    "given": lambda record: _as_percent(given_relative_error(record)),
    "random": lambda record: _as_percent(random_relative_error(record)),
}
_AMPLIFICATIONS: dict[str, Value] = {
    "own": lambda record: record.amplification,
    "given": lambda record: record.given_network_amplification,
    "random": lambda record: record.random_amplification,
}


def damage_blocks(run: StoredRun, records: Records) -> tuple[Block, ...]:
    """Return charts and tables of every domain that was searched."""
    blocks: list[Block] = [Note(text=(_CHANGE,))]
    for domain in dict.fromkeys(domain_of(record) for record in records):
        blocks += _domain(run, domain, [r for r in records if domain_of(r) == domain])
    return (*blocks, Note(text=(_PSNR,), style="small"))


def _domain(run: StoredRun, domain: str, records: Records) -> list[Block]:
    base = "‖y‖" if domain == "data" else "‖x‖"
    place = "data" if domain == "data" else "image"
    x = Axis(label=f"size of the perturbation, % of {base}", from_zero=True)
    return [
        Heading(title=f"Perturbation of the {place}"),
        Chart(
            title=f"Change of the reconstruction, perturbation of the {place}",
            x=x,
            y=Axis(label="change of the reconstruction, %", from_zero=True),
            series=_series(run, records, _CHANGES),
        ),
        Chart(
            title=f"Amplification, perturbation of the {place}",
            x=x,
            y=Axis(label="amplification", from_zero=True),
            series=_series(run, records, _AMPLIFICATIONS),
        ),
        _summary(run, records, base),
        *_given(run, records, base),
        _full(records, base),
    ]


def _as_percent(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _series(run: StoredRun, records: Records, values: dict[str, Value]) -> tuple[Series, ...]:
    series = []
    inks = method_inks(run.networks, run.baselines)
    for method in run.methods:
        own = [r for r in records if r.method == method and r.radius is not None]
        for kind, (label, ink) in _looks(run, method, inks[method]).items():
            points = tuple((100 * (r.radius or 0.0), values[kind](r)) for r in own)
            series.append(Series(label=label, points=points, ink=ink))
    return tuple(series)


def _looks(run: StoredRun, method: str, ink: Ink) -> dict[str, tuple[str, Ink]]:
    several = len(run.networks) > 1
    under = (
        "the networks’ perturbations, the worst of them"
        if several
        else "the network’s perturbation"
    )
    is_only = method == run.network and not several
    return {
        "own": (f"{method}: worst case found", ink),
        "given": (
            f"{method}: under {under}",
            Ink(colour=ink.colour, mark="triangle", dash="dotted"),
        ),
        "random": (
            f"{method}: random perturbation",
            Ink(colour="random" if is_only else ink.colour, mark="none", dash="dashed"),
        ),
    }


def _spread(values: Sequence[float | None], as_percent: bool = False) -> Interval | str:
    low, high = extent(values)
    return "–" if low is None else interval(low, high, as_percent)


def _summary(run: StoredRun, records: Records, base: str) -> Table:
    entries = [
        _summary_row(method, radius, group)
        for method in run.methods
        for radius in distinct(r.radius for r in records)
        if (group := [r for r in records if r.method == method and same(r.radius, radius)])
    ]
    which = (
        "under the worst of the perturbations made for the networks"
        if len(run.networks) > 1
        else "under the perturbation made for the network"
    )
    return Table(
        caption="Worst cases found (lower bounds): means over the images, and from the smallest to the "
        "largest image. “at 0”: the largest amplification of vanishingly small perturbations; "
        "“random”: under a random perturbation of the same size; “network’s”: the reference method "
        f"{which}.",
        columns=(
            *("Method", f"Size, of {base}", "mean", "range", "mean", "range"),
            *("at 0", "random", "network’s", "without", "with", "Images"),
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


def _summary_row(method: str, radius: float, group: Records) -> tuple[Entry, ...]:
    changes = [record.relative_error for record in group]
    amplifications = [record.amplification for record in group]
    return (
        method,
        percent(radius),
        percent(mean(changes)),
        _spread(changes, as_percent=True),
        plain(mean(amplifications)),
        _spread(amplifications),
        plain(mean(record.local_gain for record in group)),
        plain(mean(record.random_amplification for record in group)),
        plain(mean(record.given_network_amplification for record in group)),
        decibel(mean(record.clean_psnr for record in group)),
        decibel(mean(record.perturbed_psnr for record in group)),
        plain(float(len(group))),
    )


def _given(run: StoredRun, records: Records, base: str) -> list[Block]:
    """Whose perturbations disturb the reference methods most, where there are several networks."""
    if len(run.networks) < 2:
        return []
    rows: list[tuple[Entry, ...]] = []
    for method in run.baselines:
        for radius in distinct(r.radius for r in records):
            group = [r for r in records if r.method == method and same(r.radius, radius)]
            means = [mean(given_amplification(r, name) for r in group) for name in run.networks]
            rows.append((method, percent(radius), *(plain(value) for value in means)))
    table = Table(
        caption="The reference methods under the perturbations made for each network: mean "
        "amplification over the images.",
        columns=("Method", f"Size, of {base}", *run.networks),
        groups=(("", 2), ("Amplification, perturbation made for", len(run.networks))),
        rows=tuple(rows),
    )
    return [table] if rows else []


def _full(records: Records, base: str) -> Table:
    return Table(
        caption=f"One image, one method, one size per row.{rest_of(len(records))}",
        columns=(
            *("Image", "Method", f"Size, of {base}", "Size, absolute", "Error", "Changed by"),
            *("Amplification", "At size 0", "Random", "Network's perturbation"),
            *("PSNR without", "PSNR with", "Search"),
        ),
        rows=tuple(_full_row(record) for record in records[:LONGEST_TABLE]),
        fold=count_of(len(records), "records"),
    )


def _full_row(record: WorstCaseRecord) -> tuple[Entry, ...]:
    return (
        record.image,
        record.method,
        percent(record.radius),
        plain(record.perturbation_norm),
        plain(record.error),
        percent(record.relative_error),
        plain(record.amplification),
        plain(record.local_gain),
        plain(record.random_amplification),
        plain(record.given_network_amplification),
        decibel(record.clean_psnr),
        decibel(record.perturbed_psnr),
        status_of(record.status),
    )
