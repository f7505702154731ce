"""Figures from stored runs: files, numbers, layout, and claims against arrays and records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shaketable.errors import InputError, RunError
from shaketable.paper import Drawn, figure_numbers, find_figure, write_figure
from shaketable.paper.claims import above, below
from shaketable.paper.drawing import drawn
from shaketable.paper.steps import choose
from shaketable.statistics import mean_interval, share_interval
from shaketable.stored import StoredRun, load_run
from tests.helpers.synthetic_run import (
    DETAILS,
    RADII,
    RATES,
    TRAINED_RATE,
    SyntheticRun,
    load,
    save,
    write_run,
)

NUMBERS = figure_numbers()
FOUR = (*RADII, 0.05)
PROBES = {
    1: ("worst_case",), 2: ("neighbourhood",), 3: ("worst_case",), 4: ("worst_case",),
    5: ("structural", "sampling"),
}  # fmt: skip
Runs = dict[str, Path]


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """A run with all probes for every network of every figure."""
    folder = tmp_path_factory.mktemp("runs")
    names = dict.fromkeys(name for number in NUMBERS for name in find_figure(number).networks)
    return {name: write_run(folder / name, settings(name)) for name in names}


def settings(name: str) -> SyntheticRun:
    return SyntheticRun(network=name, radii=FOUR if name == "automap" else RADII)


def of_figure(number: int, every: Runs) -> Runs:
    return {name: every[name] for name in find_figure(number).networks}


def draw(number: int, runs: Mapping[str, Path]) -> Drawn:
    return find_figure(number).draw({name: load_run(path) for name, path in runs.items()})


@pytest.mark.parametrize("number", NUMBERS)
def test_a_figure_is_two_pictures_and_the_numbers_behind_them(every: Runs, tmp_path: Path, number):
    runs = of_figure(number, every)
    drawn, files = write_figure(find_figure(number), runs, tmp_path / "out")
    assert [file.suffix for file in files] == [".png", ".pdf", ".json"]
    with Image.open(files[0]) as picture:
        assert min(picture.size) > 400
    assert files[1].read_bytes().startswith(b"%PDF")
    numbers = json.loads(files[2].read_text())
    assert list(numbers["runs"]) == list(runs)
    for name, path in runs.items():
        assert numbers["runs"][name]["results_sha256"] == load_run(path).fingerprint
    assert numbers["claims"] == [claim.plain() for claim in drawn.claims]
    again, files_again = write_figure(find_figure(number), runs, tmp_path / "again")
    assert again.claims == drawn.claims
    for file, same in zip(files, files_again, strict=True):
        assert file.read_bytes() == same.read_bytes()
    assert not list((tmp_path / "out").glob("*.part"))


@pytest.mark.parametrize("number", NUMBERS)
def test_every_record_that_a_figure_shows_is_in_its_numbers(every: Runs, number):
    drawn = draw(number, of_figure(number, every))
    found = json.loads(json.dumps(drawn.numbers))
    for name, path in of_figure(number, every).items():
        domain = "data" if number == 3 else "image"
        shown = [
            r for r in load(path)["records"]
            if r["probe"] in PROBES[number] and r.get("domain", domain) == domain
        ]  # fmt: skip
        several = found["networks"][name] if number == 4 else found
        stored = several["records"]
        assert (stored[name] if number == 5 else stored) == shown
        assert shown


@pytest.mark.parametrize("number", NUMBERS)
def test_scales_are_printed_and_shared_by_the_pictures_of_a_row(every: Runs, number):
    sheet = draw(number, of_figure(number, every)).sheet
    notes = " ".join(sheet.notes)
    assert all(len(row.tiles) == len(sheet.columns) for row in sheet.rows)
    for row in sheet.rows:
        assert row.scale.sentence in notes
    images = {path: load_run(path) for path in of_figure(number, every).values()}
    peaks = [
        np.abs(run.picture_array(run.records()[0]["item"], "image")).max()
        for run in images.values()
    ]
    assert {round(row.scale.high, 5) for row in sheet.rows} <= {round(float(p), 5) for p in peaks}


@pytest.mark.parametrize("number", NUMBERS)
def test_nothing_that_is_written_leaves_the_sheet(every: Runs, number):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = drawn(draw(number, of_figure(number, every)).sheet)
    renderer = FigureCanvasAgg(canvas).get_renderer()
    canvas.draw(renderer)
    notes = [text for text in canvas.texts if text.get_text()]
    assert len(notes) > 2
    for text in notes:
        extent = text.get_window_extent(renderer)
        assert 0 <= extent.x0 < extent.x1 <= canvas.bbox.x1
        assert 0 <= extent.y0 < extent.y1 <= canvas.bbox.y1


@pytest.mark.parametrize(
    ("number", "n_rows", "n_columns", "n_charts"),
    [(1, 5, 4, 0), (2, 2, 3, 0), (3, 5, 5, 0), (4, 4, 7, 0), (5, 4, 8, 5)],
)
def test_figures_have_the_papers_layout(every: Runs, number, n_rows, n_columns, n_charts):
    sheet = draw(number, of_figure(number, every)).sheet
    assert (len(sheet.rows), len(sheet.columns), len(sheet.charts)) == (n_rows, n_columns, n_charts)


def test_figure_3_shows_four_sizes_in_the_data(every: Runs):
    drawn = draw(3, of_figure(3, every))
    assert drawn.sheet.columns == ("no perturbation", "e₁", "e₂", "e₃", "e₄")
    assert "|x + A*e|" in drawn.sheet.rows[0].label
    assert drawn.numbers["shown"]["e"] == list(FOUR)


def test_what_figure_1_claims_is_what_the_arrays_say(every: Runs):
    drawn = draw(1, of_figure(1, every))
    stored = load_run(every["deep-mri"])
    rows = [r for r in stored.records("worst_case") if r["radius"] == RADII[-1]]
    mine = [r for r in rows if r["role"] == "network" and r["domain"] == "image"]
    lost = [r["clean_psnr"] - r["perturbed_psnr"] for r in mine]
    assert drawn.claims[0].measured == mean_interval(lost)
    assert drawn.claims[0].outcome == above(mean_interval(lost), 10, 3)
    by_hand = [_amplified(stored, record) for record in mine]
    assert drawn.claims[1].measured.estimate == pytest.approx(np.mean(by_hand), rel=1e-4)
    assert drawn.claims[1].outcome == below(drawn.claims[1].measured, 1.5, 3)


def _amplified(stored: StoredRun, record: Mapping[str, str]) -> float:
    """The change of the reference method, relative to the network's perturbation."""
    stable, item = stored.baselines[0], record["item"]
    clean = stored.picture_array(item, f"methods/{stable}/clean")
    given = stored.array(item, f"methods/{stable}/given_network")[-1]
    added = stored.array(item, f"methods/{stored.network}/perturbation")[-1]
    return float(np.linalg.norm(given - clean) / np.linalg.norm(added))


