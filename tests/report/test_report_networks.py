"""Several networks in one report, and the layout of arrays that such runs have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shaketable.report import build_report
from shaketable.stored import load_run
from tests.helpers.report_page import Page, decode, read_page
from tests.helpers.synthetic_run import SyntheticRun, load, write_run

NETWORKS = ("deep-mri", "auto map <x>", "dagan")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = SyntheticRun(
        others=NETWORKS[1:], layout="per method", size=32, domains=("image",), baselines=("tv", "w")
    )
    return write_run(tmp_path_factory.mktemp("run"), settings)


@pytest.fixture(scope="module")
def page(directory: Path) -> Page:
    return read_page(build_report(directory))


def test_the_page_is_whole_and_shows_every_number_of_every_network(
    page: Page, directory: Path
) -> None:
    results = load(directory)
    shown = {float(value) for value in page.values}
    records = results["records"]
    keys = ("amplification", "relative_error", "contrast_recovery", "leakage", "n_persisting")
    wanted = {float(record[key]) for record in records for key in keys if key in record}
    for verdict in (*results["verdicts"], *results["comparisons"]):
        wanted |= {float(verdict["estimate"]), *map(float, verdict["interval"])}
    assert wanted <= shown
    assert not page.unbalanced
    assert len(set(page.identifiers)) == len(page.identifiers)
    assert "A section that could not be made" not in page.text
    assert page.headings[0] == "deep-mri, auto map <x> and dagan"
    assert "12 verdicts on 3 networks: 6 unstable, 3 stable and 3 inconclusive." in page.text


def test_it_starts_with_networks_against_probes_then_the_comparisons(page: Page) -> None:
    places = [
        page.text.index(words)
        for words in (
            "Every network and every probe: the verdict",
            "Differences on the same images",
            "The verdicts on deep-mri in full",
            "On one page",
        )
    ]
    assert places[:3] == sorted(places[:3])
    assert "✓ Better" in page.text
    assert "✕ Worse" in page.text


def test_the_mean_of_what_each_network_did_to_a_reference_method_is_shown(
    page: Page, directory: Path
) -> None:
    records = [r for r in load(directory)["records"] if r["probe"] == "worst_case"]
    shown = {float(value) for value in page.values}
    for network in NETWORKS:
        given = [
            one["amplification"]
            for r in records
            if r["method"] == "tv" and r["radius"] == records[0]["radius"]
            for one in r["given"]
            if one["network"] == network
        ]
        assert sum(given) / len(given) in shown


def test_the_network_with_the_worst_damage_leads_and_the_others_are_folded(page: Page) -> None:
    # The second network answers most, see GAINS.
    assert page.text.index("What auto map <x> made of it") < page.text.index(
        "Another network: deep-mri"
    )
    assert "Another network: dagan" in page.text
    assert "Another network: auto map <x>" not in page.text.partition("Damage against size")[0]


def test_every_network_has_a_look_of_its_own(directory: Path) -> None:
    source = (directory / "report.html").read_text(encoding="utf-8")
    for name in ("network", "network-2", "network-3", "baseline", "second"):
        assert f"series ink-{name}" in source
        assert f"--{name}:" in source


def test_one_network_in_the_new_layout_has_the_page_of_the_old_one(tmp_path: Path) -> None:
    settings = {"size": 32, "images": ("one",), "baselines": ("tv",)}
    old = read_page(build_report(write_run(tmp_path / "old", SyntheticRun(**settings))))
    new = read_page(
        build_report(write_run(tmp_path / "new", SyntheticRun(layout="per method", **settings)))
    )
    assert new.pictures == old.pictures
    assert set(old.values) == set(new.values)
    assert not (tmp_path / "new/arrays/worst_case-image-one.h5").exists()
    assert (tmp_path / "new/arrays/worst_case-image-one@tv@deep-mri.h5").exists()
    assert old.headings == new.headings


def test_arrays_are_found_in_both_layouts(tmp_path: Path, directory: Path) -> None:
    old = load_run(write_run(tmp_path, SyntheticRun(size=32, baselines=("tv",), images=("one",))))
    item = "worst_case-image-one"
    assert old.place(item) == f"arrays/{item}.h5"
    assert old.array(item, "methods/tv/given_network") is not None
    assert "methods/deep-mri/clean" in old.names(item)

    run = load_run(directory)
    item = "worst_case-image-brain-00"
    assert run.networks == NETWORKS
    assert run.network == "deep-mri"
    assert run.methods == (*NETWORKS, "tv", "w")
    assert run.place(item) == f"arrays/{item}@*.h5"
    assert {f"methods/{name}/clean" for name in run.methods} <= set(run.names(item))
    for shared in ("image", "radii"):
        assert run.array(item, shared) is not None
    given = [run.array(item, "methods/tv/given_network", name) for name in NETWORKS]
    assert all(array is not None for array in given)
    assert not np.array_equal(given[0], given[1])
    assert np.array_equal(run.array(item, "methods/tv/given_network"), given[0])
    assert run.array(item, "methods/nobody/clean") is None
    assert run.unreadable == {}


def test_the_file_of_one_method_that_is_missing_is_named(tmp_path: Path) -> None:
    settings = SyntheticRun(size=32, baselines=("tv",), images=("one",), layout="per method")
    directory = write_run(tmp_path, settings)
    (directory / "arrays" / "worst_case-image-one@tv.h5").unlink()
    page = read_page(build_report(directory))
    assert "arrays/worst_case-image-one@tv.h5: the file is missing" in page.text
    assert len(page.pictures) > 20


def test_what_the_reference_method_made_of_the_worst_network_is_drawn(
    page: Page, directory: Path
) -> None:
    run = load_run(directory)
    drawn = {uri for uri, alt in page.pictures if "reference method tv under auto map <x>’s" in alt}
    scaled = []
    for image in ("brain-00", "brain-01"):
        item = f"worst_case-image-{image}"
        x = np.abs(run.array(item, "image"))
        stack = run.array(item, "methods/tv/given_network", "auto map <x>")
        scaled += [np.rint(255 * np.clip(np.abs(one) / x.max(), 0, 1)) for one in stack]
    assert len(drawn) == 6
    for uri in drawn:
        assert any(np.array_equal(decode(uri), one) for one in scaled)
