"""A run of a thousand images has a page that opens."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from shaketable.blocks.charts import MOST_MARKS
from shaketable.blocks.rows import MOST_ROWS
from shaketable.blocks.tables import LONGEST_TABLE
from shaketable.report import build_report
from tests.helpers.report_page import read_page
from tests.helpers.synthetic_run import SyntheticRun, repeat_images, write_run

N_IMAGES = 1000


@pytest.mark.parametrize(
    "settings",
    [
        SyntheticRun(size=12, images=("a", "b"), radii=(0.01, 0.03), baselines=("tv",)),
        SyntheticRun(
            size=12, images=("a", "b"), radii=(0.01, 0.03), baselines=("tv",), domains=("image",),
            others=("n2", "n3"), layout="per method",
        ),
    ],
    ids=["one network", "three networks"],
)  # fmt: skip
def test_the_page_of_a_thousand_images_is_small_and_quick(
    tmp_path: Path, settings: SyntheticRun
) -> None:
    directory = repeat_images(write_run(tmp_path, settings), N_IMAGES)
    start = time.process_time()
    path = build_report(directory)
    assert time.process_time() - start < 30  # it takes a few
    assert path.stat().st_size < 15_000_000
    page = read_page(path)
    n_records = N_IMAGES * len(settings.methods) * len(settings.radii)
    rest = f"The other {n_records - LONGEST_TABLE} are in records.jsonl of the run directory."
    assert rest in page.text
    assert f"{LONGEST_TABLE} of {n_records} records" in page.text
    assert f"At most {MOST_MARKS} of up to {N_IMAGES} single marks" in page.text
    assert f"The first {MOST_ROWS} of {N_IMAGES} rows are drawn." in page.text
    assert "and 986 more. The pictures are in these files" in page.text
    assert page.tags.count("circle") < 2000
    assert not page.unbalanced
