"""Small details: whether what is in the data is in the reconstruction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from shaketable.report.axes import Axis
from shaketable.report.damage import method_ink
from shaketable.report.figures import (
    Cell,
    Drawer,
    Frame,
    Panel,
    PictureBudget,
    Strip,
    printed_scale,
)
from shaketable.report.pictures import grey_scale
from shaketable.report.quantities import mean, percent, plain
from shaketable.report.rows import Dot, RowChart
from shaketable.report.tables import Entry, Table
from shaketable.report.views import StructuralRow, severity, structural_rows
from shaketable.stored import Array, StoredRun

BYTES, FIGURES, DETAILS_PER_FIGURE = 1_300_000, 3, 4
LONGEST_TABLE = 24
Box = tuple[slice, slice]


@dataclass(frozen=True, kw_only=True)
class StructuralSection:
    """Chart, table and pictures of the structural probe."""

    chart: RowChart
    table: Table
    panels: tuple[Panel, ...]
    left_out: tuple[str, ...]


def build_structural(run: StoredRun) -> StructuralSection | None:
    """Return the section, or None where the probe was not run."""
    rows = structural_rows(run)
    if not rows:
        return None
    budget = PictureBudget(n_bytes=BYTES, n_figures=FIGURES)
    panels, left_out = [], []
    for item in _worst_first(rows):
        drawn = _draw_item(run, rows, item, budget)
        if drawn is None:
            left_out.append(f"arrays/{item}.h5")
            continue
        panel, omitted = drawn
        panels.append(panel)
        left_out += [f"{name} in arrays/{item}.h5" for name in omitted]
    return StructuralSection(
        chart=_chart(run, rows),
        table=_table(run, rows),
        panels=tuple(panels),
        left_out=tuple(left_out),
    )


def _worst_first(rows: Sequence[StructuralRow]) -> list[str]:
    items = dict.fromkeys(row.source.item for row in rows if row.source.item)
    worst = {item: max(_missed(row) for row in rows if row.source.item == item) for item in items}
    return sorted(items, key=lambda item: -worst[item])


def _missed(row: StructuralRow) -> float:
    """Return how far the network's contrast recovery is from 1; a stable method counts last."""
    if not row.source.is_network or row.contrast_recovery is None:
        return severity(None)
    return abs(1 - row.contrast_recovery)


def _chart(run: StoredRun, rows: Sequence[StructuralRow]) -> RowChart:
    lines = []
    for name in dict.fromkeys(row.detail for row in rows):
        dots = []
        for method in run.methods:
            own = [r for r in rows if r.detail == name and r.source.method == method]
            value = mean(row.contrast_recovery for row in own)
            if value is not None:
                dots.append(Dot(method=method, value=value))
        lines.append((name, tuple(dots)))
    return RowChart(
        title="Contrast recovery of each detail, mean over the images",
        axis=Axis(label="contrast recovery (1 = kept, 0 = lost)", from_zero=True),
        rows=tuple(lines),
        inks=tuple((method, method_ink(run, method)) for method in run.methods),
        reference=(1.0, "kept"),
    )


def _table(run: StoredRun, rows: Sequence[StructuralRow]) -> Table:
    keys = sorted({(row.detail, row.source.image) for row in rows})
    entries: list[tuple[Entry, ...]] = []
    for name, image in keys:
        found = [row for row in rows if row.detail == name and row.source.image == image]
        own = [next((r for r in found if r.source.method == m), None) for m in run.methods]
        entries.append(
            (
                name,
                image,
                percent(next((r.contrast for r in found if r.contrast is not None), None)),
                *(plain(None if row is None else row.contrast_recovery) for row in own),
                *(plain(None if row is None else row.correlation) for row in own),
                *(plain(None if row is None else row.leakage) for row in own),
            )
        )
    n = len(run.methods)
    return Table(
        caption="One detail in one image: the network and, beside it, the stable methods.",
        columns=("Detail", "Image", "Contrast", *run.methods, *run.methods, *run.methods),
        groups=(("", 3), ("Contrast recovery", n), ("Correlation", n), ("Leakage", n)),
        rows=tuple(entries),
        fold="" if len(entries) <= LONGEST_TABLE else f"All {len(entries)} details and images",
    )


