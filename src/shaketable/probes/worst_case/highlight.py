"""The worst perturbation of a run as the picture of the first page."""

from __future__ import annotations

import math
from dataclasses import replace

from shaketable.blocks import Cell, Drawer, Highlight, printed_scale
from shaketable.blocks.pictures import grey_scale
from shaketable.blocks.quantities import listed, percent, readable, same
from shaketable.blocks.wording import the_network
from shaketable.probes.worst_case.derived import (
    Records,
    domain_of,
    given_amplification,
    record_of,
    worst_of,
)
from shaketable.probes.worst_case.record import WorstCaseRecord
from shaketable.stored import StoredRun

LARGEST_SIDE = 400


def highlight(run: StoredRun, records: Records) -> Highlight | None:
    """Return the worst perturbation of a network; None where none was found."""
    worst = worst_of(records)
    if worst is None:
        return None
    same_item = [record for record in records if record.item == worst.item]
    beside = record_of(same_item, run.baselines[0], worst.radius) if run.baselines else None
    who = the_network(worst.method, run.networks)
    sentences = (_damage_sentence(worst, who), _beside_sentence(worst, beside, who))
    change = math.inf if worst.relative_error is None else worst.relative_error
    in_words = Highlight(severity=1 + change, sentences=tuple(filter(None, sentences)))
    return _with_pictures(in_words, run, worst)


def _with_pictures(in_words: Highlight, run: StoredRun, worst: WorstCaseRecord) -> Highlight:
    item, network = worst.item, worst.method
    primary = run.baselines[0] if run.baselines else ""
    image = run.picture_array(item, "image")
    if image is None:
        return in_words
    index = _radius_index(run, worst)
    drawer = Drawer(scale=grey_scale(image), largest_side=LARGEST_SIDE)
    name, is_data = worst.image, domain_of(worst) == "data"
    pattern = run.picture_array(item, f"methods/{network}/perturbation_image", index)
    clean = run.picture_array(item, f"methods/{network}/clean")
    after = run.picture_array(item, f"methods/{network}/perturbed", index)
    f, g = ("f(y + e)", "g(y + e)") if is_data else ("f(A(x + r))", "g(A(x + r))")
    cells = [drawer.cell(image, "x", f"Image {name}, unchanged", "the image, unchanged")]
    if not is_data:
        shifted = None if pattern is None or pattern.shape != image.shape else image + pattern
        note = "the image with the perturbation"
        cells.append(drawer.cell(shifted, "x + r", f"Image {name} with the perturbation", note))
    alt = f"Reconstruction by the network {network}"
    cells.append(drawer.cell(after, f, f"{alt} with the perturbation", f"the network, {network}"))
    if primary:
        given = run.picture_array(item, f"methods/{primary}/given_network", index, network)
        alt_beside = f"Reconstruction by {primary} with the same perturbation"
        cells.append(drawer.cell(given, g, alt_beside, f"the reference method, {primary}"))
    unchanged = "f(y)" if is_data else "f(Ax)"
    before = drawer.cell(
        clean, "without the perturbation", f"{alt} without perturbation", unchanged
    )
    changed = drawer.cell(after, "with the perturbation", f"{alt} with the perturbation", f)
    return replace(
        in_words,
        cells=tuple(cell for cell in cells if cell.picture is not None),
        scale=printed_scale(drawer.scale, run.units),
        pair=_pair(before, changed),
    )


def _pair(before: Cell, after: Cell) -> tuple[Cell, Cell] | None:
    return (before, after) if before.picture and after.picture else None


def _radius_index(run: StoredRun, worst: WorstCaseRecord) -> int:
    radii = run.array(worst.item, "radii")
    if radii is None or radii.ndim != 1:
        return 0
    return next((j for j, radius in enumerate(radii) if same(float(radius), worst.radius)), 0)


def _damage_sentence(worst: WorstCaseRecord, who: str) -> str:
    is_data = domain_of(worst) == "data"
    where = "the data of the image" if is_data else "the image"
    whose = "their" if is_data else "its"
    size = "" if worst.radius is None else f", {percent(worst.radius)} of {whose} size,"
    start = f"A perturbation of {where} “{worst.image}”{size}"
    if worst.relative_error is None:
        return (
            f"{start} turned {who}’s reconstruction into values that are not numbers "
            "(NaN or infinity)."
        )
    much = (
        ""
        if worst.amplification is None
        else f", which is {readable(worst.amplification)} times the size of the perturbation itself"
    )
    return (
        f"{start} changed {who}’s reconstruction by {percent(worst.relative_error)}{much}. "
        "A search found it; a better search could find worse, so this is a lower bound."
    )


def _beside_sentence(worst: WorstCaseRecord, beside: WorstCaseRecord | None, who: str) -> str:
    parts = []
    if worst.random_amplification is not None:
        random = readable(worst.random_amplification)
        parts.append(f"{random} for a random perturbation of the same size")
    given = None if beside is None else given_amplification(beside, worst.method)
    if given is not None:
        parts.append(f"{readable(given)} for the reference method under {who}’s perturbation")
    if beside is not None and beside.amplification is not None:
        own = readable(beside.amplification)
        parts.append(
            f"{own} for the reference method under its own worst case, searched for with the same "
            "settings"
        )
    return f"For comparison, this factor was {listed(parts)}." if parts else ""
