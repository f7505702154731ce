"""What the structural probe contributes to a report: whether small details survive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from shaketable.blocks import (
    Axis,
    Caveat,
    Dot,
    Entry,
    Measure,
    Note,
    RowChart,
    Section,
    Table,
)
from shaketable.blocks.charts import method_inks
from shaketable.blocks.quantities import counted, listed, mean, percent, plain
from shaketable.blocks.tables import LONGEST_TABLE, count_of, rest_of
from shaketable.probes.structural.pictures import highlight, pictures
from shaketable.probes.structural.record import StructuralRecord
from shaketable.stored import StoredRun

LONGEST_OPEN = 24
_INTRODUCTION = (
    "A small detail <i>s</i>, such as a symbol, a letter or a blob like a lesion, is inserted into "
    "the image before it is sampled. <dfn>Contrast recovery</dfn> says how much of it is in the "
    "reconstruction: 1 means all of it, 0 means none. <dfn>Correlation</dfn> compares its shape with "
    "the true one (1 = the same shape). <dfn>Leakage</dfn> is the size of the change outside the "
    "detail, where nothing was inserted, relative to the detail itself (0 = none, 1 = as large as "
    "the detail)."
)


def section(run: StoredRun) -> Section:
    """Return chart, table and pictures of the inserted details."""
    records = run.records_of(StructuralRecord, "structural")
    title = "Structural"
    question = "Does a small detail that is in the data survive in the reconstruction?"
    absent = "no details were inserted in this run."
    if not records:
        return Section(title=title, question=question, absent=absent)
    return Section(
        title=title,
        question=question,
        absent=absent,
        blocks=(
            Note(text=(_INTRODUCTION,)),
            _chart(run, records),
            _table(run, records),
            pictures(run, records),
        ),
        summary=(_measure(run, records),),
        highlight=highlight(run, records),
        caveats=(_caveat(records),),
    )


def _chart(run: StoredRun, records: Sequence[StructuralRecord]) -> RowChart:
    lines = []
    for name in dict.fromkeys(record.detail for record in records):
        dots = []
        for method in run.methods:
            own = [r for r in records if r.detail == name and r.method == method]
            value = mean(record.contrast_recovery for record in own)
            if value is not None:
                dots.append(Dot(method=method, value=value))
        lines.append((name, tuple(dots)))
    return RowChart(
        title="Contrast recovery of each detail, mean over the images",
        axis=Axis(label="contrast recovery (1 = kept, 0 = lost)", from_zero=True),
        rows=tuple(lines),
        inks=tuple(method_inks(run.networks, run.baselines).items()),
        reference=(1.0, "kept"),
    )


def _table(run: StoredRun, records: Sequence[StructuralRecord]) -> Table:
    found: dict[tuple[str, str], list[StructuralRecord]] = defaultdict(list)
    for record in records:
        found[record.detail, record.image].append(record)
    entries: list[tuple[Entry, ...]] = []
    for name, image in sorted(found)[:LONGEST_TABLE]:
        group = found[name, image]
        own = [next((r for r in group if r.method == method), None) for method in run.methods]
        entries.append(
            (
                name,
                image,
                percent(next((r.contrast for r in group if r.contrast is not None), None)),
                *(plain(None if record is None else record.contrast_recovery) for record in own),
                *(plain(None if record is None else record.correlation) for record in own),
                *(plain(None if record is None else record.leakage) for record in own),
            )
        )
    n = len(run.methods)
    several = len(run.networks) > 1
    networks = "the networks and, beside them," if several else "the network and, beside it,"
    return Table(
        caption=f"One detail in one image: {networks} the reference methods.{rest_of(len(found))}",
        columns=("Detail", "Image", "Contrast", *run.methods, *run.methods, *run.methods),
        groups=(("", 3), ("Contrast recovery", n), ("Correlation", n), ("Leakage", n)),
        rows=tuple(entries),
        fold="" if len(found) <= LONGEST_OPEN else count_of(len(found), "details and images"),
    )


def _measure(run: StoredRun, records: Sequence[StructuralRecord]) -> Measure:
    values = {
        method: plain(mean(r.contrast_recovery for r in records if r.method == method))
        for method in run.methods
    }
    return Measure(name="Contrast recovery of inserted details (1 = kept, 0 = lost)", values=values)


def _caveat(records: Sequence[StructuralRecord]) -> Caveat:
    details = dict.fromkeys(record.detail for record in records)
    return Caveat(
        title="Only these details",
        text=f"{counted(len(details), 'detail')} of given shape, contrast and position "
        f"({listed(details)}) were inserted. They stand for small structures; they are not "
        "a study of real lesions, and nobody read the images.",
    )
