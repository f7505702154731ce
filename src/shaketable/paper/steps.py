"""Worst cases of growing size in a row: what Figures 1 and 3 share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from shaketable.blocks.pictures import grey_scale, magnification
from shaketable.blocks.quantities import decibel, listed, percent, readable
from shaketable.paper.places import strongest_place
from shaketable.paper.reading import (
    effort,
    images_of,
    of_method,
    picture,
    psnr_lost,
    quality,
    records_of,
)
from shaketable.paper.sheet import Row, Sheet, Tile, captions
from shaketable.stored import Array, Record, StoredRun, number


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What one such figure shows.

    Parameters
    ----------
    title
        Above it.
    domain
        Where the perturbations are added.
    symbol, of
        What they are called, and what their size is relative to.
    drops
        Losses of PSNR in dB, increasing: one column for each, with the smallest perturbation that
        was found to cause it.
    """

    title: str
    domain: Literal["image", "data"]
    symbol: str
    of: str
    drops: tuple[float, ...]

    def draw(self, run: StoredRun) -> tuple[Sheet, dict[str, Any]]:
        """The sheet of the run's first image, and the numbers of all.

        Raises
        ------
        RunError
            If the run holds no complete worst cases with their pictures.
        """
        records = records_of(run, "worst_case", self.domain)
        shown = images_of(records)[0]
        mine = of_method(records, run.network, shown)
        chosen = choose([psnr_lost(record) for record in mine], self.drops)
        radii = [float(record["radius"]) for record in mine]
        stable = run.baselines[0]
        numbers = {
            "shown": {"image": shown, self.symbol: [radii[index] for index in chosen]},
            "sizes_tried": radii,
            "drops": {m: self._brackets(records, m) for m in (run.network, stable)},
            "records": [dict(record) for record in records],
        }
        its = of_method(records, stable, shown)
        rows = _Rows(steps=self, run=run, mine=mine, its=its, chosen=chosen)
        return rows.sheet(shown, radii), numbers

    def _brackets(self, records: Sequence[Record], method: str) -> dict[str, list[Any]]:
        """For every loss and image, the largest size without it and the smallest with it."""
        return {
            f"{wanted:g} dB": [
                _bracket(of_method(records, method, image), wanted) for image in images_of(records)
            ]
            for wanted in self.drops
        }


def choose(drops: Sequence[float], wanted: Sequence[float]) -> tuple[int, ...]:
    """The first sizes at which losses were found; the largest ones for the rest.

    Parameters
    ----------
    drops
        Loss of PSNR at every size, sizes increasing; at least as many as are wanted.
    wanted
        Losses, increasing.

    Examples
    --------
    >>> choose([0.2, 1.5, 1.9, 4.0, 5.0], (1.0, 3.0, 10.0))
    (1, 3, 4)
    """
    chosen: list[int] = []
    for left, loss in zip(reversed(range(len(wanted))), wanted, strict=True):
        last = len(drops) - 1 - left  # leaves room for the ones to come
        first = next((i for i, drop in enumerate(drops) if drop >= loss), last)
        chosen.append(max(min(first, last), chosen[-1] + 1 if chosen else 0))
    return tuple(chosen)


def _bracket(records: Sequence[Record], wanted: float) -> dict[str, Any]:
    radii = [float(record["radius"]) for record in records]
    first = next((i for i, r in enumerate(records) if psnr_lost(r) >= wanted), None)
    if first is None:
        return {"image": records[0]["image"], "above": radii[-1], "at": None}
    return {
        "image": records[0]["image"], "above": radii[first - 1] if first else 0.0,
        "at": radii[first],
    }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """The rows of the figure for one image."""

    steps: Steps
    run: StoredRun
    mine: Sequence[Record]
    its: Sequence[Record]
    chosen: Sequence[int]

    def _picture(self, name: str, index: int | None = None) -> Array:
        return picture(self.run, str(self.mine[0]["item"]), name, index)

    def _stack(self, method: str, name: str) -> list[Array]:
        return [self._picture(f"methods/{method}/{name}", index) for index in self.chosen]

    def sheet(self, shown: str, radii: Sequence[float]) -> Sheet:
        network, stable, symbol = self.run.network, self.run.baselines[0], self.steps.symbol
        image = self._picture("image")
        scale = grey_scale(image)
        perturbations = self._stack(network, "perturbation_image")
        factor = magnification(perturbations, scale)
        seen = symbol if self.steps.domain == "image" else f"A*{symbol}"
        magnified = tuple(Tile(array=factor * np.abs(r)) for r in perturbations)
        rows = (
            Row(label=f"image\n|x + {seen}|", tiles=self._perturbed(image, perturbations),
                scale=scale),
            Row(label=f"perturbation\n|{seen}| × {factor}", scale=scale, tiles=(None, *magnified)),
            *(
                Row(label=label, tiles=self._reconstructed(method, name, image, records), scale=scale)
                for method, name, label, records in (
                    (network, "perturbed", network, self.mine),
                    (stable, "given_network", f"{stable}\nof the same data", None),
                    (stable, "perturbed", f"{stable}\nits own worst case", self.its),
                )
            ),
        )  # fmt: skip
        names = [f"{symbol}{_below(number)}" for number in range(1, len(self.chosen) + 1)]
        sizes = ", ".join(str(percent(radius)) for radius in radii)
        losses = [f"{drop:g}" for drop in self.steps.drops]
        return Sheet(
            title=self.steps.title, rows=rows, columns=("no perturbation", *names),
            notes=(
                f"Image {shown}. Grey scale of all rows: {scale.sentence}, magnitudes; "
                f"perturbations magnified {factor} times. Boxes: where the reconstruction changes most.",
                f"{', '.join(names)}: the smallest sizes tried at which {network} was found to lose "
                f"{listed(losses)} dB, or the largest tried.",
                f"Tried: {sizes} of {self.steps.of}; each loss begins somewhere between the size "
                f"before and the one stated. {effort(self.run, 'worst_case')}",
            ),
        )  # fmt: skip

    def _perturbed(self, image: Array, perturbations: Sequence[Array]) -> tuple[Tile, ...]:
        tiles = [Tile(array=image, caption="x")]
        for index, r in zip(self.chosen, perturbations, strict=True):
            size = percent(number(self.mine[index], "radius"))
            caption = f"‖{self.steps.symbol}‖ = {size} of {self.steps.of}"
            tiles.append(Tile(array=image + r, caption=caption))
        return tuple(tiles)

    def _reconstructed(
        self, method: str, name: str, image: Array, records: Sequence[Record] | None
    ) -> tuple[Tile, ...]:
        clean = self._picture(f"methods/{method}/clean")
        tiles = [Tile(array=clean, caption=f"PSNR {decibel(quality(clean, image))}")]
        for index, output in zip(self.chosen, self._stack(method, name), strict=True):
            level = f"PSNR {decibel(quality(output, image))}"
            amplified = None if records is None else number(records[index], "amplification")
            more = "" if amplified is None else f"amplification ≥ {readable(amplified)}"
            box = strongest_place(output - clean)
            tiles.append(Tile(array=output, caption=captions([level, more]), box=box))
        return tuple(tiles)


def _below(number: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(number))
