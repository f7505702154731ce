"""The paper's panels: damage growing from left to right, one grey scale for all pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from shaketable.blocks import (
    Cell,
    Drawer,
    Figure,
    Fold,
    Panel,
    PictureBudget,
    Pictures,
    Strip,
    draw_figures,
    printed_scale,
)
from shaketable.blocks.pictures import Array, GreyScale, grey_scale, largest, magnification
from shaketable.blocks.quantities import decibel, percent, readable
from shaketable.blocks.wording import subscript, the_network
from shaketable.probes.worst_case.derived import (
    Records,
    by_item,
    damage_of,
    domain_of,
    given_amplification,
    given_relative_error,
    random_relative_error,
    record_of,
)
from shaketable.probes.worst_case.record import WorstCaseRecord
from shaketable.stored import StoredRun

DOMAINS = {"image": ("r", "x"), "data": ("e", "y")}
BYTES, FIGURES = 5_200_000, 5
_BLANK = Cell(picture=None, caption="")


def pictures(run: StoredRun, records: Records) -> Pictures:
    """Return one panel per image and domain, the worst damage first, while the page has room."""
    items = by_item(records)

    def read(item: str) -> Figure | None:
        image = run.picture_array(item, "image")
        return None if image is None else Figure(make=_Panels.read(run, items[item], image).draw)

    budget = PictureBudget(n_bytes=BYTES, n_figures=FIGURES)
    drawn = draw_figures(_worst_first(items), read, run.place, budget)
    domains = {_anchor(item): domain_of(own[0]) for item, own in items.items()}
    shown = [domains[panel.anchor] for panel in drawn.panels]
    panels = (
        replace(panel, is_open=shown[k] not in shown[:k]) for k, panel in enumerate(drawn.panels)
    )
    return replace(drawn, panels=tuple(panels))


def _anchor(item: str) -> str:
    return f"panel-{item}"


def _worst_first(items: Mapping[str, Records]) -> list[str]:
    """Sort the items by damage, the worst of every domain before all others."""
    order = sorted(items, key=lambda item: -damage_of(items[item]))
    first = {domain_of(items[item][0]): item for item in reversed(order)}
    return sorted(order, key=lambda item: item not in first.values())


@dataclass(frozen=True, kw_only=True)
class _Panels:
    """Everything that the panel of one item draws; the network with the worst damage leads."""

    run: StoredRun
    records: Records
    item: str
    image_name: str
    domain: str
    image: Array
    radii: tuple[float, ...]
    networks: tuple[str, ...]

    @classmethod
    def read(cls, run: StoredRun, records: Records, image: Array) -> _Panels:
        item = records[0].item
        stored = run.array(item, "radii")
        if stored is None or stored.ndim != 1:
            stored = np.array(sorted({r.radius for r in records if r.radius is not None}))
        return cls(
            run=run,
            records=records,
            item=item,
            image_name=records[0].image,
            domain=domain_of(records[0]),
            image=image,
            radii=tuple(float(radius) for radius in stored),
            networks=tuple(sorted(run.networks, key=lambda name: -damage_of(records, name))),
        )

    @property
    def symbol(self) -> str:
        return DOMAINS.get(self.domain, DOMAINS["image"])[0]

    @property
    def is_data(self) -> bool:
        return self.domain == "data"

    def stack(self, method: str, name: str, network: str | None = None) -> list[Array | None]:
        path = f"methods/{method}/{name}"
        n_radii = len(self.radii)
        return [self.run.picture_array(self.item, path, j, network) for j in range(n_radii)]

    def clean(self, method: str) -> Array | None:
        return self.run.picture_array(self.item, f"methods/{method}/clean")

    def changes(self, method: str) -> list[Array | None]:
        clean = self.clean(method)
        return [
            None if clean is None or after is None or after.shape != clean.shape else after - clean
            for after in self.stack(method, "perturbed")
        ]

    def draw(self, largest_side: int) -> Panel:
        scale = grey_scale(self.image)
        drawer = Drawer(scale=scale, largest_side=largest_side)
        first, *others = self.networks
        baselines = self.run.baselines
        changes = [change for m in (*self.networks, *baselines[:1]) for change in self.changes(m)]
        change_scale = GreyScale(low=0.0, high=largest(changes) or 1.0)
        patterns = [r for name in self.networks for r in self.stack(name, "perturbation_image")]
        factor = magnification(patterns, scale)
        strips = [*self._inputs(drawer, first, factor), *self._network(drawer, first, change_scale)]
        for baseline in baselines[:1]:
            strips += self._baseline(drawer, baseline, first, change_scale)
        folds = [
            *(self._other(drawer, name, factor, change_scale) for name in others),
            *(
                Fold(
                    title=f"Another reference method: {baseline}",
                    strips=_drawn(self._baseline(drawer, baseline, first, change_scale)),
                )
                for baseline in baselines[1:]
            ),
        ]
        place = "the data" if self.is_data else "the image"
        return Panel(
            title=f"{self.image_name}: perturbation of {place}",
            anchor=_anchor(self.item),
            scales=self._scales(scale, change_scale, factor, largest_side),
            strips=_drawn(strips),
            folds=tuple(fold for fold in folds if fold.strips),
        )

    def _other(self, drawer: Drawer, network: str, factor: int, changes: GreyScale) -> Fold:
        """A network that changed less than the first one, with the reference method beside it."""
        strips = [*self._inputs(drawer, network, factor), *self._network(drawer, network, changes)]
        strips += [self._given(drawer, name, network) for name in self.run.baselines[:1]]
        return Fold(title=f"Another network: {network}", strips=_drawn(strips))

    def _scales(
        self, scale: GreyScale, changes: GreyScale, factor: int, largest_side: int
    ) -> tuple[str, ...]:
        unit = f" {self.run.units}" if self.run.units else ""
        sentences = [
            printed_scale(scale, self.run.units),
            f"Perturbations are magnified {factor} times.",
            f"Difference maps: {changes.sentence}{unit}, the same for all of them.",
        ]
        if max(self.image.shape) > largest_side:
            sentences.append("Pictures are drawn smaller than stored, by averaging pixels.")
        return tuple(sentences)

    def _caption(self, index: int) -> str:
        base = DOMAINS.get(self.domain, DOMAINS["image"])[1]
        return f"{self.symbol}{subscript(index + 1)}: {percent(self.radii[index])} of ‖{base}‖"

    def _inputs(self, drawer: Drawer, network: str, factor: int) -> list[Strip]:
        s, name = self.symbol, self.image_name
        patterns = self.stack(network, "perturbation_image")
        clean = drawer.cell(self.image, "x, unchanged", f"Image {name}, unchanged")
        perturbed = [
            drawer.cell(
                None if r is None or r.shape != self.image.shape else self.image + r,
                self._caption(j),
                f"Image {name} with perturbation {self._caption(j)}",
            )
            for j, r in enumerate(patterns)
        ]
        span = GreyScale(low=0.0, high=(drawer.scale.high - drawer.scale.low) / factor)
        magnified = [
            drawer.cell(
                r,
                self._caption(j),
                f"Perturbation {self._caption(j)}, magnified {factor} times",
                scale=span,
            )
            for j, r in enumerate(patterns)
        ]
        who = the_network(network, self.run.networks, start=True)
        title = f"{who}’s perturbation {s}, magnified {factor} times"
        if self.is_data:
            note = "What the change of the data looks like as an image, A*e (A* is the adjoint)."
            return [Strip(title=title, cells=(clean, *magnified), note=note)]
        return [
            Strip(title=f"What was put in: x + {s}", cells=(clean, *perturbed)),
            Strip(title=title, cells=(_BLANK, *magnified)),
        ]

    def _formula(self, letter: str, mark: str = "") -> str:
        inside = f"y + {self.symbol}{mark}"
        return f"{letter}({inside})" if self.is_data else f"{letter}(A(x + r{mark}))"

    def _clean_input(self) -> str:
        return "y" if self.is_data else "Ax"

    def _result(
        self, drawer: Drawer, method: str, name: str, what: str, network: str = ""
    ) -> list[Cell]:
        cells = []
        for j, array in enumerate(self.stack(method, name, network)):
            record = record_of(self.records, method, self.radii[j])
            note = "" if record is None else _outcome(record, name, network)
            cells.append(drawer.cell(array, self._caption(j), f"{what}, {self._caption(j)}", note))
        return cells

    def _clean_cell(self, drawer: Drawer, method: str) -> Cell:
        record = next((r for r in self.records if r.method == method), None)
        level = None if record is None else record.clean_psnr
        alt = f"Reconstruction of {self.image_name} by {method} without perturbation"
        note = "" if level is None else f"PSNR {decibel(level)}"
        return drawer.cell(self.clean(method), "no perturbation", alt, note)

    def _change_cells(self, drawer: Drawer, method: str, scale: GreyScale) -> list[Cell]:
        alt = f"Change of the reconstruction by {method}"
        return [
            drawer.cell(change, self._caption(j), f"{alt}, {self._caption(j)}", "", scale)
            for j, change in enumerate(self.changes(method))
        ]

    def _network(self, drawer: Drawer, name: str, changes: GreyScale) -> list[Strip]:
        who = the_network(name, self.run.networks)
        clean = self._clean_cell(drawer, name)
        after = self._result(drawer, name, "perturbed", f"Reconstruction by the network {name}")
        random = self._result(
            drawer, name, "random", f"Reconstruction by {name} under a random perturbation"
        )
        return [
            Strip(
                title=f"What {who} made of it: {self._formula('f')}",
                cells=(clean, *after),
                kind="network",
            ),
            Strip(
                title=f"Difference map: |{self._formula('f')} − f({self._clean_input()})|",
                cells=(_BLANK, *self._change_cells(drawer, name, changes)),
                kind="change",
            ),
            Strip(
                title=f"Control: {who} under a random perturbation of the same size",
                note="The pictures show one draw; the numbers are means over the draws.",
                cells=(_BLANK, *random),
                kind="network",
            ),
        ]

    def _given(self, drawer: Drawer, name: str, network: str) -> Strip:
        who = the_network(network, self.run.networks)
        what = f"Reconstruction by the reference method {name} under {who}’s"
        given = self._result(drawer, name, "given_network", what, network)
        return Strip(
            title=f"{name}, under {who}’s perturbation: {self._formula('g')}",
            cells=(self._clean_cell(drawer, name), *given),
            kind="baseline",
        )

    def _baseline(self, drawer: Drawer, name: str, network: str, changes: GreyScale) -> list[Strip]:
        what = f"Reconstruction by the reference method {name} under its own worst case"
        own = self._result(drawer, name, "perturbed", what)
        return [
            self._given(drawer, name, network),
            Strip(
                title=f"{name}, under its own worst case: {self._formula('g', '′')}",
                note=f"{self.symbol}′ was searched for this method with the same settings.",
                cells=(_BLANK, *own),
                kind="baseline",
            ),
            Strip(
                title=f"Difference map: |{self._formula('g', '′')} − g({self._clean_input()})|",
                cells=(_BLANK, *self._change_cells(drawer, name, changes)),
                kind="change",
            ),
        ]


def _outcome(record: WorstCaseRecord, name: str, network: str) -> str:
    share, amplification = {
        "perturbed": (record.relative_error, record.amplification),
        "random": (random_relative_error(record), record.random_amplification),
        "given_network": (
            given_relative_error(record, network),
            given_amplification(record, network),
        ),
    }[name]
    level = record.perturbed_psnr if name == "perturbed" else None
    lines = (
        "" if share is None else f"changed by {percent(share)}",
        "" if amplification is None else f"amplification {readable(amplification)}",
        "" if level is None else f"PSNR {decibel(level)}",
    )
    return "\n".join(filter(None, lines))


def _drawn(strips: Sequence[Strip]) -> tuple[Strip, ...]:
    return tuple(strip for strip in strips if not strip.is_empty)