def test_the_sizes_of_figure_1_are_where_the_losses_begin(tmp_path: Path):
    directory = write_run(tmp_path / "run", SyntheticRun(network="deep-mri"))
    results = load(directory)
    lost = dict(zip(RADII, (0.4, 2.0, 11.0), strict=True))
    for record in results["records"]:
        if record["probe"] == "worst_case" and record["role"] == "network":
            record["perturbed_psnr"] = record["clean_psnr"] - lost[record["radius"]]
    save(directory, results)
    drawn = draw(1, {"deep-mri": directory})
    one, three, ten = (drawn.numbers["drops"]["deep-mri"][f"{d} dB"][0] for d in (1, 3, 10))
    assert (one["above"], one["at"]) == RADII[:2]
    assert (three["above"], three["at"]) == RADII[1:]
    assert (ten["above"], ten["at"]) == RADII[1:]
    assert drawn.numbers["shown"]["r"] == list(RADII)  # three different ones, the last for 10 dB
    assert drawn.numbers["sizes_tried"] == list(RADII)


@pytest.mark.parametrize(
    ("drops", "wanted", "chosen"),
    [
        ((0.0, 0.0, 0.0, 0.0), (1, 3, 10), (1, 2, 3)),
        ((11.0, 12.0, 13.0, 14.0), (1, 3, 10), (0, 1, 2)),
        ((float("nan"), 4.0, 4.0, 12.0), (1, 3, 10), (1, 2, 3)),
        ((0.5, 1.0), (1, 10), (0, 1)),
    ],
)
def test_columns_show_different_sizes_whatever_was_found(drops, wanted, chosen):
    assert choose(drops, wanted) == chosen


def test_what_figure_2_claims_is_what_was_counted(every: Runs):
    (claim,) = draw(2, of_figure(2, every)).claims
    mine = [r for r in load(every["deep-mri"])["records"] if r["probe"] == "neighbourhood"]
    mine = [r for r in mine if r["role"] == "network"]
    kept = sum(r["n_persisting"] for r in mine)
    assert claim.measured == share_interval(kept, sum(r["n_draws"] for r in mine))
    assert claim.outcome == "holds"


def test_figure_3_measures_whether_the_image_disappears(every: Runs):
    stored = load_run(every["automap"])
    last = [
        r for r in stored.records("worst_case")
        if (r["domain"], r["role"], r["radius"]) == ("data", "network", FOUR[-1])
    ]  # fmt: skip
    by_hand = []
    for record in last:
        image = np.abs(stored.picture_array(record["item"], "image")).ravel()
        output = stored.array(record["item"], "methods/automap/perturbed")[-1]
        by_hand.append(np.corrcoef(image, np.abs(output).ravel())[0, 1])
    claim = draw(3, of_figure(3, every)).claims[-1]
    assert claim.measured.estimate == pytest.approx(np.mean(by_hand), rel=1e-5)


