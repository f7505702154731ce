"""The one-page summary: the single worst picture, and each measure beside the stable methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shaketable.report.figures import Cell, Drawer, printed_scale
from shaketable.report.pictures import grey_scale
from shaketable.report.quantities import (
    Number,
    decibel,
    listed,
    mean,
    percent,
    plain,
    ratio,
    readable,
)
from shaketable.report.sampling import mean_quality, rates_of
from shaketable.report.structural import worst_detail
from shaketable.report.tables import Entry, Table
from shaketable.report.views import (
    StructuralRow,
    WorstCaseRow,
    neighbourhood_rows,
    same,
    sampling_rows,
    severity,
    structural_rows,
    worst_case_of,
    worst_case_rows,
)
from shaketable.stored import StoredRun

LARGEST_SIDE = 400
Pair = tuple[Cell, Cell]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a reader who reads one page should see."""

    sentences: tuple[str, ...]
    cells: tuple[Cell, ...]
    scale: str
    pair: Pair | None
    table: Table | None


def build_summary(run: StoredRun) -> Summary:
    """Return the summary: the worst perturbation found, else the worst detail, else numbers."""
    table = _table(run)
    worst = worst_row(worst_case_rows(run))
    if worst is not None:
        return _from_worst_case(run, worst, table)
    detail = worst_detail(structural_rows(run))
    if detail is not None:
        return _from_detail(run, detail, table)
    sentence = "This run holds no worst case and no inserted detail, so there is no worst picture."
    return Summary(sentences=(sentence,), cells=(), scale="", pair=None, table=table)


def worst_row(rows: Sequence[WorstCaseRow]) -> WorstCaseRow | None:
    """Return the worst of the network: output that is no number, else the largest change."""
    network = [row for row in rows if row.source.is_network]
    broken = [row for row in network if row.status == "not finite" and row.error is None]
    if broken:
        return min(broken, key=lambda row: severity(row.radius))
    found = [row for row in network if row.relative_error is not None]
    found = [row for row in found if row.domain != "data"] or found
    return max(found, key=lambda row: severity(row.relative_error), default=None)


def _from_worst_case(run: StoredRun, row: WorstCaseRow, table: Table | None) -> Summary:
    primary = run.baselines[0] if run.baselines else ""
    beside = worst_case_of(worst_case_rows(run), row.source.item, primary, row.radius)
    sentences = tuple(filter(None, (_damage_sentence(row), _beside_sentence(row, beside))))
    item = row.source.item
    image = run.picture_array(item, "image")
    if image is None:
        return Summary(sentences=sentences, cells=(), scale="", pair=None, table=table)
    index = _radius_index(run, row)
    drawer = Drawer(scale=grey_scale(image), largest_side=LARGEST_SIDE)
    name, network = row.source.image, run.network
    pattern = run.picture_array(item, f"methods/{network}/perturbation_image", index)
    clean = run.picture_array(item, f"methods/{network}/clean")
    after = run.picture_array(item, f"methods/{network}/perturbed", index)
    given = run.picture_array(item, f"methods/{primary}/given_network", index)
    is_data = row.domain == "data"
    f, g = ("f(y + e)", "g(y + e)") if is_data else ("f(A(x + r))", "g(A(x + r))")
    shifted = None if pattern is None or pattern.shape != image.shape else image + pattern
    cells = [drawer.cell(image, "x", f"Image {name}, unchanged", "the image, unchanged")]
    if not is_data:
        note = "the image with the perturbation"
        cells.append(drawer.cell(shifted, "x + r", f"Image {name} with the perturbation", note))
    alt = f"Reconstruction by the network {network}"
    cells.append(drawer.cell(after, f, f"{alt} with the perturbation", f"the network, {network}"))
    if primary:
        alt_beside = f"Reconstruction by {primary} with the same perturbation"
        cells.append(drawer.cell(given, g, alt_beside, f"the stable method, {primary}"))
    unchanged = "f(y)" if is_data else "f(Ax)"
    before = drawer.cell(
        clean, "without the perturbation", f"{alt} without perturbation", unchanged
    )
    changed = drawer.cell(after, "with the perturbation", f"{alt} with the perturbation", f)
    return Summary(
        sentences=sentences,
        cells=tuple(cell for cell in cells if cell.picture is not None),
        scale=printed_scale(drawer.scale, run.units),
        pair=(before, changed) if before.picture and changed.picture else None,
        table=table,
    )


def _radius_index(run: StoredRun, row: WorstCaseRow) -> int:
    radii = run.array(row.source.item, "radii")
    if radii is None or radii.ndim != 1:
        return 0
    return next((j for j, radius in enumerate(radii) if same(float(radius), row.radius)), 0)


def _damage_sentence(row: WorstCaseRow) -> str:
    where = "the data of the image" if row.domain == "data" else "the image"
    whose = "their" if row.domain == "data" else "its"
    size = "" if row.radius is None else f", {percent(row.radius)} of {whose} size,"
    start = f"A perturbation of {where} “{row.source.image}”{size}"
    if row.relative_error is None:
        return (
            f"{start} turned the network’s reconstruction into values that are not numbers "
            "(NaN or infinity)."
        )
    much = (
        ""
        if row.amplification is None
        else f", which is {readable(row.amplification)} times the size of the perturbation itself"
    )
    return (
        f"{start} changed the network’s reconstruction by {percent(row.relative_error)}{much}. "
        "A search found it; a better search could find worse, so this is a lower bound."
    )


