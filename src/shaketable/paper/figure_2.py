"""Figure 2: noise around a worst case leaves its artefact, so bad perturbations fill a ball."""

from __future__ import annotations

from collections.abc import Sequence

from shaketable.blocks.pictures import grey_scale
from shaketable.blocks.quantities import percent
from shaketable.paper.claims import Claim, above
from shaketable.paper.figure import Drawn, Figure, Runs
from shaketable.paper.places import Box, strongest_place
from shaketable.paper.reading import effort, images_of, of_method, picture, records_of
from shaketable.paper.sheet import Row, Sheet, Tile
from shaketable.statistics import share_interval
from shaketable.stored import Array, Record, StoredRun


def draw(runs: Runs) -> Drawn:
    """Draw the worst case and one draw of every size of noise; count over all draws.

    Raises
    ------
    RunError
        If the run holds no noisy worst cases with their pictures.
    """
    (run,) = runs.values()
    records = records_of(run, "neighbourhood")
    shown = images_of(records)[0]
    rows = tuple(_row(run, of_method(records, method, shown, by="")) for method in run.methods[:2])
    mine = of_method(records, run.network, by="")
    scale = rows[0].scale
    sheet = Sheet(
        title="Noise around a worst case", rows=rows,
        columns=("no perturbation", "worst case r", *(_head(r) for r in mine if r["image"] == shown)),
        notes=(
            f"Image {shown}; ‖r‖ = {percent(float(mine[0]['radius']))} of ‖x‖, every method with its own "
            f"worst case found. Grey scale: {scale.sentence}, magnitudes.",
            "v is Gaussian noise of the data, taken to the image and scaled to the stated size; one draw "
            "is shown. Below: draws that keep at least half of the artefact, 95 % interval.",
            "Boxes: where the worst case changes the reconstruction most. "
            f"{effort(run, 'neighbourhood')}",
        ),
    )  # fmt: skip
    numbers = {"shown": {"image": shown}, "records": [dict(record) for record in records]}
    return Drawn(sheet=sheet, numbers=numbers, claims=_claims(run.network, mine))


FIGURE = Figure(number=2, networks=("deep-mri",), draw=draw)


def _head(record: Record) -> str:
    return f"r + v, ‖v‖ = {percent(float(record['noise_ratio']))} of ‖r‖"


def _row(run: StoredRun, records: Sequence[Record]) -> Row:
    item, method = str(records[0]["item"]), str(records[0]["method"])
    base = f"methods/{method}"
    clean, perturbed = (
        picture(run, item, f"{base}/clean"),
        picture(run, item, f"{base}/perturbed"),
    )
    box = strongest_place(perturbed - clean)
    tiles = [Tile(array=clean), Tile(array=perturbed, box=box)]
    for index, record in enumerate(records):
        name = "noisy" if index == 0 else f"noisy at {record['noise_ratio']:g}"
        tiles.append(_noisy(picture(run, item, f"{base}/{name}"), record, box))
    image = picture(run, item, "image")
    return Row(label=method, tiles=tuple(tiles), scale=grey_scale(image))


def _noisy(array: Array, record: Record, box: Box) -> Tile:
    low, high = record["interval"]
    share = record["n_persisting"] / record["n_draws"]
    kept = f"{percent(share)} of {record['n_draws']} draws keep it"
    caption = f"{kept}\n({percent(low, 3)} to {percent(high, 3)})"
    return Tile(array=array, caption=caption, box=box)


def _claims(network: str, records: Sequence[Record]) -> tuple[Claim, ...]:
    claims = []
    for ratio in dict.fromkeys(float(r["noise_ratio"]) for r in records):
        these = [r for r in records if r["noise_ratio"] == ratio]
        kept = sum(int(r["n_persisting"]) for r in these)
        measured = share_interval(kept, sum(int(r["n_draws"]) for r in these))
        claims.append(
            Claim(
                figure=2, network=network, measured=measured, unit="", units="draws",
                outcome=above(measured, 0.5, 0.05),
                says="Bad perturbations are no isolated points: noise added to one leaves the artefact",
                quantity=f"share of draws that keep the artefact, under noise of {percent(ratio)} of ‖r‖",
                rule="holds where the interval lies above one half, in part above 5 %",
            )
        )  # fmt: skip
    return tuple(claims)
