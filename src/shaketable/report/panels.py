"""The paper's panels: damage growing from left to right, one grey scale for all pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from shaketable.report.figures import Cell, Drawer, Fold, Panel, PictureBudget, Strip, printed_scale
from shaketable.report.pictures import GreyScale, grey_scale, largest, magnification
from shaketable.report.quantities import decibel, percent, readable
from shaketable.report.views import WorstCaseRow, severity, worst_case_of, worst_case_rows
from shaketable.report.words import subscript
from shaketable.stored import Array, StoredRun

DOMAINS = {
    "image": ("r", "x", "a perturbation of the image"),
    "data": ("e", "y", "a perturbation of the data"),
}
BYTES, FIGURES = 5_200_000, 5


@dataclass(frozen=True, kw_only=True)
class WorstCasePanels:
    """The drawn panels, and what was left out for the page's size."""

    panels: tuple[Panel, ...]
    left_out: tuple[str, ...]


def build_panels(run: StoredRun) -> WorstCasePanels:
    """One panel per image and domain, the worst damage first, while the page has room."""
    rows = worst_case_rows(run)
    budget = PictureBudget(n_bytes=BYTES, n_figures=FIGURES)
    panels: list[Panel] = []
    left_out = []
    domains: set[str] = set()
    for item in _worst_first(rows):
        if run.picture_array(item, "image") is None:
            left_out.append(f"arrays/{item}.h5 (no image stored)")
            continue
        figure = _Figure.read(run, rows, item)
        panel = budget.draw(figure.draw)
        if panel is None:
            left_out.append(f"arrays/{item}.h5")
        else:
            panels.append(replace(panel, is_open=figure.domain not in domains))
            domains.add(figure.domain)
    return WorstCasePanels(panels=tuple(panels), left_out=tuple(left_out))


def _worst_first(rows: Sequence[WorstCaseRow]) -> list[str]:
    """Sort the items by damage, the worst of every domain before all others."""
    worst: dict[str, float] = {}
    domain_of = {row.source.item: row.domain for row in rows}
    for row in rows:
        if row.source.item:
            damage = severity(row.relative_error) if row.source.is_network else severity(None)
            worst[row.source.item] = max(damage, worst.get(row.source.item, severity(None)))
    order = sorted(worst, key=lambda item: -worst[item])
    first = {domain_of[item]: item for item in reversed(order)}
    return sorted(order, key=lambda item: item not in first.values())


