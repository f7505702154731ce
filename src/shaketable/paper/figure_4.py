"""Figure 4: one converged perturbation each for MRI-VN (15 coils) and Med 50 (50 views)."""

from __future__ import annotations

from typing import Any

import numpy as np

from shaketable.blocks.pictures import GreyScale, grey_scale, magnification
from shaketable.blocks.quantities import decibel, percent, readable
from shaketable.paper.claims import Claim
from shaketable.paper.figure import Drawn, Figure, Runs
from shaketable.paper.lost import drop_claims
from shaketable.paper.places import Box, strongest_place
from shaketable.paper.reading import effort, images_of, of_method, picture, quality, records_of
from shaketable.paper.sheet import Row, Sheet, Tile, captions
from shaketable.stored import Array, Record, StoredRun, number

_COLUMNS = (
    "x", "|x + r|", "|r|, magnified", "network, of A x", "network, of A(x + r)",
    "stable, of A(x + r)", "stable, own worst case",
)  # fmt: skip
# What the paper says of each network, and the losses in dB above which it holds, wholly or in part.
_SAYS = {
    "mri-vn": ("A tiny perturbation causes severe artefacts", 10.0, 3.0),
    "med-50": ("A tiny perturbation causes moderate artefacts", 3.0, 1.0),
}


def draw(runs: Runs) -> Drawn:
    """Draw the first image of every network; measure all of them.

    Raises
    ------
    RunError
        If a run holds no complete worst cases with their pictures.
    """
    rows: list[Row] = []
    notes: list[str] = []
    claims: list[Claim] = []
    numbers: dict[str, Any] = {}
    for network, run in runs.items():
        records = records_of(run, "worst_case", "image")
        shown = images_of(records)[0]
        block = _Block(run, records, shown)
        rows += block.rows()
        notes.append(block.note())
        says, whole, part = _SAYS[network]
        claims += drop_claims(
            4, run, domain="image", says=says, whole=whole, part=part, of="‖x‖"
        )  # fmt: skip
        numbers[network] = {"shown": {"image": shown}, "records": [dict(r) for r in records]}
    sheet = Sheet(
        title="A worst perturbation of each network", columns=_COLUMNS, rows=tuple(rows),
        notes=(*notes, "Boxes: where the network’s reconstruction changes most; enlarged below."),
    )  # fmt: skip
    return Drawn(sheet=sheet, numbers={"networks": numbers}, claims=tuple(claims))


FIGURE = Figure(number=4, networks=("mri-vn", "med-50"), draw=draw)


class _Block:
    """The two rows of one network: whole pictures, and what is in the box."""

    def __init__(self, run: StoredRun, records: list[Record], shown: str) -> None:
        self._run, self._shown = run, shown
        self._network, self._stable = run.network, run.baselines[0]
        self._mine = of_method(records, self._network, shown)[-1]
        self._its = of_method(records, self._stable, shown)[-1]
        self._item = str(self._mine["item"])
        self._image = picture(run, self._item, "image")
        self._scale = grey_scale(self._image)
        self._r = self._output(self._network, "perturbation_image")
        self._factor = magnification([self._r], self._scale)

    def _output(self, method: str, name: str) -> Array:
        index = None if name == "clean" else -1
        return picture(self._run, self._item, f"methods/{method}/{name}", index)

    def rows(self) -> tuple[Row, Row]:
        clean = self._output(self._network, "clean")
        perturbed = self._output(self._network, "perturbed")
        box = strongest_place(perturbed - clean, share=1 / 4)
        size = percent(number(self._mine, "radius"))
        whole = (
            Tile(array=self._image, box=box),
            Tile(array=self._image + self._r, caption=f"‖r‖ = {size} of ‖x‖", box=box),
            Tile(array=self._factor * np.abs(self._r), caption=f"× {self._factor}", box=box),
            self._tile(clean, box),
            self._tile(perturbed, box, self._mine),
            self._tile(self._output(self._stable, "given_network"), box),
            self._tile(self._output(self._stable, "perturbed"), box, self._its),
        )
        enlarged = tuple(Tile(array=box.cut(tile.array)) for tile in whole)
        label = f"{self._network}\n{self._stable}"
        return (
            Row(label=label, tiles=whole, scale=self._scale),
            Row(label="the box,\nenlarged", tiles=enlarged, scale=self._scale),
        )

    def _tile(self, output: Array, box: Box, record: Record | None = None) -> Tile:
        amplified = None if record is None else number(record, "amplification")
        more = "" if amplified is None else f"amplification ≥ {readable(amplified)}"
        level = f"PSNR {decibel(quality(output, self._image))}"
        return Tile(array=output, caption=captions([level, more]), box=box)

    def note(self) -> str:
        scale: GreyScale = self._scale
        return (
            f"{self._network}: image {self._shown}; grey scale of its two rows {scale.sentence}, "
            f"magnitudes; |r| magnified {self._factor} times. {effort(self._run, 'worst_case')}"
        )
