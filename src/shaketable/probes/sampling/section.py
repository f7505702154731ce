"""What the sampling probe contributes to a report: quality against the sampling rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from shaketable.blocks import (
    Axis,
    Caveat,
    Cell,
    Chart,
    Drawer,
    Entry,
    Figure,
    Fold,
    Measure,
    Note,
    Panel,
    PictureBudget,
    Pictures,
    Section,
    Series,
    Strip,
    Table,
    draw_figures,
    printed_scale,
)
from shaketable.blocks.charts import method_inks
from shaketable.blocks.pictures import grey_scale
from shaketable.blocks.quantities import counted, decibel, distinct, mean, percent, plain, same
from shaketable.probes.sampling.record import SamplingRecord
from shaketable.stored import StoredRun

BYTES, FIGURES = 900_000, 2
Records = Sequence[SamplingRecord]
_INTRODUCTION = (
    "A network is trained at one <dfn>sampling rate</dfn>, the share of samples that is measured. "
    "Given more samples, a sound method should do better, or at least not worse. The sets of samples "
    "are nested: a higher rate contains all samples of the lower ones. <dfn>SSIM</dfn> (structural "
    "similarity) compares local structure with the true image; 1 is best."
)
_CAVEAT = Caveat(
    title="PSNR and SSIM are not diagnosis",
    text="Both compare pixels with the known image. A reconstruction can score well and still "
    "miss what matters, which is why the details are tested on their own.",
)


def section(run: StoredRun) -> Section:
    """Return charts, table and pictures of reconstructions from more and fewer samples."""
    records = run.records_of(SamplingRecord, "sampling")
    title = "Sampling"
    question = "Does the reconstruction get better when it is given more samples?"
    absent = "the sampling rate was not varied in this run."
    if not records:
        return Section(title=title, question=question, absent=absent)
    trained = next((r.trained_rate for r in records if r.trained_rate is not None), None)
    return Section(
        title=title,
        question=question,
        absent=absent,
        blocks=(
            Note(text=(_INTRODUCTION,)),
            _chart(run, records, trained, "psnr"),
            _chart(run, records, trained, "ssim"),
            _table(run, records, trained),
            _pictures(run, records, trained),
        ),
        summary=_summary(run, records, trained),
        caveats=(_CAVEAT,),
        facts={} if trained is None else {"Sampling rate": str(percent(trained))},
    )


def _chart(run: StoredRun, records: Records, trained: float | None, measure: str) -> Chart:
    names = {"psnr": "PSNR, dB (higher is better)", "ssim": "SSIM (1 is best)"}
    inks = method_inks(run.networks, run.baselines)
    series = tuple(
        Series(
            label=method,
            points=tuple(
                (100 * record.rate, record.psnr if measure == "psnr" else record.ssim)
                for record in records
                if record.method == method and record.rate is not None
            ),
            ink=inks[method],
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


def _mean_psnr(records: Records, method: str, rate: float | None) -> float | None:
    return mean(r.psnr for r in records if r.method == method and same(r.rate, rate))


def _summary(run: StoredRun, records: Records, trained: float | None) -> tuple[Measure, ...]:
    rates = distinct(record.rate for record in records)
    if not rates or trained is None or same(rates[-1], trained):
        return ()
    gains = {}
    for method in run.methods:
        top, base = (_mean_psnr(records, method, rate) for rate in (rates[-1], trained))
        gains[method] = decibel(None if top is None or base is None else top - base)
    name = f"Gain in PSNR from {percent(trained)} to {percent(rates[-1])} of the samples"
    return (Measure(name=name, values=gains),)


def _table(run: StoredRun, records: Records, trained: float | None) -> Table:
    entries: list[tuple[Entry, ...]] = []
    for rate in distinct(record.rate for record in records):
        at_rate = [record for record in records if same(record.rate, rate)]
        own = [[record for record in at_rate if record.method == m] for m in run.methods]
        entries.append(
            (
                percent(rate),
                "trained rate" if same(rate, trained) else "",
                *(decibel(mean(record.psnr for record in group)) for group in own),
                *(plain(mean(record.ssim for record in group)) for group in own),
            )
        )
    n_images = len({record.image for record in records})
    return Table(
        caption=f"Means over {counted(n_images, 'image')}.",
        columns=("Sampling rate", "", *run.methods, *run.methods),
        groups=(("", 2), ("PSNR", len(run.methods)), ("SSIM", len(run.methods))),
        rows=tuple(entries),
    )


def _pictures(run: StoredRun, records: Records, trained: float | None) -> Pictures:
    items: dict[str, list[SamplingRecord]] = defaultdict(list)
    for record in records:
        if record.item:
            items[record.item].append(record)
    budget = PictureBudget(n_bytes=BYTES, n_figures=FIGURES)
    return draw_figures(items, lambda item: _figure(run, items[item], trained), run.place, budget)


def _figure(run: StoredRun, records: Records, trained: float | None) -> Figure | None:
    item, owner = records[0].item, records[0].image
    image = run.picture_array(item, "image")
    rates = run.array(item, "rates")
    if image is None or rates is None or rates.ndim != 1 or rates.size == 0:
        return None
    order = sorted(range(len(rates)), key=lambda k: float(rates[k]))
    middle = [k for k in order if same(float(rates[k]), trained)]
    shown = list(dict.fromkeys([order[0], *middle, order[-1]]))

    def cells(drawer: Drawer, method: str) -> list[Cell]:
        found = []
        for k in shown:
            rate = float(rates[k])
            array = run.picture_array(item, f"methods/{method}/reconstruction", k)
            caption = f"{percent(rate)} sampled" + (" (trained)" if k in middle else "")
            alt = f"Reconstruction of {owner} by {method} from {percent(rate)} of the samples"
            found.append(drawer.cell(array, caption, alt, _note(records, method, rate)))
        return found

    def strip(drawer: Drawer, truth: Cell, method: str) -> Strip:
        kind = "network" if method in run.networks else "baseline"
        return Strip(title=method, cells=(truth, *cells(drawer, method)), kind=kind)

    def make(largest_side: int) -> Panel:
        drawer = Drawer(scale=grey_scale(image), largest_side=largest_side)
        truth = drawer.cell(image, "x, the image", f"Image {owner}")
        first, *others = sorted(run.networks, key=lambda name: _lowest(records, name))
        return Panel(
            title=owner,
            anchor=f"panel-{item}",
            scales=(printed_scale(drawer.scale, run.units),),
            strips=tuple(strip(drawer, truth, m) for m in (first, *run.baselines[:1])),
            folds=tuple(
                Fold(title=f"Another network: {name}", strips=(strip(drawer, truth, name),))
                for name in others
            ),
        )

    return Figure(make=make)


def _lowest(records: Records, method: str) -> float:
    """The lowest PSNR of a method, for the network that leads."""
    found = [r.psnr for r in records if r.method == method and r.psnr is not None]
    return min(found, default=float("inf"))


def _note(records: Records, method: str, rate: float) -> str:
    for record in records:
        if record.method == method and same(record.rate, rate):
            return "" if record.psnr is None else f"PSNR {decibel(record.psnr)}"
    return ""