@dataclass(frozen=True, kw_only=True)
class _Figure:
    """Everything that one panel draws."""

    run: StoredRun
    rows: tuple[WorstCaseRow, ...]
    item: str
    image_name: str
    domain: str
    image: Array
    radii: tuple[float, ...]

    @classmethod
    def read(cls, run: StoredRun, rows: tuple[WorstCaseRow, ...], item: str) -> _Figure:
        own = [row for row in rows if row.source.item == item]
        stored = run.array(item, "radii")
        if stored is None or stored.ndim != 1:
            stored = np.array(sorted({row.radius for row in own if row.radius is not None}))
        image = run.picture_array(item, "image")
        return cls(
            run=run,
            rows=rows,
            item=item,
            image_name=own[0].source.image,
            domain=own[0].domain,
            image=np.zeros((1, 1)) if image is None else image,
            radii=tuple(float(radius) for radius in stored),
        )

    @property
    def symbol(self) -> str:
        return DOMAINS.get(self.domain, DOMAINS["image"])[0]

    def stack(self, method: str, name: str) -> list[Array | None]:
        path = f"methods/{method}/{name}"
        return [self.run.picture_array(self.item, path, j) for j in range(len(self.radii))]

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
        network, baselines = self.run.network, self.run.baselines
        shown = (network, *baselines[:1])
        changes = [change for method in shown for change in self.changes(method)]
        change_scale = GreyScale(low=0.0, high=largest(changes) or 1.0)
        factor = magnification(self.stack(network, "perturbation_image"), scale)
        strips = [*self._inputs(drawer, factor), *self._network(drawer, change_scale)]
        for baseline in baselines[:1]:
            strips += self._baseline(drawer, baseline, change_scale)
        folds = tuple(
            Fold(
                title=f"Another stable method: {baseline}",
                strips=_drawn(self._baseline(drawer, baseline, change_scale)),
            )
            for baseline in baselines[1:]
        )
        place = "the image" if self.domain != "data" else "the data"
        return Panel(
            title=f"{self.image_name}: perturbation of {place}",
            anchor=f"panel-{self.item}",
            scales=self._scales(scale, change_scale, factor, largest_side),
            strips=_drawn(strips),
            folds=tuple(fold for fold in folds if fold.strips),
        )

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

    def _inputs(self, drawer: Drawer, factor: int) -> list[Strip]:
        s, name = self.symbol, self.image_name
        patterns = self.stack(self.run.network, "perturbation_image")
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
        blank = Cell(picture=None, caption="")
        if self.domain == "data":
            note = "What the change of the data looks like as an image, A*e (A* is the adjoint)."
            title = f"The network’s perturbation {s}, magnified {factor} times"
            return [Strip(title=title, cells=(clean, *magnified), note=note)]
        return [
            Strip(title=f"What was put in: x + {s}", cells=(clean, *perturbed)),
            Strip(
                title=f"The network’s perturbation {s}, magnified {factor} times",
                cells=(blank, *magnified),
            ),
        ]

    def _formula(self, letter: str, mark: str = "") -> str:
        inside = f"y + {self.symbol}{mark}"
        return f"{letter}({inside})" if self.domain == "data" else f"{letter}(A(x + r{mark}))"

    def _result(self, drawer: Drawer, method: str, name: str, what: str) -> list[Cell]:
        cells = []
        for j, array in enumerate(self.stack(method, name)):
            row = worst_case_of(self.rows, self.item, method, self.radii[j])
            note = _outcome(row, name)
            cells.append(drawer.cell(array, self._caption(j), f"{what}, {self._caption(j)}", note))
        return cells

    def _clean_cell(self, drawer: Drawer, method: str) -> Cell:
        row = next(
            (r for r in self.rows if r.source.item == self.item and r.source.method == method), None
        )
        note = "" if row is None or row.clean_psnr is None else f"PSNR {decibel(row.clean_psnr)}"
        alt = f"Reconstruction of {self.image_name} by {method} without perturbation"
        return drawer.cell(self.clean(method), "no perturbation", alt, note)

    def _change_cells(self, drawer: Drawer, method: str, scale: GreyScale) -> list[Cell]:
        alt = f"Change of the reconstruction by {method}"
        return [
            drawer.cell(change, self._caption(j), f"{alt}, {self._caption(j)}", "", scale)
            for j, change in enumerate(self.changes(method))
        ]

    def _network(self, drawer: Drawer, changes: GreyScale) -> list[Strip]:
        name = self.run.network
        clean = self._clean_cell(drawer, name)
        blank = Cell(picture=None, caption="")
        after = self._result(drawer, name, "perturbed", f"Reconstruction by the network {name}")
        random = self._result(
            drawer, name, "random", f"Reconstruction by {name} under a random perturbation"
        )
        return [
            Strip(
                title=f"What the network made of it: {self._formula('f')}",
                cells=(clean, *after),
                kind="network",
            ),
            Strip(
                title=f"Difference map: |{self._formula('f')} − f({self._clean_input()})|",
                cells=(blank, *self._change_cells(drawer, name, changes)),
                kind="change",
            ),
            Strip(
                title="Control: the network under a random perturbation of the same size",
                note="The pictures show one draw; the numbers are means over the draws.",
                cells=(blank, *random),
                kind="network",
            ),
        ]

    def _clean_input(self) -> str:
        return "y" if self.domain == "data" else "Ax"

    def _baseline(self, drawer: Drawer, name: str, changes: GreyScale) -> list[Strip]:
        clean = self._clean_cell(drawer, name)
        blank = Cell(picture=None, caption="")
        alt = f"Reconstruction by the stable method {name}"
        given = self._result(drawer, name, "given_network", f"{alt} under the network’s")
        own = self._result(drawer, name, "perturbed", f"{alt} under its own worst case")
        return [
            Strip(
                title=f"{name}, under the network’s perturbation: {self._formula('g')}",
                cells=(clean, *given),
                kind="baseline",
            ),
            Strip(
                title=f"{name}, under its own worst case: {self._formula('g', '′')}",
                note=f"{self.symbol}′ was searched for this method with the same settings.",
                cells=(blank, *own),
                kind="baseline",
            ),
            Strip(
                title=f"Difference map: |{self._formula('g', '′')} − g({self._clean_input()})|",
                cells=(blank, *self._change_cells(drawer, name, changes)),
                kind="change",
            ),
        ]


def _outcome(row: WorstCaseRow | None, name: str) -> str:
    if row is None:
        return ""
    share, amplification = {
        "perturbed": (row.relative_error, row.amplification),
        "random": (row.random_relative_error, row.random_amplification),
        "given_network": (row.given_relative_error, row.given_network_amplification),
    }[name]
    level = row.perturbed_psnr if name == "perturbed" else None
    lines = (
        "" if share is None else f"changed by {percent(share)}",
        "" if amplification is None else f"amplification {readable(amplification)}",
        "" if level is None else f"PSNR {decibel(level)}",
    )
    return "\n".join(filter(None, lines))


def _drawn(strips: Sequence[Strip]) -> tuple[Strip, ...]:
    return tuple(strip for strip in strips if not strip.is_empty)
