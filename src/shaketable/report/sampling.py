"""More and fewer samples: quality against the sampling rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shaketable.report.axes import Axis
from shaketable.report.charts import Chart, Series
from shaketable.report.damage import method_ink
from shaketable.report.figures import Drawer, Panel, PictureBudget, Strip, printed_scale
from shaketable.report.pictures import grey_scale
from shaketable.report.quantities import counted, decibel, mean, percent, plain
from shaketable.report.tables import Entry, Table
from shaketable.report.views import SamplingRow, same, sampling_rows
from shaketable.stored import StoredRun

BYTES, FIGURES = 900_000, 2


@dataclass(frozen=True, kw_only=True)
class SamplingSection:
    """Charts, table and pictures of the sampling probe."""

    trained_rate: float | None
    quality: Chart
    similarity: Chart
    table: Table
    panels: tuple[Panel, ...]
    left_out: tuple[str, ...]


def build_sampling(run: StoredRun) -> SamplingSection | None:
    """Return the section, or None where the probe was not run."""
    rows = sampling_rows(run)
    if not rows:
        return None
    trained = next((row.trained_rate for row in rows if row.trained_rate is not None), None)
    budget = PictureBudget(n_bytes=BYTES, n_figures=FIGURES)
    panels, left_out = [], []
    for item in dict.fromkeys(row.source.item for row in rows if row.source.item):
        panel = _draw_item(run, rows, item, trained, budget)
        if panel is None:
            left_out.append(f"arrays/{item}.h5")
        else:
            panels.append(panel)
    return SamplingSection(
        trained_rate=trained,
        quality=_chart(run, rows, trained, "psnr"),
        similarity=_chart(run, rows, trained, "ssim"),
        table=_table(run, rows, trained),
        panels=tuple(panels),
        left_out=tuple(left_out),
    )


def _chart(
    run: StoredRun, rows: Sequence[SamplingRow], trained: float | None, measure: str
) -> Chart:
    names = {"psnr": "PSNR, dB (higher is better)", "ssim": "SSIM (1 is best)"}
    series = tuple(
        Series(
            label=method,
            points=tuple(
                (100 * row.rate, row.psnr if measure == "psnr" else row.ssim)
                for row in rows
                if row.source.method == method and row.rate is not None
            ),
            ink=method_ink(run, method),
        )
        for method in run.methods
    )
    return Chart(
        title=f"{measure.upper()} against sampling rate",
        x=Axis(label="sampling rate, %"),
        y=Axis(label=names[measure]),
        series=series,
        vertical=None if trained is None else (100 * trained, "trained rate"),
    )


def rates_of(rows: Sequence[SamplingRow]) -> list[float]:
    """Return the measured rates, from low to high."""
    rates: list[float] = []
    for row in rows:
        if row.rate is not None and not any(same(row.rate, known) for known in rates):
            rates.append(row.rate)
    return sorted(rates)


def mean_quality(rows: Sequence[SamplingRow], method: str, rate: float | None) -> float | None:
    """Return the mean PSNR of a method at a rate, in dB."""
    return mean(row.psnr for row in rows if row.source.method == method and same(row.rate, rate))


def _table(run: StoredRun, rows: Sequence[SamplingRow], trained: float | None) -> Table:
    entries: list[tuple[Entry, ...]] = []
    for rate in rates_of(rows):
        at_rate = [row for row in rows if same(row.rate, rate)]
        own = [[row for row in at_rate if row.source.method == m] for m in run.methods]
        entries.append(
            (
                percent(rate),
                "trained rate" if same(rate, trained) else "",
                *(decibel(mean(row.psnr for row in group)) for group in own),
                *(plain(mean(row.ssim for row in group)) for group in own),
            )
        )
    n_images = len({row.source.image for row in rows})
    return Table(
        caption=f"Means over {counted(n_images, 'image')}.",
        columns=("Sampling rate", "", *run.methods, *run.methods),
        groups=(("", 2), ("PSNR", len(run.methods)), ("SSIM", len(run.methods))),
        rows=tuple(entries),
    )


def _draw_item(
    run: StoredRun,
    rows: Sequence[SamplingRow],
    item: str,
    trained: float | None,
    budget: PictureBudget,
) -> Panel | None:
    image = run.picture_array(item, "image")
    rates = run.array(item, "rates")
    if image is None or rates is None or rates.ndim != 1 or rates.size == 0:
        return None
    order = sorted(range(len(rates)), key=lambda k: float(rates[k]))
    middle = [k for k in order if same(float(rates[k]), trained)]
    shown = list(dict.fromkeys([order[0], *middle, order[-1]]))
    owner = next(row.source.image for row in rows if row.source.item == item)

    def make(largest_side: int) -> Panel:
        drawer = Drawer(scale=grey_scale(image), largest_side=largest_side)
        truth = drawer.cell(image, "x, the image", f"Image {owner}")
        strips = []
        for method in run.methods[:2]:
            cells = [truth]
            for k in shown:
                rate = float(rates[k])
                array = run.picture_array(item, f"methods/{method}/reconstruction", k)
                caption = f"{percent(rate)} sampled" + (" (trained)" if k in middle else "")
                alt = f"Reconstruction of {owner} by {method} from {percent(rate)} of the samples"
                cells.append(drawer.cell(array, caption, alt, _note(rows, item, method, rate)))
            kind = "network" if method == run.network else "baseline"
            strips.append(Strip(title=method, cells=tuple(cells), kind=kind))
        return Panel(
            title=owner,
            anchor=f"panel-{item}",
            scales=(printed_scale(drawer.scale, run.units),),
            strips=tuple(strips),
        )

    return budget.draw(make)


def _note(rows: Sequence[SamplingRow], item: str, method: str, rate: float) -> str:
    for row in rows:
        if row.source.item == item and row.source.method == method and same(row.rate, rate):
            return "" if row.psnr is None else f"PSNR {decibel(row.psnr)}"
    return ""
