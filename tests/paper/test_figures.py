from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from shaketable.cli import main
from shaketable.errors import InputError, RunError
from shaketable.metrics import psnr
from shaketable.paper import find_figure, load_figure, write_claims, write_figure
from shaketable.paper.claims import Claim, above, below
from shaketable.paper.sheet import strongest_place
from shaketable.report.stored import load_run
from shaketable.statistics import Interval, mean_interval, share_interval
from tests.helpers.synthetic_run import RADII, load, save, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run"))


def quality(reconstruction: np.ndarray, image: np.ndarray) -> float:
    return float(psnr(torch.from_numpy(reconstruction)[None], torch.from_numpy(image)[None])[0])


@pytest.mark.parametrize("number", [1, 2])
def test_a_figure_is_two_pictures_and_the_numbers_behind_them(run: Path, tmp_path: Path, number):
    drawn, files = write_figure(find_figure(number), run, tmp_path / "out")
    assert [file.suffix for file in files] == [".png", ".pdf", ".json"]
    with Image.open(files[0]) as picture:
        assert min(picture.size) > 400
    assert files[1].read_bytes().startswith(b"%PDF")
    numbers = json.loads(files[2].read_text())
    stored = load(run)["records"]
    probe = {1: "worst_case", 2: "neighbourhood"}[number]
    shown = [r for r in stored if r["probe"] == probe and r.get("domain") != "data"]
    assert numbers["records"] == shown
    assert numbers["claims"] == [claim.plain() for claim in drawn.claims]
    again, _ = write_figure(find_figure(number), run, tmp_path / "again")
    assert again.claims == drawn.claims
    assert (tmp_path / "again" / files[0].name).read_bytes() == files[0].read_bytes()
    assert not list((tmp_path / "out").glob("*.part"))


def test_what_figure_1_claims_is_what_the_arrays_say(run: Path, tmp_path: Path):
    drawn, _ = write_figure(find_figure(1), run, tmp_path)
    stored = load_run(run)
    rows = [r for r in stored.records("worst_case") if r["radius"] == RADII[-1]]
    mine = [r for r in rows if r["role"] == "network" and r["domain"] == "image"]
    lost = [r["clean_psnr"] - r["perturbed_psnr"] for r in mine]
    assert drawn.claims[0].measured == mean_interval(lost)
    assert drawn.claims[0].outcome == above(mean_interval(lost), 10, 3)
    stable = stored.baselines[0]
    by_hand = []
    for record in mine:
        image = stored.picture_array(record["item"], "image")
        clean = stored.picture_array(record["item"], f"methods/{stable}/clean")
        given = stored.array(record["item"], f"methods/{stable}/given_network")[-1]
        by_hand.append(quality(clean, image) - quality(given, image))
    assert drawn.claims[1].measured.estimate == pytest.approx(np.mean(by_hand))


def test_the_sizes_of_figure_1_are_where_the_losses_begin(tmp_path: Path):
    directory = write_run(tmp_path / "run")
    results = load(directory)
    lost = dict(zip(RADII, (0.4, 2.0, 11.0), strict=True))
    for record in results["records"]:
        if record["probe"] == "worst_case" and record["role"] == "network":
            record["perturbed_psnr"] = record["clean_psnr"] - lost[record["radius"]]
    save(directory, results)
    drawn, _ = write_figure(find_figure(1), directory, tmp_path)
    network = load_run(directory).network
    one, three, ten = (drawn.numbers["drops"][network][f"{d} dB"][0] for d in (1, 3, 10))
    assert (one["above"], one["at"]) == RADII[:2]
    assert (three["above"], three["at"]) == RADII[1:]
    assert (ten["above"], ten["at"]) == RADII[1:]
    assert drawn.numbers["shown"]["r"] == list(RADII)  # three different ones, the last for 10 dB


def test_what_figure_2_claims_is_what_was_counted(run: Path, tmp_path: Path):
    drawn, _ = write_figure(find_figure(2), run, tmp_path)
    (claim,) = drawn.claims
    mine = [r for r in load(run)["records"] if r["probe"] == "neighbourhood"]
    mine = [r for r in mine if r["role"] == "network"]
    kept = sum(r["n_persisting"] for r in mine)
    assert claim.measured == share_interval(kept, sum(r["n_draws"] for r in mine))
    assert claim.outcome == "holds"