def _beside_sentence(row: WorstCaseRow, beside: WorstCaseRow | None) -> str:
    parts = []
    if row.random_amplification is not None:
        random = readable(row.random_amplification)
        parts.append(f"{random} for a random perturbation of the same size")
    if beside is not None and beside.given_network_amplification is not None:
        given = readable(beside.given_network_amplification)
        parts.append(f"{given} for the stable method under the network’s perturbation")
    if beside is not None and beside.amplification is not None:
        own = readable(beside.amplification)
        parts.append(
            f"{own} for the stable method under its own worst case, searched for with the same "
            "settings"
        )
    return f"For comparison, this factor was {listed(parts)}." if parts else ""


def _from_detail(run: StoredRun, row: StructuralRow, table: Table | None) -> Summary:
    item, detail = row.source.item, row.detail
    sentence = (
        f"The detail {detail}, inserted into the image “{row.source.image}”, kept "
        f"{percent(row.contrast_recovery)} of its contrast in the network’s reconstruction."
    )
    image = run.picture_array(item, "image")
    names = run.array(item, "names")
    index = -1 if names is None else next((d for d, n in enumerate(names) if n == detail), -1)
    inserted = run.picture_array(item, "detail", index)
    if image is None or inserted is None or inserted.shape != image.shape:
        return Summary(sentences=(sentence,), cells=(), scale="", pair=None, table=table)
    drawer = Drawer(scale=grey_scale(image), largest_side=LARGEST_SIDE)
    cells = [
        drawer.cell(image, "x", f"Image {row.source.image}", "the image, unchanged"),
        drawer.cell(image + inserted, "x + s", f"The image with {detail}", f"with {detail}"),
    ]
    for method, letter in zip(run.methods[:2], "fg", strict=False):
        array = run.picture_array(item, f"methods/{method}/with_detail", index)
        alt = f"Reconstruction by {method} of the image with {detail}"
        cells.append(drawer.cell(array, f"{letter}(A(x + s))", alt, method))
    pair = (cells[1], cells[2]) if cells[2].picture else None
    return Summary(
        sentences=(sentence,),
        cells=tuple(cell for cell in cells if cell.picture is not None),
        scale=printed_scale(drawer.scale, run.units),
        pair=pair,
        table=table,
    )


def _table(run: StoredRun) -> Table | None:
    lines = [
        *_worst_case_lines(run),
        *_structural_lines(run),
        *_sampling_lines(run),
        *_neighbourhood_lines(run),
    ]
    known = [line for line in lines if any(entry.value is not None for entry in line[1])]
    if not known:
        return None
    rows: tuple[tuple[Entry, ...], ...] = tuple((name, *entries) for name, entries in known)
    return Table(
        caption="The network and, beside it, the stable methods: means over the images.",
        columns=("Measure", *run.methods),
        rows=rows,
    )


Line = tuple[str, tuple[Number, ...]]


def _worst_case_lines(run: StoredRun) -> list[Line]:
    rows = worst_case_rows(run)
    lines: list[Line] = []
    clean = tuple(
        decibel(mean(r.clean_psnr for r in rows if r.source.method == m)) for m in run.methods
    )
    lines.append(("PSNR without any perturbation", clean))
    for domain in dict.fromkeys(row.domain for row in rows):
        top = max((r.radius for r in rows if r.domain == domain and r.radius), default=None)
        at_top = [row for row in rows if row.domain == domain and same(row.radius, top)]
        own = {m: [row for row in at_top if row.source.method == m] for m in run.methods}
        size = f"{percent(top)} perturbation of the {domain}"
        worst = tuple(plain(mean(row.amplification for row in own[m])) for m in run.methods)
        random = tuple(plain(mean(row.random_amplification for row in own[m])) for m in run.methods)
        lines.append((f"Amplification of the worst {size} found (lower bound)", worst))
        lines.append((f"Amplification of a random {size}", random))
    return lines


def _structural_lines(run: StoredRun) -> list[Line]:
    rows = structural_rows(run)
    values = tuple(
        plain(mean(row.contrast_recovery for row in rows if row.source.method == method))
        for method in run.methods
    )
    return [("Contrast recovery of inserted details (1 = kept, 0 = lost)", values)]


def _sampling_lines(run: StoredRun) -> list[Line]:
    rows = sampling_rows(run)
    rates = rates_of(rows)
    trained = next((row.trained_rate for row in rows if row.trained_rate is not None), None)
    if not rates or trained is None or same(rates[-1], trained):
        return []
    gains = []
    for method in run.methods:
        top, base = (mean_quality(rows, method, rate) for rate in (rates[-1], trained))
        gains.append(decibel(None if top is None or base is None else top - base))
    name = f"Gain in PSNR from {percent(trained)} to {percent(rates[-1])} of the samples"
    return [(name, tuple(gains))]


def _neighbourhood_lines(run: StoredRun) -> list[Line]:
    rows = neighbourhood_rows(run)
    shares = tuple(
        percent(mean(ratio(r.n_persisting, r.n_draws) for r in rows if r.source.method == method))
        for method in run.methods
    )
    return [("Noisy draws that keep the artefact of the worst case", shares)]
