"""The whole page, from a synthetic run directory."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shaketable.errors import RunError
from shaketable.report import build_report
from tests.helpers.report_page import Page, decode, read_page
from tests.helpers.synthetic_run import DETAILS, RADII, TRIALS, SyntheticRun, load, save, write_run

HEADINGS = [
    "deep-mri",
    "Verdicts",
    "On one page",
    "Worst case",
    "Damage against size",
    "Structural",
    "Sampling",
    "Neighbourhood",
    "Checks and warnings",
    "What this does not show",
    "How to replay",
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def page(directory: Path) -> Page:
    return read_page(build_report(directory))


def test_the_sections_stand_in_order(page: Page) -> None:
    assert page.headings == HEADINGS
    assert not page.unbalanced


def test_identical_results_give_identical_bytes(directory: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "copy"
    shutil.copytree(directory, copy)
    first = build_report(directory, tmp_path / "a.html").read_bytes()
    assert build_report(directory, tmp_path / "b.html").read_bytes() == first
    assert build_report(copy).read_bytes() == first
    assert str(directory).encode() not in first


def test_nothing_outside_is_named_and_every_link_has_a_target(page: Page, directory: Path) -> None:
    source = (directory / "report.html").read_text(encoding="utf-8")
    assert page.outside == []
    assert not re.search(r"https?://|url\(|@import|\bfetch\(|XMLHttpRequest", source)
    assert set(page.targets) <= set(page.identifiers)
    assert len(set(page.identifiers)) == len(page.identifiers)


def test_the_script_is_the_one_that_the_page_allows(directory: Path) -> None:
    source = (directory / "report.html").read_text(encoding="utf-8")
    script = source.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in source
    assert "default-src 'none'" in source


def test_every_number_of_the_records_is_in_the_page_exactly(page: Page, directory: Path) -> None:
    keys = (
        *("radius", "perturbation_norm", "error", "amplification", "relative_error"),
        *("random_amplification", "clean_psnr", "perturbed_psnr", "given_network_amplification"),
        *("contrast_recovery", "correlation", "leakage", "contrast", "rate"),
        *("n_draws", "n_persisting", "noise_ratio"),
    )
    results = load(directory)
    shown = {float(value) for value in page.values}
    records = results["records"]
    wanted = {float(r[key]) for r in records for key in keys if r.get(key) is not None}
    ends = [r["interval"] for r in records if "interval" in r]
    ends += [verdict["interval"] for verdict in results["verdicts"]]
    wanted |= {float(end) for pair in ends for end in pair}
    wanted |= {float(verdict["estimate"]) for verdict in results["verdicts"]}
    wanted |= {float(c[key]) for c in results["checks"] for key in ("value", "limit") if c["value"]}
    assert len(wanted) > 100
    assert wanted <= shown


def test_means_in_the_page_are_means_of_the_records(page: Page, directory: Path) -> None:
    shown = {float(value) for value in page.values}
    records = load(directory)["records"]
    for method in ("deep-mri", "total-variation"):
        own = [r for r in records if r["method"] == method]
        rates = [r["psnr"] for r in own if r["probe"] == "sampling" and r["rate"] == 0.6]
        worst = [
            r["amplification"]
            for r in own
            if r["probe"] == "worst_case" and r["domain"] == "image" and r["radius"] == RADII[-1]
        ]
        for values in (rates, worst):
            assert math.fsum(values) / len(values) in shown


def test_the_summary_names_the_worst_record(page: Page, directory: Path) -> None:
    found = [
        r
        for r in load(directory)["records"]
        if r["probe"] == "worst_case" and r["role"] == "network" and r["domain"] == "image"
    ]
    worst = max(found, key=lambda r: r["relative_error"])
    sentence = next(t for t in page.texts if t.startswith("A perturbation of the image"))
    assert worst["image"] in sentence
    assert f"{worst['amplification']:.3g} times" in sentence
    assert "lower bound" in sentence


def test_verdicts_are_words_and_not_only_colours(page: Page, directory: Path) -> None:
    for verdict in load(directory)["verdicts"]:
        assert verdict["verdict"].capitalize() in page.text
        assert verdict["statement"] in page.text
        assert verdict["measure"] in page.text


def test_pictures_have_words_and_share_the_grey_scale_of_the_tested_image(
    page: Page, directory: Path
) -> None:
    import h5py

    assert len(page.pictures) > 60
    assert all(len(alt) > 4 for _, alt in page.pictures)
    with h5py.File(directory / "arrays" / "worst_case-image-brain-01.h5") as store:
        image = store["image"][()]
        after = store["methods/deep-mri/perturbed"][2]
    expected = np.rint(255 * np.clip(np.abs(after) / np.abs(image).max(), 0, 1))
    uri = next(
        uri
        for uri, alt in page.pictures
        if alt.startswith("Reconstruction by the network deep-mri")
    )
    assert np.array_equal(decode(uri), expected)


def test_scales_and_magnifications_are_printed(page: Page) -> None:
    assert "Grey scale: 0 (black) to" in page.text
    assert re.search(r"Perturbations are magnified \d+ times", page.text)
    assert "Difference maps: 0 (black) to" in page.text


def test_the_worst_image_of_each_domain_is_open_and_the_others_are_folded(directory: Path) -> None:
    records = [r for r in load(directory)["records"] if r["probe"] == "worst_case"]
    source = (directory / "report.html").read_text(encoding="utf-8")
    for domain in ("image", "data"):
        damage = {
            r["relative_error"]: r["item"]
            for r in records
            if r["role"] == "network" and r["domain"] == domain
        }
        worst = damage[max(damage)]
        assert f'<section class="panel" id="panel-{worst}">' in source
        for item in set(damage.values()) - {worst}:
            assert f'<details class="fold panel" id="panel-{item}">' in source


def test_tables_and_the_language_are_marked_for_screen_readers(directory: Path) -> None:
    source = (directory / "report.html").read_text(encoding="utf-8")
    assert '<html lang="en">' in source
    assert re.findall(r"<th\b(?![^>]*\bscope=)[^>]*>", source) == []
    assert source.count("<table>") == source.count("<caption>") > 8


def test_failing_checks_stand_first_and_warnings_are_shown(page: Page) -> None:
    places = [page.text.index(sign) for sign in ("✕ not passed", "– not made", "✓ passed")]
    assert places == sorted(places)
    assert "Of 4 checks, 1 did not pass and 1 could not be made; they stand first." in page.text
    assert "The clean quality was measured on two images only." in page.text


def test_what_the_searches_were_tested_on_stands_there_with_its_cost(page: Page) -> None:
    for trial in TRIALS:
        assert trial["sentence"] in page.text
        assert {repr(trial["share"]), repr(float(trial["n_gradients"]))} <= set(page.values)
    assert "What the searches can find" in page.text
    assert "it missed “rank one” (One direction stands out.) and “behind a dead zone”" in page.text
    assert "“saturated” (" not in page.text


def test_runs_without_trials_have_no_table_of_them(tmp_path: Path) -> None:
    directory = write_run(tmp_path, SyntheticRun(size=32, images=("one",), domains=("image",)))
    results = load(directory)
    for check in results["checks"]:
        check.pop("trials", None)
    save(directory, results)
    page = read_page(build_report(directory))
    assert "What the searches can find" not in page.text
    assert "What the search did not find" not in page.text


def test_the_replay_section_has_hashes_versions_and_commands(page: Page, directory: Path) -> None:
    results = load(directory)
    digest = hashlib.sha256((directory / "results.json").read_bytes()).hexdigest()
    for expected in (
        digest,
        results["problem"]["images"][0]["sha256"],
        next(r["replay_sha256"] for r in results["records"]),
        "shaketable show DIR",
        "probes.worst_case.2.search.n_gradients",
        results["problem"]["weights_sha256"],
        results["environment"]["torch"],
    ):
        assert expected in page.text


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("worst_case", "Not run: this run holds no search for worst cases."),
        ("structural", "Not run: no details were inserted in this run."),
        ("sampling", "Not run: the sampling rate was not varied in this run."),
        ("neighbourhood", "Not run: no noise was added to worst cases in this run."),
    ],
)
def test_a_probe_that_was_not_run_is_said_to_be_missing(
    tmp_path: Path, missing: str, sentence: str
) -> None:
    probes = tuple(p for p in SyntheticRun().probes if p != missing)
    settings = SyntheticRun(probes=probes, images=("one",), domains=("image",), size=32)
    page = read_page(build_report(write_run(tmp_path, settings)))
    assert sentence in page.text
    assert "This probe was not part of the run" in page.text
    assert "Nothing is known from this run about" in page.text
    parts = [h for h in HEADINGS if missing != "worst_case" or h != "Damage against size"]
    assert page.headings == parts


def test_without_worst_cases_the_summary_shows_the_worst_detail(tmp_path: Path) -> None:
    settings = SyntheticRun(probes=("structural",), images=("one",), size=32)
    directory = write_run(tmp_path, settings)
    page = read_page(build_report(directory))
    found = [r for r in load(directory)["records"] if r["role"] == "network"]
    worst = min(found, key=lambda r: r["contrast_recovery"])["detail"]
    assert f"The detail {worst}, inserted into the image “one”, kept" in page.text
    assert set(DETAILS) >= {worst}
    assert "input" in page.tags


def test_one_real_image_and_no_stable_method(tmp_path: Path) -> None:
    settings = SyntheticRun(real=True, baselines=(), images=("one",), size=32)
    page = read_page(build_report(write_run(tmp_path, settings)))
    assert "No reference method beside it" in page.text
    assert "1 image was reconstructed with the network deep-mri alone" in page.text
    assert "1, real, 32 × 32 pixels" in page.text


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    hostile = "<script>alert('x')</script>\"&{{1234*5678}}"
    directory = write_run(
        tmp_path, SyntheticRun(network="net", images=("one",), size=32, domains=("image",))
    )
    results = load(directory)
    results["notes"] = [hostile]
    results["problem"]["units"] = hostile
    results["problem"]["map"]["type"] = hostile
    results["environment"][hostile] = hostile
    results["verdicts"][0]["statement"] = hostile
    results["verdicts"][1]["verdict"] = hostile
    results["checks"][0]["sentence"] = hostile
    for record in results["records"]:
        record["image"] = hostile
        if "detail" in record:
            record["detail"] = hostile
        if record["method"] != "net":
            record["method"] = hostile
    save(directory, results)
    page = read_page(build_report(directory))
    assert page.tags.count("script") == 1
    assert page.text.count(hostile) >= 8
    assert "7006652" not in page.text
    assert not page.unbalanced


def test_an_item_key_cannot_leave_the_arrays_folder(tmp_path: Path) -> None:
    settings = SyntheticRun(images=("one",), size=32, domains=("image",), probes=("worst_case",))
    directory = write_run(tmp_path / "run", settings)
    item = directory / "arrays" / "worst_case-image-one.h5"
    item.rename(tmp_path / "outside.h5")
    results = load(directory)
    for record in results["records"]:
        record["item"] = "../../outside"
    save(directory, results)
    assert read_page(build_report(directory)).pictures == []


def test_missing_and_broken_arrays_are_named_and_the_rest_is_drawn(tmp_path: Path) -> None:
    directory = write_run(tmp_path, SyntheticRun(images=("one", "two"), size=32))
    (directory / "arrays" / "worst_case-image-one.h5").unlink()
    (directory / "arrays" / "structural-two.h5").write_bytes(b"not HDF5")
    page = read_page(build_report(directory))
    assert "arrays/worst_case-image-one.h5: the file is missing" in page.text
    assert "arrays/structural-two.h5: the file cannot be read as HDF5" in page.text
    assert len(page.pictures) > 20


def test_failed_items_are_named_with_their_reason(tmp_path: Path) -> None:
    directory = write_run(tmp_path, SyntheticRun(images=("one",), size=32, probes=("sampling",)))
    results = load(directory)
    results["failed"] = [{"item": "worst_case-image-one", "error": "RuntimeError: no <memory>"}]
    save(directory, results)
    text = read_page(build_report(directory)).text
    assert "worst_case-image-one: RuntimeError: no <memory>" in text
    assert "rest on the others" in text


def test_searches_that_did_not_end_well_are_counted_and_explained(tmp_path: Path) -> None:
    settings = SyntheticRun(probes=("worst_case",), images=("one",), size=32, baselines=("tv",))
    directory = write_run(tmp_path, settings)
    results = load(directory)
    for record, status in zip(
        results["records"], ("stuck", "not_finite", "budget spent"), strict=False
    ):
        record.update(status=status, error=None, amplification=None, relative_error=None)
    save(directory, results)
    text = read_page(build_report(directory)).text
    for expected in ("1 “stuck”", "1 “not finite”", "1 “budget spent”"):
        assert expected in text
    assert "this is not evidence of stability" in text
    assert "into values that are not numbers" in text


def test_large_pictures_stay_within_ten_megabytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = tuple(rng.uniform(size=(512, 512)) for _ in range(2))
    settings = SyntheticRun(size=512, real=True, pictures=pictures, baselines=("tv",))
    path = build_report(write_run(tmp_path, settings))
    assert path.stat().st_size <= 10_000_000
    page = read_page(path)
    assert "Not drawn here, to keep the page small:" in page.text
    assert "drawn smaller than stored" in page.text


def test_the_page_needs_no_torch(directory: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from shaketable.report import build_report;"
        f"build_report(Path({str(directory)!r}), Path({str(tmp_path / 'x.html')!r}));"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "Expected a run directory with results.json"),
        ("{not json", "Expected JSON in"),
        ('{"schema": "shaketable.results/9"}', "got 'shaketable.results/9'"),
        ("[]", "got None"),
    ],
)
def test_what_is_no_run_gives_one_sentence_and_writes_nothing(
    tmp_path: Path, content: str | None, expected: str
) -> None:
    if content is not None:
        (tmp_path / "results.json").write_text(content, encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(RunError, match=re.escape(expected)) as caught:
        build_report(tmp_path)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_a_page_that_cannot_be_written_leaves_the_old_one(directory: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.mkdir()
    (target / "old").write_text("old", encoding="utf-8")
    with pytest.raises(RunError, match="Expected to write"):
        build_report(directory, target)
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match="Expected a folder"):
        build_report(directory, tmp_path / "file" / "report.html")
