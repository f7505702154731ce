"""A section for a probe that brings none: its verdicts, its records, its pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from shaketable.blocks import (
    Block,
    Cell,
    Drawer,
    Entry,
    Figure,
    Note,
    Panel,
    PictureBudget,
    Section,
    Strip,
    Table,
    draw_figures,
    plain,
    printed_scale,
)
from shaketable.blocks.pictures import Array, grey_scale
from shaketable.blocks.tables import LONGEST_TABLE, count_of, rest_of
from shaketable.blocks.wording import title_of
from shaketable.report.words import VERDICTS
from shaketable.stored import Record, StoredRun, number, text

BYTES, FIGURES, MOST_CELLS = 900_000, 2, 6
LONGEST_OPEN, LONGEST_TEXT = 24, 80
_FIRST = ("image", "method")
_HIDDEN = {"probe", "item", "role", "version"}


def section_from_records(run: StoredRun, probe: str) -> Section:
    """Return verdict, table and pictures of a probe of which nothing but its records is known."""
    title = title_of(probe)
    records = run.records(probe)
    verdicts = _verdicts(run, probe)
    if not records:
        return Section(title=title, question="", blocks=verdicts)
    items = dict.fromkeys(name for r in records if (name := text(r, "item")))
    owners = {text(r, "item"): text(r, "image", "unnamed") for r in records}
    budget = PictureBudget(n_bytes=BYTES, n_figures=FIGURES)
    pictures = draw_figures(items, lambda item: _figure(run, item, owners[item]), run.place, budget)
    drawn = (pictures,) if pictures.panels else ()
    return Section(title=title, question="", blocks=(*verdicts, _table(records), *drawn))


def _verdicts(run: StoredRun, probe: str) -> tuple[Block, ...]:
    sentences = []
    for verdict in run.verdicts:
        if text(verdict, "probe") == probe:
            word = VERDICTS.get(text(verdict, "verdict"), ("", ""))[0]
            whose = text(verdict, "network") if len(run.networks) > 1 else ""
            start = ", ".join(filter(None, (whose, word)))
            sentences.append(": ".join(filter(None, (start, text(verdict, "statement")))))
    return (Note(text=tuple(sentences)),) if sentences else ()


def _table(records: Sequence[Record]) -> Table:
    keys = dict.fromkeys(key for record in records for key in record if key not in _HIDDEN)
    columns = [*(key for key in _FIRST if key in keys), *(key for key in keys if key not in _FIRST)]
    n = len(records)
    return Table(
        caption=f"What was recorded, as stored.{rest_of(n)}",
        columns=tuple(column.replace("_", " ") for column in columns),
        rows=tuple(
            tuple(_entry(record, column) for column in columns)
            for record in records[:LONGEST_TABLE]
        ),
        fold="" if n <= LONGEST_OPEN else count_of(n, "records"),
    )


def _entry(record: Record, key: str) -> Entry:
    value: Any = record.get(key)
    if value is None or number(record, key) is not None:
        return plain(number(record, key))
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return written if len(written) <= LONGEST_TEXT else f"{written[: LONGEST_TEXT - 1]}…"


def _figure(run: StoredRun, item: str, owner: str) -> Figure | None:
    image = run.picture_array(item, "image")
    if image is None:
        return None
    found: dict[str, list[tuple[str, Array]]] = {}
    for name in run.names(item):
        array = run.picture_array(item, name)
        if name != "image" and array is not None and array.shape == image.shape:
            where, _, what = name.rpartition("/")
            found.setdefault(where.removeprefix("methods/"), []).append((what, array))

    def make(largest_side: int) -> Panel:
        drawer = Drawer(scale=grey_scale(image), largest_side=largest_side)
        truth = drawer.cell(image, "x, the image", f"Image {owner}")
        strips = [
            Strip(
                title=method or "Stored with the image",
                cells=(truth, *(_cell(drawer, method, *one) for one in arrays[:MOST_CELLS])),
                kind="network" if method in run.networks else "baseline",
            )
            for method, arrays in found.items()
        ]
        alone = Strip(title="The image", cells=(truth,))
        return Panel(
            title=owner,
            anchor=f"panel-{item}",
            scales=(printed_scale(drawer.scale, run.units),),
            strips=tuple(strips) or (alone,),
        )

    return Figure(make=make)


def _cell(drawer: Drawer, method: str, what: str, array: Array) -> Cell:
    caption = what.replace("_", " ")
    return drawer.cell(array, caption, f"{method}: {caption}" if method else caption)
