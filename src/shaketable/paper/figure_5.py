"""Figure 5: whether symbols and letters survive, and whether more samples make better images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shaketable.blocks.pictures import grey_scale
from shaketable.blocks.quantities import percent
from shaketable.paper.claims import Claim
from shaketable.paper.curves import sampled, sampling_chart
from shaketable.paper.figure import Drawn, Figure, Runs
from shaketable.paper.kept import FATES, fate_claims, trend_claim
from shaketable.paper.places import place_around
from shaketable.paper.reading import effort, images_of, picture, records_of
from shaketable.paper.sheet import Chart, Row, Sheet, Tile
from shaketable.stored import Record, StoredRun, number


def draw(runs: Runs) -> Drawn:
    """Draw the first image of every network; measure all of them.

    Raises
    ------
    RunError
        If a run does not hold what the figure shows of its network.
    """
    rows: list[Row] = []
    charts: list[Chart] = []
    notes: list[str] = []
    claims: list[Claim] = []
    numbers: dict[str, Any] = {}
    for network, run in runs.items():
        said = [f"{network}:", effort(run, "sampling")]
        if network in FATES:
            records = records_of(run, "structural")
            shown = images_of(records)[0]
            rows.append(_row(run, [r for r in records if r["image"] == shown]))
            said.insert(1, f"image {shown}, grey scale {rows[-1].scale.sentence}, magnitudes.")
            claims += fate_claims(run, network, records)
        curves = records_of(run, "sampling")
        charts.append(sampling_chart(run, curves))
        claims.append(trend_claim(run, network, curves))
        notes.append(" ".join(part for part in said if part))
        numbers[network] = [dict(r) for r in run.records() if r["probe"] in _SHOWN]
    columns = tuple(f"{what}, {part}" for what in ("symbols", "letters") for part in _PARTS)
    sheet = Sheet(
        title="Small structural changes, and more samples", columns=columns, rows=tuple(rows),
        charts=tuple(charts), notes=(*notes, *_NOTES),
    )  # fmt: skip
    return Drawn(sheet=sheet, numbers={"records": numbers}, claims=tuple(claims))


FIGURE = Figure(number=5, networks=("ell-50", "dagan", "mri-vn", "deep-mri", "med-50"), draw=draw)

_SHOWN = ("structural", "sampling")
_PARTS = ("image", "enlarged", "network", "stable")
_NOTES = (
    "Boxes: what is enlarged. Below: share of the detail’s contrast that is recovered, of the image "
    "shown.",
    "Charts: mean PSNR and its 95 % interval over images; the dotted line is the rate that the network "
    "was trained for.",
)


def _row(run: StoredRun, records: Sequence[Record]) -> Row:
    """Symbols, then letters: the image, the place enlarged, and what the methods make of it."""
    item = str(records[0]["item"])
    image = picture(run, item, "image")
    tiles: list[Tile | None] = []
    for index, detail in enumerate(dict.fromkeys(r["detail"] for r in records)):
        inserted = picture(run, item, "detail", index)
        box = place_around(inserted)
        tiles += [
            Tile(array=image + inserted, box=box),
            Tile(array=box.cut(image + inserted)),
            *(
                Tile(
                    array=box.cut(picture(run, item, f"methods/{method}/with_detail", index)),
                    caption=_recovered(records, method, detail),
                )
                for method in run.methods[:2]
            ),
        ]
    label = f"{run.network},\n{sampled(run)}\nand {run.baselines[0]}"
    return Row(label=label, tiles=tuple(tiles), scale=grey_scale(image))


def _recovered(records: Sequence[Record], method: str, detail: str) -> str:
    found = next(r for r in records if r["method"] == method and r["detail"] == detail)
    return f"{percent(number(found, 'contrast_recovery'))} recovered"
