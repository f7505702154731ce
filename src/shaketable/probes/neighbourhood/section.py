"""What the neighbourhood probe contributes to a report: whether artefacts survive added noise."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from shaketable.blocks import (
    Axis,
    Caveat,
    Cell,
    Dot,
    Drawer,
    Entry,
    Figure,
    Fold,
    Measure,
    Note,
    Panel,
    PictureBudget,
    Pictures,
    RowChart,
    Section,
    Strip,
    Table,
    draw_figures,
    printed_scale,
)
from shaketable.blocks.charts import method_inks
from shaketable.blocks.pictures import grey_scale
from shaketable.blocks.quantities import interval, listed, mean, percent, plain, ratio, severity
from shaketable.blocks.tables import LONGEST_TABLE, count_of, rest_of
from shaketable.blocks.wording import status_of
from shaketable.probes.neighbourhood.record import NeighbourhoodRecord
from shaketable.stored import StoredRun, number

BYTES, FIGURES = 700_000, 2
LONGEST_OPEN = 60
STAGES = (
    ("clean", "no perturbation"),
    ("perturbed", "worst case"),
    ("noisy", "worst case + noise, one draw"),
)
Records = Sequence[NeighbourhoodRecord]
_CAVEAT = Caveat(
    title="A neighbourhood of one kind",
    text="The draws are Gaussian noise around the perturbations that were found. They show "
    "that bad perturbations are not isolated points, not how large the bad region is.",
)


def section(run: StoredRun) -> Section:
    """Return chart, table and pictures of noisy repetitions of worst cases."""
    records = run.records_of(NeighbourhoodRecord, "neighbourhood")
    title = "Neighbourhood"
    question = "Does a bad perturbation stay bad when noise is added to it?"
    absent = "no noise was added to worst cases in this run."
    if not records:
        return Section(title=title, question=question, absent=absent)
    return Section(
        title=title,
        question=question,
        absent=absent,
        blocks=(
            Note(text=(_introduction(run, records),)),
            _chart(run, records),
            _table(records),
            _pictures(run, records),
        ),
        summary=(_measure(run, records),),
        caveats=(_CAVEAT,),
    )


def _introduction(run: StoredRun, records: Records) -> str:
    settings = run.planned.get("neighbourhood", ())
    keeps = next((number(one, "keeps") for one in settings), None)
    left = "a stated share" if keeps is None else str(percent(keeps))
    ratios = dict.fromkeys(r.noise_ratio for r in records if r.noise_ratio is not None)
    noise = listed(str(percent(value)) for value in ratios) or "a stated share"
    return (
        "Were a bad perturbation a single unlucky point, a little noise would make it harmless. Here "
        f"Gaussian noise of {noise} of the perturbation’s size is added to the data again and again, "
        "and it is counted how often the <dfn>artefact</dfn>, the change that the perturbation makes "
        f"in the reconstruction, stays: a draw counts when at least {left} of it is left. Compare the "
        "sizes of the artefacts too: a small artefact that stays is harmless. The "
        "<dfn>Clopper–Pearson interval</dfn> is the range of shares that is compatible with the count."
    )


def _share(record: NeighbourhoodRecord) -> float | None:
    return ratio(record.n_persisting, record.n_draws)


def _measure(run: StoredRun, records: Records) -> Measure:
    values = {
        method: percent(mean(_share(r) for r in records if r.method == method))
        for method in run.methods
    }
    return Measure(name="Noisy draws that keep the artefact of the worst case", values=values)


def _chart(run: StoredRun, records: Records) -> RowChart:
    rows: dict[tuple[str, float | None], list[Dot]] = {}
    for record in records:
        dots = rows.setdefault((record.image, record.noise_ratio), [])
        dots += _dots(record)
    several = len({record.noise_ratio for record in records}) > 1
    lines = tuple(
        (f"{image}, {percent(noise_ratio)}" if several else image, tuple(dots))
        for (image, noise_ratio), dots in rows.items()
    )
    return RowChart(
        title="Share of noisy draws that keep the artefact, with its interval, per image",
        axis=Axis(label="draws that keep the artefact, %", from_zero=True),
        rows=lines,
        inks=tuple(method_inks(run.networks, run.baselines).items()),
    )


def _dots(record: NeighbourhoodRecord) -> list[Dot]:
    share = _share(record)
    if share is None:
        return []
    low, high = record.interval
    if low is None or high is None:
        return [Dot(method=record.method, value=100 * share)]
    return [Dot(method=record.method, value=100 * share, low=100 * low, high=100 * high)]


def _table(records: Records) -> Table:
    entries: list[tuple[Entry, ...]] = [
        (
            record.image,
            record.method,
            percent(record.radius),
            plain(record.error),
            percent(record.noise_ratio),
            plain(record.n_draws),
            plain(record.n_persisting),
            percent(_share(record)),
            interval(*record.interval, as_percent=True),
            status_of(record.status),
        )
        for record in records[:LONGEST_TABLE]
    ]
    n = len(records)
    return Table(
        caption="Every method with its own worst case and the artefact that this makes."
        f"{rest_of(n)}",
        columns=(
            *("Image", "Method", "Perturbation, of ‖x‖", "Artefact, absolute"),
            *("Noise, of the perturbation", "Draws", "Keep it", "Share"),
            *("Clopper–Pearson interval", "Search"),
        ),
        rows=tuple(entries),
        fold="" if n <= LONGEST_OPEN else count_of(n, "records"),
    )


def _pictures(run: StoredRun, records: Records) -> Pictures:
    items: dict[str, list[NeighbourhoodRecord]] = defaultdict(list)
    for record in records:
        if record.item:
            items[record.item].append(record)
    budget = PictureBudget(n_bytes=BYTES, n_figures=FIGURES)
    return draw_figures(items, lambda item: _figure(run, items[item]), run.place, budget)


def _figure(run: StoredRun, records: Records) -> Figure | None:
    item, owner = records[0].item, records[0].image
    image = run.picture_array(item, "image")
    if image is None:
        return None

    def strips(drawer: Drawer, methods: Sequence[str]) -> tuple[Strip, ...]:
        truth = drawer.cell(image, "x, the image", f"Image {owner}")
        found = []
        for method in methods:
            cells = _cells(run, records[0], drawer, method)
            kind = "network" if method in run.networks else "baseline"
            if any(cell.picture for cell in cells):
                found.append(Strip(title=method, cells=(truth, *cells), kind=kind))
        return tuple(found)

    def make(largest_side: int) -> Panel:
        drawer = Drawer(scale=grey_scale(image), largest_side=largest_side)
        first, *others = sorted(run.networks, key=lambda name: -_artefact(records, name))
        folds = (
            Fold(title=f"Another network: {name}", strips=strips(drawer, (name,)))
            for name in others
        )
        return Panel(
            title=owner,
            anchor=f"panel-{item}",
            scales=(printed_scale(drawer.scale, run.units),),
            strips=strips(drawer, (first, *run.baselines[:1])),
            folds=tuple(fold for fold in folds if fold.strips),
        )

    return Figure(make=make)


def _artefact(records: Records, method: str) -> float:
    """The size of a method's artefact, for the network that leads."""
    found = (severity(record.error) for record in records if record.method == method)
    return max(found, default=-math.inf)


def _cells(run: StoredRun, record: NeighbourhoodRecord, drawer: Drawer, method: str) -> list[Cell]:
    cells = []
    for stage, caption in STAGES:
        array = run.picture_array(record.item, f"methods/{method}/{stage}")
        alt = f"Reconstruction of {record.image} by {method}: {caption}"
        cells.append(drawer.cell(array, caption, alt))
    return cells