def _draw_item(
    run: StoredRun, rows: Sequence[StructuralRow], item: str, budget: PictureBudget
) -> tuple[Panel, list[str]] | None:
    image = run.picture_array(item, "image")
    stored = run.array(item, "names")
    if image is None or stored is None or stored.ndim != 1:
        return None
    names = [str(name) for name in stored]
    order = sorted(range(len(names)), key=lambda d: -_detail_missed(rows, item, names[d]))
    shown = order[:DETAILS_PER_FIGURE]
    owner = next(row.source.image for row in rows if row.source.item == item)

    def make(largest_side: int) -> Panel:
        drawer = Drawer(scale=grey_scale(image), largest_side=largest_side)
        strips = [_strip(run, rows, (item, names[d], d), image, drawer) for d in shown]
        has_frame = any(cell.frame for strip in strips for cell in strip.cells)
        frame = "The frame marks the part that the last pictures of the row enlarge."
        scales = (printed_scale(drawer.scale, run.units), *((frame,) if has_frame else ()))
        return Panel(
            title=owner,
            anchor=f"panel-{item}",
            scales=scales,
            strips=tuple(strip for strip in strips if not strip.is_empty),
        )

    panel = budget.draw(make)
    return None if panel is None else (panel, [names[d] for d in order[DETAILS_PER_FIGURE:]])


def _detail_missed(rows: Sequence[StructuralRow], item: str, name: str) -> float:
    found = [r for r in rows if r.source.item == item and r.detail == name]
    return max((_missed(row) for row in found), default=severity(None))


def _strip(
    run: StoredRun,
    rows: Sequence[StructuralRow],
    key: tuple[str, str, int],
    image: Array,
    drawer: Drawer,
) -> Strip:
    item, name, index = key
    detail = run.picture_array(item, "detail", index)
    if detail is not None and detail.shape != image.shape:
        detail = None
    box = None if detail is None else zoom_box(detail)
    frame = None if box is None else frame_of(box, image.shape)
    truth = None if detail is None else image + detail
    sources = [("truth", f"x + s, the truth with {name}", truth, "")]
    for method in run.methods[:2]:
        letter = "f" if method == run.network else "g"
        array = run.picture_array(item, f"methods/{method}/with_detail", index)
        note = _recovery_note(rows, item, name, method)
        sources.append((method, f"{letter}(A(x + s)), {method}", array, note))
    whole = [
        _framed(drawer.cell(a, c, f"{c}, image with {name}", n), frame) for _, c, a, n in sources
    ]
    zoomed: list[Cell] = []
    if box is not None:
        zoomed = [
            drawer.cell(_cut(a, box, image.shape), who, f"{name} enlarged, {who}", "enlarged")
            for who, _, a, _ in sources
        ]
    return Strip(title=f"Detail: {name}", cells=(*whole, *zoomed), kind="detail")


def _framed(cell: Cell, frame: Frame | None) -> Cell:
    return replace(cell, frame=frame if cell.picture is not None else None)


def _cut(array: Array | None, box: Box, shape: tuple[int, ...]) -> Array | None:
    return None if array is None or array.shape != shape else array[box]


def _recovery_note(rows: Sequence[StructuralRow], item: str, name: str, method: str) -> str:
    for row in rows:
        own = row.source.item == item and row.detail == name and row.source.method == method
        if own and row.contrast_recovery is not None:
            return f"contrast recovery {plain(row.contrast_recovery)}"
    return ""


def zoom_box(detail: Array) -> Box | None:
    """Return a square around the detail with a margin; None where it fills the image.

    Parameters
    ----------
    detail
        ``(H, W)``, zero outside the detail.
    """
    values = np.abs(detail)
    peak = float(np.nanmax(values, initial=0.0))
    if peak <= 0:
        return None
    rows, columns = np.nonzero(values > 0.02 * peak)
    height, width = detail.shape
    side = int(1.8 * max(np.ptp(rows), np.ptp(columns)) + 9)
    if side > 0.7 * min(height, width):
        return None
    top = int(np.clip((rows.min() + rows.max()) // 2 - side // 2, 0, height - side))
    left = int(np.clip((columns.min() + columns.max()) // 2 - side // 2, 0, width - side))
    return slice(top, top + side), slice(left, left + side)


def frame_of(box: Box, shape: tuple[int, ...]) -> Frame:
    """Return the box in percent of the picture's sides."""
    down, across = box
    height, width = shape
    return Frame(
        left=round(100 * across.start / width, 2),
        top=round(100 * down.start / height, 2),
        width=round(100 * (across.stop - across.start) / width, 2),
        height=round(100 * (down.stop - down.start) / height, 2),
    )


def worst_detail(rows: Sequence[StructuralRow]) -> StructuralRow | None:
    """Return the detail whose contrast the network changed most."""
    found = [row for row in rows if row.source.is_network and row.contrast_recovery is not None]
    return max(found, key=_missed, default=None)