def test_figure_4_enlarges_where_the_network_changes_most(every: Runs):
    sheet = draw(4, of_figure(4, every)).sheet
    for whole, enlarged in zip(sheet.rows[::2], sheet.rows[1::2], strict=True):
        (box,) = {tile.box for tile in whole.tiles}
        clean, perturbed = whole.tiles[3].array, whole.tiles[4].array
        change = np.abs(perturbed - clean) ** 2
        inside = box.cut(change).sum()
        assert inside / change.sum() > (box.side / len(change)) ** 2
        for tile, part in zip(whole.tiles, enlarged.tiles, strict=True):
            assert np.array_equal(box.cut(tile.array), part.array)


def test_figure_5_recoveries_are_means_over_details_then_images(every: Runs):
    claims = [c for c in draw(5, of_figure(5, every)).claims if "contrast" in c.quantity]
    assert [c.network for c in claims[::2]] == ["ell-50", "dagan", "mri-vn", "deep-mri"]
    records = [r for r in load(every["dagan"])["records"] if r["probe"] == "structural"]
    for role, claim in zip(("network", "baseline"), claims[2:4], strict=True):
        method = next(r["method"] for r in records if r["role"] == role)
        mine = [r for r in records if r["method"] == method]
        images = dict.fromkeys(r["image"] for r in mine)
        means = [np.mean([r["contrast_recovery"] for r in mine if r["image"] == i]) for i in images]
        assert claim.measured == mean_interval([float(m) for m in means])


def test_figure_5_takes_the_worst_rate_of_a_fall_and_widens_its_interval(every: Runs):
    claim = next(c for c in draw(5, of_figure(5, every)).claims if c.network == "med-50")
    records = [r for r in load(every["med-50"])["records"] if r["probe"] == "sampling"]
    level = {(r["image"], r["rate"]): r["psnr"] for r in records if r["role"] == "network"}
    images = dict.fromkeys(image for image, _ in level)
    higher = [rate for rate in RATES if rate > TRAINED_RATE]
    changes = {r: [level[i, r] - level[i, TRAINED_RATE] for i in images] for r in higher}
    worst = min(higher, key=lambda rate: np.mean(changes[rate]))
    assert claim.measured == mean_interval(changes[worst], confidence=1 - 0.05 / len(higher))
    chart = draw(5, of_figure(5, every)).sheet.charts[-1]
    assert chart.curves[0].x == tuple(100 * rate for rate in RATES)
    assert chart.mark == 100 * TRAINED_RATE
    at_trained = chart.curves[0].y[RATES.index(TRAINED_RATE)]
    assert at_trained == pytest.approx(np.mean([level[i, TRAINED_RATE] for i in images]))


def test_figure_5_shows_the_place_of_every_detail(every: Runs):
    sheet = draw(5, of_figure(5, every)).sheet
    stored = load_run(every["ell-50"])
    item = stored.records("structural")[0]["item"]
    for index in range(len(DETAILS)):
        whole, enlarged = sheet.rows[0].tiles[4 * index : 4 * index + 2]
        detail = stored.array(item, "detail")[index]
        assert np.abs(whole.box.cut(detail)).sum() == pytest.approx(np.abs(detail).sum())
        assert np.array_equal(whole.box.cut(whole.array), enlarged.array)


def test_a_network_without_a_run_is_left_out(every: Runs):
    runs = of_figure(5, every)
    del runs["dagan"]
    drawn = draw(5, runs)
    assert len(drawn.sheet.rows) == 3
    assert [chart.title for chart in drawn.sheet.charts] == list(runs)
    assert "dagan" not in {claim.network for claim in drawn.claims}


@pytest.mark.parametrize("number", NUMBERS)
def test_a_run_without_what_the_figure_shows_is_refused(tmp_path: Path, number):
    name = find_figure(number).networks[0]
    directory = write_run(tmp_path / "run", settings(name))
    for file in (directory / "arrays").iterdir():
        file.unlink()
    with pytest.raises(RunError, match="got none"):
        write_figure(find_figure(number), {name: directory}, tmp_path / "out")
    results = load(directory)
    save(directory, results | {"records": []})
    with pytest.raises(RunError, match="got none"):
        write_figure(find_figure(number), {name: directory}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_figures_have_numbers():
    assert NUMBERS == (1, 2, 3, 4, 5)
    with pytest.raises(InputError, match="Expected a figure among 1, 2, 3, 4, 5, got 9"):
        find_figure(9)