@pytest.mark.parametrize("number", [1, 2])
def test_a_run_without_what_the_figure_shows_is_refused(tmp_path: Path, number):
    directory = write_run(tmp_path / "run")
    for file in (directory / "arrays").iterdir():
        file.unlink()
    with pytest.raises(RunError, match=r"got (none|some without)"):
        write_figure(find_figure(number), directory, tmp_path / "out")
    results = load(directory)
    save(directory, results | {"records": []})
    with pytest.raises(RunError, match="got none"):
        write_figure(find_figure(number), directory, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@given(arrays(np.float64, (9, 13), elements=st.integers(-3, 3).map(float)))
@settings(max_examples=50, deadline=None)
def test_the_strongest_place_is_the_one_found_by_trying_all(change):
    box = strongest_place(change, share=1 / 3)
    assert box.side == 3
    energy = {
        (i, j): float((change[i : i + 3, j : j + 3] ** 2).sum())
        for i in range(7)
        for j in range(11)
    }
    assert energy[box.row, box.column] == max(energy.values())


def interval(low: float, high: float) -> Interval:
    return Interval(estimate=(low + high) / 2, low=low, high=high, n=5)


def test_a_claim_holds_only_where_the_whole_interval_does():
    assert above(interval(10.1, 12), 10, 3) == "holds"
    assert above(interval(9.9, 30), 10, 3) == "in part"
    assert above(interval(-40, 30), 10, 3) == "does not hold"
    assert below(interval(-1, 0.9), 1, 3) == "holds"
    assert below(interval(-1, 1.1), 1, 3) == "in part"
    assert below(interval(-1, float("inf")), 1, 3) == "does not hold"


def test_the_table_of_claims_says_everything_and_nothing_is_markup(tmp_path: Path):
    one = Claim(
        figure=1, network="net <1>", says="x < y", quantity="PSNR lost", unit="dB",
        measured=interval(10.1, 12), units="images", rule="holds above 10 dB", outcome="holds",
    )  # fmt: skip
    single = Claim(
        figure=2, network="other", says="z", quantity="share", unit="of 1", units="draws",
        measured=Interval(estimate=1, low=-np.inf, high=np.inf, n=1), rule="r", outcome="in part",
    )  # fmt: skip
    html, text = write_claims([one, single], tmp_path)
    page, table = html.read_text(), text.read_text()
    assert "net &lt;1&gt;" in page
    assert "x &lt; y" in page
    for part in ("PSNR lost: 11.1 dB", "10.1 to 12", "5 images", "holds", "unbounded"):
        assert part in page
        assert part in table
    assert single.plain()["interval"] is None


def test_own_images_take_the_networks_size_and_weights_their_place(tmp_path: Path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "images.npy", 7 * rng.random((2, 40, 40)).astype(np.float32))
    loaded = load_figure(find_figure(1), images=tmp_path / "images.npy")
    assert loaded.images.shape == (2, 128, 128)
    assert float(loaded.images.abs().amax()) == pytest.approx(1)
    with pytest.raises(InputError, match="Expected"):
        load_figure(find_figure(1), weights=tmp_path / "nothing.npz")


def test_what_cannot_be_drawn_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["paper", "1", "--out", str(tmp_path / "out")]) == 2
    assert "pip install 'shaketable[figures]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_command_refuses_a_figure_that_cannot_be_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["paper", "9", "--out", str(tmp_path / "out")]) == 2
    assert "Expected 1, 2 or all, got '9'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="Expected a figure among 1, 2, got 9"):
        find_figure(9)


def test_all_figures_end_with_the_table_of_claims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("shaketable.cli.paper.execute", lambda loaded, out: write_run(out))
    assert main(["paper", "all", "--out", str(tmp_path / "p")]) == 0
    said = capsys.readouterr().out
    for name in ("figure-1/figure-1.png", "figure-2/figure-2.json", "claims.html", "claims.md"):
        assert (tmp_path / "p" / name).is_file()
    assert "claims.html" in said
