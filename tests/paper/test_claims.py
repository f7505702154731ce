"""Claims: three outcomes from intervals and one for too little, and the table of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from shaketable.paper import Claim, write_claims
from shaketable.paper.claims import above, below, within
from shaketable.statistics import Interval


def interval(low: float, high: float) -> Interval:
    return Interval(estimate=(low + high) / 2, low=low, high=high, n=5)


def test_a_claim_holds_only_where_the_whole_interval_does():
    assert above(interval(10.1, 12), 10, 3) == "holds"
    assert above(interval(9.9, 30), 10, 3) == "in part"
    assert above(interval(-40, 2.9), 10, 3) == "does not hold"
    assert below(interval(-1, 0.9), 1, 3) == "holds"
    assert below(interval(-1, 1.1), 1, 3) == "in part"
    assert below(interval(3.1, 4), 1, 3) == "does not hold"
    assert within(interval(-0.9, 0.8), 1, 2) == "holds"
    assert within(interval(-1.9, 0.8), 1, 2) == "in part"
    assert within(interval(-4, -2.1), 1, 2) == "does not hold"
    assert within(interval(2.1, 4), 1, 2) == "does not hold"


def test_an_interval_too_wide_to_say_leaves_a_claim_open():
    assert above(interval(-40, 30), 10, 3) == "open"
    assert below(interval(-1, float("inf")), 1, 3) == "open"
    assert within(interval(-1, 2.1), 1, 2) == "open"
    unbounded = Interval(estimate=20, low=-np.inf, high=np.inf, n=1)
    assert {judge(unbounded, 1, 2) for judge in (above, within)} == {"open"}


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
