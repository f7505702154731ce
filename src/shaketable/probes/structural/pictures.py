"""Inserted details as pictures: whole, and enlarged."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from shaketable.blocks import (
    Cell,
    Drawer,
    Figure,
    Fold,
    Frame,
    Highlight,
    Panel,
    PictureBudget,
    Pictures,
    Strip,
    draw_figures,
    printed_scale,
)
from shaketable.blocks.pictures import Array, grey_scale
from shaketable.blocks.quantities import percent, plain
from shaketable.blocks.wording import the_network
from shaketable.probes.structural.record import StructuralRecord
from shaketable.stored import StoredRun

BYTES, FIGURES, DETAILS_PER_FIGURE = 1_300_000, 3, 4
LARGEST_SIDE = 400
Box = tuple[slice, slice]
Records = Sequence[StructuralRecord]


def pictures(run: StoredRun, records: Records) -> Pictures:
    """Return one panel per image, the worst first, while the page has room."""
    items: dict[str, list[StructuralRecord]] = defaultdict(list)
    for record in records:
        if record.item:
            items[record.item].append(record)
    order = sorted(items, key=lambda item: -_worst(items[item]))
    budget = PictureBudget(n_bytes=BYTES, n_figures=FIGURES)
    return draw_figures(order, lambda item: _figure(run, items[item]), run.place, budget)


def _missed(record: StructuralRecord) -> float:
    """Return how far a network's contrast recovery is from 1; a reference method counts last."""
    if not record.is_network or record.contrast_recovery is None:
        return -math.inf
    return abs(1 - record.contrast_recovery)


def _worst(records: Records, detail: str | None = None, method: str | None = None) -> float:
    found = (
        _missed(r) for r in records if detail in (None, r.detail) and method in (None, r.method)
    )
    return max(found, default=-math.inf)


def _names(run: StoredRun, item: str) -> list[str]:
    stored = run.array(item, "names")
    return [] if stored is None or stored.ndim != 1 else [str(name) for name in stored]


def _figure(run: StoredRun, records: Records) -> Figure | None:
    item = records[0].item
    image = run.picture_array(item, "image")
    names = _names(run, item)
    if image is None or not names:
        return None
    order = sorted(range(len(names)), key=lambda d: -_worst(records, names[d]))
    omitted = (f"{names[d]} in {run.place(item)}" for d in order[DETAILS_PER_FIGURE:])
    first, *others = sorted(run.networks, key=lambda name: -_worst(records, method=name))

    def make(largest_side: int) -> Panel:
        drawer = Drawer(scale=grey_scale(image), largest_side=largest_side)
        rows = _Rows(run=run, records=records, image=image, drawer=drawer)
        shown = [(d, names[d]) for d in order[:DETAILS_PER_FIGURE]]
        strips = rows.of((first, *run.baselines[:1]), shown)
        has_frame = any(cell.frame for strip in strips for cell in strip.cells)
        frame = "The frame marks the part that the last pictures of the row enlarge."
        folds = (
            Fold(title=f"Another network: {name}", strips=rows.of((name,), shown))
            for name in others
        )
        return Panel(
            title=records[0].image,
            anchor=f"panel-{item}",
            scales=(printed_scale(drawer.scale, run.units), *((frame,) if has_frame else ())),
            strips=strips,
            folds=tuple(fold for fold in folds if fold.strips),
        )

    return Figure(make=make, left_out=tuple(omitted))


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """Draws one row of pictures per detail of an image."""

    run: StoredRun
    records: Records
    image: Array
    drawer: Drawer

    def of(self, methods: Sequence[str], details: Sequence[tuple[int, str]]) -> tuple[Strip, ...]:
        strips = (self._strip(methods, index, name) for index, name in details)
        return tuple(strip for strip in strips if not strip.is_empty)

    def _strip(self, methods: Sequence[str], index: int, name: str) -> Strip:
        item = self.records[0].item
        detail = self.run.picture_array(item, "detail", index)
        if detail is not None and detail.shape != self.image.shape:
            detail = None
        box = None if detail is None else zoom_box(detail)
        frame = None if box is None else frame_of(box, self.image.shape)
        truth = None if detail is None else self.image + detail
        sources = [("truth", f"x + s, the truth with {name}", truth, "")]
        for method in methods:
            letter = "f" if method in self.run.networks else "g"
            array = self.run.picture_array(item, f"methods/{method}/with_detail", index)
            note = self._recovery(name, method)
            sources.append((method, f"{letter}(A(x + s)), {method}", array, note))
        whole = [
            _framed(self.drawer.cell(a, c, f"{c}, image with {name}", n), frame)
            for _, c, a, n in sources
        ]
        zoomed: list[Cell] = []
        if box is not None:
            zoomed = [
                self.drawer.cell(
                    _cut(a, box, self.image.shape), who, f"{name} enlarged, {who}", "enlarged"
                )
                for who, _, a, _ in sources
            ]
        return Strip(title=f"Detail: {name}", cells=(*whole, *zoomed), kind="detail")

    def _recovery(self, name: str, method: str) -> str:
        for record in self.records:
            mine = record.detail == name and record.method == method
            if mine and record.contrast_recovery is not None:
                return f"contrast recovery {plain(record.contrast_recovery)}"
        return ""


def _framed(cell: Cell, frame: Frame | None) -> Cell:
    return replace(cell, frame=frame if cell.picture is not None else None)


def _cut(array: Array | None, box: Box, shape: tuple[int, ...]) -> Array | None:
    return None if array is None or array.shape != shape else array[box]


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


def highlight(run: StoredRun, records: Records) -> Highlight | None:
    """Return the detail whose contrast a network changed most."""
    found = [r for r in records if r.is_network and r.contrast_recovery is not None]
    worst = max(found, key=_missed, default=None)
    if worst is None:
        return None
    missed = _missed(worst)
    who = the_network(worst.method, run.networks)
    sentence = (
        f"The detail {worst.detail}, inserted into the image “{worst.image}”, kept "
        f"{percent(worst.contrast_recovery)} of its contrast in {who}’s reconstruction."
    )
    in_words = Highlight(severity=missed / (1 + missed), sentences=(sentence,))
    return _with_pictures(in_words, run, worst)


def _with_pictures(in_words: Highlight, run: StoredRun, worst: StructuralRecord) -> Highlight:
    item, detail = worst.item, worst.detail
    image = run.picture_array(item, "image")
    names = _names(run, item)
    index = names.index(detail) if detail in names else -1
    inserted = run.picture_array(item, "detail", index)
    if image is None or inserted is None or inserted.shape != image.shape:
        return in_words
    drawer = Drawer(scale=grey_scale(image), largest_side=LARGEST_SIDE)
    cells = [
        drawer.cell(image, "x", f"Image {worst.image}", "the image, unchanged"),
        drawer.cell(image + inserted, "x + s", f"The image with {detail}", f"with {detail}"),
    ]
    for method, letter in zip((worst.method, *run.baselines[:1]), "fg", strict=False):
        array = run.picture_array(item, f"methods/{method}/with_detail", index)
        alt = f"Reconstruction by {method} of the image with {detail}"
        cells.append(drawer.cell(array, f"{letter}(A(x + s))", alt, method))
    return replace(
        in_words,
        cells=tuple(cell for cell in cells if cell.picture is not None),
        scale=printed_scale(drawer.scale, run.units),
        pair=(cells[1], cells[2]) if cells[2].picture else None,
    )
