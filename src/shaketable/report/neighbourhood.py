"""Neighbourhood: whether the artefact of a worst case survives added noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shaketable.report.axes import Axis
from shaketable.report.damage import method_ink
from shaketable.report.figures import Drawer, Panel, PictureBudget, Strip, printed_scale
from shaketable.report.pictures import grey_scale
from shaketable.report.quantities import interval, percent, plain, ratio
from shaketable.report.rows import Dot, RowChart
from shaketable.report.tables import Entry, Table
from shaketable.report.views import NeighbourhoodRow, neighbourhood_rows
from shaketable.stored import StoredRun, number

BYTES, FIGURES = 700_000, 2
STAGES = (
    ("clean", "no perturbation"),
    ("perturbed", "worst case"),
    ("noisy", "worst case + noise, one draw"),
)


@dataclass(frozen=True, kw_only=True)
class NeighbourhoodSection:
    """Chart, table and pictures of the neighbourhood probe."""

    noise_ratio: str
    keeps: str
    chart: RowChart
    table: Table
    panels: tuple[Panel, ...]
    left_out: tuple[str, ...]


def build_neighbourhood(run: StoredRun) -> NeighbourhoodSection | None:
    """Return the section, or None where the probe was not run."""
    rows = neighbourhood_rows(run)
    if not rows:
        return None
    budget = PictureBudget(n_bytes=BYTES, n_figures=FIGURES)
    panels, left_out = [], []
    for item in dict.fromkeys(row.source.item for row in rows if row.source.item):
        panel = _draw_item(run, rows, item, budget)
        if panel is None:
            left_out.append(f"arrays/{item}.h5")
        else:
            panels.append(panel)
    settings = run.planned.get("neighbourhood", ())
    keeps = next((number(one, "keeps") for one in settings), None)
    ratios = [row.noise_ratio for row in rows if row.noise_ratio is not None]
    return NeighbourhoodSection(
        noise_ratio=_listed(ratios) or "a stated share",
        keeps=str(percent(keeps)) if keeps is not None else "a stated share",
        chart=_chart(run, rows),
        table=_table(rows),
        panels=tuple(panels),
        left_out=tuple(left_out),
    )


def _listed(ratios: Sequence[float]) -> str:
    """``25 %, 50 % and 100 %``."""
    *some, last = [str(percent(value)) for value in dict.fromkeys(ratios)] or [""]
    return f"{', '.join(some)} and {last}" if some else last


def _share(row: NeighbourhoodRow) -> float | None:
    return ratio(row.n_persisting, row.n_draws)


def _chart(run: StoredRun, rows: Sequence[NeighbourhoodRow]) -> RowChart:
    lines = []
    several = len({row.noise_ratio for row in rows}) > 1
    for image, noise_ratio in dict.fromkeys((row.source.image, row.noise_ratio) for row in rows):
        dots = []
        for row in rows:
            share = _share(row)
            mine = row.source.image == image and row.noise_ratio == noise_ratio
            if mine and share is not None:
                low, high = row.interval
                both = low is not None and high is not None
                dots.append(
                    Dot(
                        method=row.source.method,
                        value=100 * share,
                        low=100 * low if low is not None and both else None,
                        high=100 * high if high is not None and both else None,
                    )
                )
        name = f"{image}, {percent(noise_ratio)}" if several else image
        lines.append((name, tuple(dots)))
    return RowChart(
        title="Share of noisy draws that keep the artefact, with its interval, per image",
        axis=Axis(label="draws that keep the artefact, %", from_zero=True),
        rows=tuple(lines),
        inks=tuple((method, method_ink(run, method)) for method in run.methods),
    )


def _table(rows: Sequence[NeighbourhoodRow]) -> Table:
    entries: list[tuple[Entry, ...]] = [
        (
            row.source.image,
            row.source.method,
            percent(row.radius),
            plain(row.error),
            percent(row.noise_ratio),
            plain(row.n_draws),
            plain(row.n_persisting),
            percent(_share(row)),
            interval(*row.interval, as_percent=True),
            row.status,
        )
        for row in rows
    ]
    return Table(
        caption="Every method with its own worst case and the artefact that this makes.",
        columns=(
            "Image",
            "Method",
            "Perturbation, of ‖x‖",
            "Artefact, absolute",
            "Noise, of the perturbation",
            "Draws",
            "Keep it",
            "Share",
            "Clopper–Pearson interval",
            "Search",
        ),
        rows=tuple(entries),
    )


def _draw_item(
    run: StoredRun, rows: Sequence[NeighbourhoodRow], item: str, budget: PictureBudget
) -> Panel | None:
    image = run.picture_array(item, "image")
    if image is None:
        return None
    owner = next(row.source.image for row in rows if row.source.item == item)

    def make(largest_side: int) -> Panel:
        drawer = Drawer(scale=grey_scale(image), largest_side=largest_side)
        truth = drawer.cell(image, "x, the image", f"Image {owner}")
        strips = []
        for method in run.methods[:2]:
            cells = [truth]
            for stage, caption in STAGES:
                array = run.picture_array(item, f"methods/{method}/{stage}")
                alt = f"Reconstruction of {owner} by {method}: {caption}"
                cells.append(drawer.cell(array, caption, alt))
            kind = "network" if method == run.network else "baseline"
            strip = Strip(title=method, cells=tuple(cells), kind=kind)
            if any(cell.picture for cell in cells[1:]):
                strips.append(strip)
        return Panel(
            title=owner,
            anchor=f"panel-{item}",
            scales=(printed_scale(drawer.scale, run.units),),
            strips=tuple(strips),
        )

    return budget.draw(make)
