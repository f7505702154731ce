"""Two networks on the same images: paired differences, a verdict of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Literal

from shaketable.probes.probe import Probe, Scores, Scoring, plain, support
from shaketable.statistics import Interval, mean_interval, ratio_interval


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One network against another, by one probe, on the images that both were measured on.

    Parameters
    ----------
    probe, domain
        What was tested.
    network, beside
        The first is compared with the second.
    verdict
        Whether the first is significantly better or worse; the differences are paired by image.
    measure
        What ``estimate`` is.
    statement
        One sentence with the numbers it rests on.
    estimate, interval
        Ratio or difference, with its 95 % confidence interval; None where it could not be had.
    n_images
        Images that the estimate rests on.
    """

    probe: str
    domain: str
    network: str
    beside: str
    verdict: Literal["better", "worse", "inconclusive"]
    measure: str
    statement: str
    estimate: float | None = None
    interval: tuple[float | None, float | None] | None = None
    n_images: int = 0


def compare_networks(
    probe: Probe | type[Any], records: Mapping[str, Sequence[Any]]
) -> list[dict[str, Any]]:
    """Every pair of networks by one probe, as plain data; none where the probe cannot compare.

    Parameters
    ----------
    probe
        Has `Scoring.scores`.
    records
        Of every network.
    """
    if len(records) < 2 or not isinstance(probe, Scoring):
        return []
    scores = {name: probe.scores(each) for name, each in records.items()}
    return [
        _entry(compare(probe.name, a, b, scores[a], scores[b])) for a, b in combinations(scores, 2)
    ]


def compare(probe: str, network: str, beside: str, mine: Scores, its: Scores) -> Comparison:
    """Compare two networks image by image.

    Parameters
    ----------
    probe
        Name.
    network, beside
        Names.
    mine, its
        Their numbers.

    Examples
    --------
    >>> mine = Scores(values={"a": 2.0, "b": 2.2, "c": 1.8}, measure="error", kind="ratio",
    ...     worse="larger")
    >>> its = Scores(values={"a": 1.0, "b": 1.1, "c": 1.0}, measure="error", kind="ratio",
    ...     worse="larger")
    >>> compare("worst_case", "A", "B", mine, its).verdict
    'worse'
    """
    images = _paired(mine, its)
    kind = "ratio" if mine.kind == "ratio" else "difference"
    measure = f"{kind} of {network} and {beside}: {mine.measure}"
    if not images:
        return Comparison(
            probe=probe, domain=mine.domain, network=network, beside=beside,
            verdict="inconclusive", measure=measure,
            statement=f"Nothing can be said: {network} and {beside} have no image in common.",
        )  # fmt: skip
    a, b = ([scores.values[image] for image in images] for scores in (mine, its))
    if mine.kind == "ratio":
        interval, even = ratio_interval(a, b), 1.0
        said = f"{plain(interval.estimate)} times that of {beside}"
    else:
        interval, even = mean_interval([x - y for x, y in zip(a, b, strict=True)]), 0.0
        said = f"{interval.estimate:+.3g} beside that of {beside}"
    return Comparison(
        probe=probe, domain=mine.domain, network=network, beside=beside,
        verdict=_word(interval, even, mine.worse), measure=measure, estimate=interval.estimate,
        interval=(_finite(interval.low), _finite(interval.high)), n_images=interval.n,
        statement=f"{mine.measure[:1].upper()}{mine.measure[1:]}: {network} has {said}, image by image "
        f"({support(interval, _number)}).",
    )  # fmt: skip


def _paired(mine: Scores, its: Scores) -> list[str]:
    """Images with numbers that can be compared."""
    both = [image for image in mine.values if image in its.values]
    if mine.kind == "difference":
        return both
    return [image for image in both if mine.values[image] > 0 and its.values[image] > 0]


def _word(
    interval: Interval, even: float, worse: Literal["larger", "smaller"]
) -> Literal["better", "worse", "inconclusive"]:
    larger, smaller = interval.low > even, interval.high < even
    if not (larger or smaller):
        return "inconclusive"
    return "worse" if (worse == "larger") == larger else "better"


def _number(value: float) -> str:
    return f"{value:.3g}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _entry(comparison: Comparison) -> dict[str, Any]:
    entry = asdict(comparison)
    return entry | {"interval": None if comparison.interval is None else list(comparison.interval)}
