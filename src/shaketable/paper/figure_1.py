"""Figure 1: r1 < r2 < r3 turn a very good reconstruction step by step into an unrecognisable one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shaketable.errors import RunError
from shaketable.paper.claims import Claim, above, below
from shaketable.paper.figure import Drawn, Figure
from shaketable.paper.sheet import Row, Sheet, Tile, captions, strongest_place
from shaketable.report.pictures import grey_scale, magnification
from shaketable.report.quantities import decibel, percent, readable
from shaketable.report.stored import Array, Record, StoredRun, number
from shaketable.statistics import mean_interval

DROPS = (1.0, 3.0, 10.0)
"""Losses of PSNR in dB that r1, r2 and r3 are chosen by."""


def draw(run: StoredRun) -> Drawn:
    """Draw the first image; measure all of them.

    Raises
    ------
    RunError
        If the run holds no complete worst cases with their pictures.
    """
    records = [r for r in run.records("worst_case") if r["domain"] == "image"]
    network, stable = run.network, _first(run.baselines, run)
    shown = str(_first([r["image"] for r in records], run))
    mine = _of(records, network, shown)
    chosen = _choose(mine)
    sheet = _Pictures(run, mine, _of(records, stable, shown), network, stable, chosen).sheet(shown)
    radii = [float(record["radius"]) for record in mine]
    numbers = {
        "shown": {"image": shown, "r": [radii[index] for index in chosen]},
        "drops": {m: _drops_of_all(records, m) for m in (network, stable)},
        "records": [dict(record) for record in records],
    }
    return Drawn(sheet=sheet, numbers=numbers, claims=_claims(run, records, network, stable))


FIGURE = Figure(number=1, network="deep-mri", draw=draw)


def _first(found: Sequence[str], run: StoredRun) -> str:
    if not found:
        raise RunError(
            f"Expected worst cases of a network and a stable method in {run.directory}, got none; "
            "remove the directory and run the command again."
        )
    return found[0]


def _of(records: Sequence[Record], method: str, image: str) -> list[Record]:
    found = [r for r in records if r["method"] == method and r["image"] == image]
    return sorted(found, key=lambda record: float(record["radius"]))


def _drop(record: Record) -> float:
    """Loss of PSNR in dB; NaN where one of the two is missing."""
    before, after = number(record, "clean_psnr"), number(record, "perturbed_psnr")
    return float("nan") if before is None or after is None else before - after


def _choose(records: Sequence[Record]) -> tuple[int, ...]:
    """The first radii at which the losses of `DROPS` were found; the largest ones for the rest."""
    drops = [_drop(record) for record in records]
    chosen: list[int] = []
    for left, wanted in zip(reversed(range(len(DROPS))), DROPS, strict=True):
        last = len(records) - 1 - left  # leaves room for the ones to come
        first = next((i for i, drop in enumerate(drops) if drop >= wanted), last)
        chosen.append(max(min(first, last), chosen[-1] + 1 if chosen else 0))
    return tuple(chosen)


def _drops_of_all(records: Sequence[Record], method: str) -> dict[str, list[Any]]:
    """For every loss and image, the largest radius without it and the smallest with it."""
    images = dict.fromkeys(r["image"] for r in records)
    return {
        f"{wanted:g} dB": [_bracket(_of(records, method, image), wanted) for image in images]
        for wanted in DROPS
    }


def _bracket(records: Sequence[Record], wanted: float) -> dict[str, Any]:
    radii = [float(record["radius"]) for record in records]
    first = next((i for i, r in enumerate(records) if _drop(r) >= wanted), None)
    if first is None:
        return {"image": records[0]["image"], "above": radii[-1], "at": None}
    above_ = radii[first - 1] if first else 0.0
    return {"image": records[0]["image"], "above": above_, "at": radii[first]}


class _Pictures:
    """The rows of the figure for one image."""

    def __init__(
        self, run: StoredRun, mine: Sequence[Record], its: Sequence[Record], network: str,
        stable: str, chosen: Sequence[int],
    ) -> None:  # fmt: skip
        self._run, self._mine, self._its = run, mine, its
        self._network, self._stable, self._chosen = network, stable, chosen
        self._item = str(mine[0]["item"])
        self._image = self._picture("image")
        self._scale = grey_scale(self._image)

    def _picture(self, name: str, index: int | None = None) -> Array:
        array = self._run.picture_array(self._item, name, index)
        if array is None:
            raise RunError(
                f"Expected the picture '{name}' of {self._item} in {self._run.directory}, got none; "
                "remove the directory and run the command again."
            )
        return array

    def _stack(self, method: str, name: str) -> list[Array]:
        return [self._picture(f"methods/{method}/{name}", index) for index in self._chosen]

    def sheet(self, shown: str) -> Sheet:
        perturbations = self._stack(self._network, "perturbation_image")
        factor = magnification(perturbations, self._scale)
        rows = (
            self._perturbed(perturbations),
            Row(
                label=f"perturbation\n|r| × {factor}",
                scale=self._scale,
                tiles=(None, *(Tile(array=factor * np.abs(r)) for r in perturbations)),
            ),
            self._reconstructed(self._network, "perturbed", self._network, self._mine),
            self._reconstructed(
                self._stable, "given_network", f"{self._stable}\nof the same data", None
            ),
            self._reconstructed(
                self._stable, "perturbed", f"{self._stable}\nits own worst case", self._its
            ),
        )
        return Sheet(
            title="Worst perturbations of growing size", rows=rows,
            columns=("no perturbation", "r₁", "r₂", "r₃"),
            notes=(
                f"Image {shown}. Grey scale of all rows: {self._scale.sentence}, magnitudes; "
                f"perturbations magnified {factor} times.",
                f"r₁, r₂, r₃: the smallest sizes tried at which {self._network} was found to lose 1, 3 "
                "and 10 dB, or the largest tried. Worst cases found are lower bounds.",
                "Boxes: where the reconstruction changes most.",
            ),
        )  # fmt: skip

    def _perturbed(self, perturbations: Sequence[Array]) -> Row:
        tiles = [Tile(array=self._image, caption="x")]
        for index, r in zip(self._chosen, perturbations, strict=True):
            size = percent(number(self._mine[index], "radius"))
            tiles.append(Tile(array=self._image + r, caption=f"‖r‖ = {size} of ‖x‖"))
        return Row(label="image\n|x + r|", tiles=tuple(tiles), scale=self._scale)

    def _reconstructed(
        self, method: str, name: str, label: str, records: Sequence[Record] | None
    ) -> Row:
        clean = self._picture(f"methods/{method}/clean")
        tiles = [Tile(array=clean, caption=f"PSNR {decibel(_quality(clean, self._image))}")]
        for index, output in zip(self._chosen, self._stack(method, name), strict=True):
            quality = f"PSNR {decibel(_quality(output, self._image))}"
            amplified = None if records is None else number(records[index], "amplification")
            more = "" if amplified is None else f"amplification ≥ {readable(amplified)}"
            box = strongest_place(output - clean)
            tiles.append(Tile(array=output, caption=captions([quality, more]), box=box))
        return Row(label=label, tiles=tuple(tiles), scale=self._scale)


def _quality(reconstruction: Array, image: Array) -> float:
    """PSNR in dB, with the peak of the image."""
    import torch

    from shaketable.metrics import psnr

    pair = (torch.from_numpy(np.ascontiguousarray(a))[None] for a in (reconstruction, image))
    return float(psnr(*pair)[0])


def _claims(
    run: StoredRun, records: Sequence[Record], network: str, stable: str
) -> tuple[Claim, ...]:
    images = list(dict.fromkeys(r["image"] for r in records))
    last = [_of(records, network, image)[-1] for image in images]
    size = percent(number(last[0], "radius"))
    drop = mean_interval([_drop(record) for record in last])
    given = mean_interval([_given_drop(run, record, stable) for record in last])
    facts: Mapping[str, Any] = {"figure": 1, "network": network, "unit": "dB", "units": "images"}
    return (
        Claim(
            **facts, measured=drop, outcome=above(drop, 10.0, 3.0),
            says="Tiny perturbations turn a very good reconstruction step by step into an "
            "unrecognisable one",
            quantity=f"PSNR lost to worst cases of {size} of ‖x‖, lower bound",
            rule="holds where the interval lies above 10 dB, in part above 3 dB",
        ),
        Claim(
            **facts, measured=given, outcome=below(given, 1.0, 3.0),
            says="The stable method is unaffected by the same perturbations",
            quantity=f"PSNR lost by {stable} to the network’s perturbations of {size}",
            rule="holds where the interval lies below 1 dB, in part below 3 dB",
        ),
    )  # fmt: skip


def _given_drop(run: StoredRun, record: Record, stable: str) -> float:
    """What the stable method loses to the network's largest perturbation, in dB."""
    item, base = str(record["item"]), f"methods/{stable}"
    image, clean = run.picture_array(item, "image"), run.picture_array(item, f"{base}/clean")
    stack = run.array(item, f"{base}/given_network")
    if image is None or clean is None or stack is None:
        raise RunError(
            f"Expected the pictures of {item} in {run.directory}, got some without; "
            "remove the directory and run the command again."
        )
    return _quality(clean, image) - _quality(stack[-1], image)
