"""What the reader brings, what is missing, and the command around the figures."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from shaketable.cli import main
from shaketable.errors import InputError
from shaketable.paper import (
    Own,
    figure_numbers,
    find_figure,
    load_part,
    part_plan,
    read_own,
    without_weights,
)
from shaketable.plan.templates import figure_plan
from shaketable.zoo import names
from tests.helpers.synthetic_run import RADII, SyntheticRun, write_run

FOUR = (*RADII, 0.05)
FIGURES = [find_figure(number) for number in figure_numbers()]


def test_every_network_of_a_figure_has_its_plan():
    for figure in FIGURES:
        for network in figure.networks:
            assert figure_plan(f"{figure.name}-{network}")["network"] == {"zoo": network}
            assert network in names()


def test_own_images_take_the_networks_size_and_weights_their_place(tmp_path: Path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "images.npy", 7 * rng.random((2, 40, 40)).astype(np.float32))
    figure = find_figure(1)
    own = read_own([str(tmp_path / "images.npy")], [], [figure])
    loaded = load_part(figure, "deep-mri", own)
    assert loaded.images.shape == (2, 128, 128)
    assert float(loaded.images.abs().amax()) == pytest.approx(1)
    missing = read_own([], [str(tmp_path / "nothing.npz")], [figure])
    with pytest.raises(InputError, match="Expected"):
        load_part(figure, "deep-mri", missing)


@pytest.mark.parametrize(("lowest", "scale"), [(-1000.0, "hounsfield"), (0.0, "max")])
def test_images_of_computed_tomography_may_be_hounsfield_units(tmp_path: Path, lowest, scale):
    images = np.full((1, 32, 32), 100.0, dtype=np.float32)
    images[:, 0] = lowest
    np.save(tmp_path / "images.npy", images)
    own = read_own([f"med-50={tmp_path / 'images.npy'}"], [], [find_figure(4)])
    plan = part_plan(find_figure(4), "med-50", own)
    assert plan["images"]["scale"] == scale
    assert plan["images"]["real"] is True
    assert plan["images"]["shape"] == [256, 256]
    assert part_plan(find_figure(4), "mri-vn", own)["images"] == {"zoo": "test", "count": 3}


def test_what_is_brought_is_for_one_network_or_for_all():
    figures = [find_figure(4), find_figure(5)]
    own = read_own(["brains", "mri-vn=knees"], ["dagan=d.npz", "med-50=m.mat"], figures)
    assert own.images["ell-50"] == Path("brains")
    assert own.images["mri-vn"] == Path("knees")
    assert own.weights == {"dagan": Path("d.npz"), "med-50": Path("m.mat")}
    one = read_own([], ["d5_c5.npz"], [find_figure(1), find_figure(2)])
    assert one.weights == {"deep-mri": Path("d5_c5.npz")}
    assert read_own(["a=b/c.npy"], [], [find_figure(1)]).images == {"deep-mri": Path("a=b/c.npy")}


def test_what_is_brought_for_the_wrong_network_is_refused():
    with pytest.raises(InputError, match=r"several networks are shown.*mri-vn=w\.npz"):
        read_own([], ["w.npz"], [find_figure(4)])
    with pytest.raises(
        InputError, match=r"Expected a network that is shown \(deep-mri\), got 'dagan'"
    ):
        read_own([], ["dagan=w.npz"], [find_figure(1)])


def test_networks_without_weights_are_named_unless_they_are_brought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(
        "shaketable.zoo.registry.shipped_weights", lambda name: tmp_path / f"{name}.safetensors"
    )
    (tmp_path / "mri-vn.safetensors").touch()
    assert without_weights(find_figure(4), Own()) == ("med-50",)
    assert without_weights(find_figure(4), Own(weights={"med-50": Path("m.mat")})) == ()


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
    assert "Expected 1, 2, 3, 4, 5 or all, got '9'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


class Pretended:
    """In place of plans and runs: directories as the runs would have left them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, shipped: set[str]) -> None:
        monkeypatch.setattr(
            "shaketable.zoo.registry.shipped_weights",
            lambda name: Path(__file__) if name in shipped else folder / "absent",
        )
        monkeypatch.setattr("shaketable.paper.load_part", lambda figure, network, own: network)
        monkeypatch.setattr(
            "shaketable.cli.paper.execute",
            lambda network, out: write_run(out, SyntheticRun(network=network, radii=FOUR)),
        )


def test_all_figures_end_with_the_table_of_claims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    Pretended(monkeypatch, tmp_path, set(names()) - {"automap", "dagan"})
    assert main(["paper", "all", "--out", str(tmp_path / "p")]) == 0
    said = capsys.readouterr().out
    for name in (
        "figure-1/figure-1.png", "figure-2/figure-2.json", "figure-4/figure-4.pdf",
        "figure-5/figure-5.png", "figure-5/runs/ell-50/results.json", "claims.html", "claims.md",
    ):  # fmt: skip
        assert (tmp_path / "p" / name).is_file()
    assert "claims.html" in said
    assert "Left out of figure 3: automap, of which the package has no weights." in said
    assert "Left out of figure 5: dagan" in said
    assert not (tmp_path / "p" / "figure-3").exists()
    table = (tmp_path / "p" / "claims.md").read_text()
    assert "deep-mri" in table
    assert "dagan" not in table


def test_a_figure_of_which_no_network_has_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    Pretended(monkeypatch, tmp_path, {"deep-mri"})
    assert main(["paper", "3", "--out", str(tmp_path / "p")]) == 2
    said = capsys.readouterr().err
    assert "Expected weights of automap for figure 3, got none in the package" in said
    assert not (tmp_path / "p").exists()
