"""What the records of the neighbourhood probe say of the network."""

from __future__ import annotations

from collections.abc import Sequence

from shaketable.checks import Check
from shaketable.probes.neighbourhood.record import NeighbourhoodRecord
from shaketable.probes.probe import (
    Measured,
    Scores,
    Verdict,
    VerdictWord,
    percent,
    plain,
    support,
)
from shaketable.probes.strength import doubt_of_strength, not_covered
from shaketable.search import Status
from shaketable.statistics import Interval, ratio_interval, share_interval

_SCORE = "share of draws that keep the artefact"


def judge(measured: Measured[NeighbourhoodRecord], *, noise_ratio: float, keeps: float) -> Verdict:
    """Judge whether a ball around the worst case is bad, and worse than the reference method.

    Unstable: significantly more than half of the draws keep the network's artefact, and that
    artefact is significantly larger than the reference method's own. Stable: significantly less
    than half keep it, or it is significantly not larger, every search of the network ran to its
    end, and the search has shown that it finds planted instabilities. Else inconclusive. Draws
    of one image share its worst case, so the interval speaks of noise around these images'
    worst cases.
    """
    name, reference = measured.network, measured.reference
    measure = f"share of draws that keep at least {keeps:.0%} of the network's artefact"
    network = _at(measured.of(name), noise_ratio)
    found = [record for record in network if record.status == Status.FOUND]
    if not found:
        return Verdict(
            probe="neighbourhood", verdict="inconclusive", measure=measure,
            statement="Nothing can be said: no search of the network ended in a state that "
            "supports a statement.",
        )  # fmt: skip
    share = share_interval(sum(r.n_persisting for r in found), sum(r.n_draws for r in found))
    ratio = _ratio(found, _at(measured.of(reference), noise_ratio))
    if ratio is None:
        word: VerdictWord = "inconclusive"
        size = "there is no reference method's artefact to compare its size with"
    else:
        word, doubt = _word(share, ratio, len(found) == len(network), measured.evidence)
        size = (
            f"the artefact of {name} is {plain(ratio.estimate)} times as large as that of "
            f"{reference} ({support(ratio, plain)}){doubt}"
        )
    return Verdict(
        probe="neighbourhood", verdict=word, measure=measure, estimate=share.estimate,
        interval=(share.low, share.high), n_images=len(found),
        statement=f"After noise of {percent(noise_ratio)} of its size, "
        f"{percent(share.estimate)} of {share.n} draws keep the artefact "
        f"({percent(share.confidence)} interval {percent(share.low)} to {percent(share.high)}); "
        f"{size}.",
    )  # fmt: skip


def scores(records: Sequence[NeighbourhoodRecord]) -> Scores:
    """The share of draws that keep the artefact of every image, at the first size of noise."""
    first = next((r.noise_ratio for r in records if r.noise_ratio is not None), None)
    values = {
        r.image: r.n_persisting / r.n_draws
        for r in records
        if r.noise_ratio == first and r.n_draws > 0 and r.status == Status.FOUND
    }
    return Scores(values=values, measure=_SCORE, kind="difference", worse="larger")


def _at(records: Sequence[NeighbourhoodRecord], noise_ratio: float) -> list[NeighbourhoodRecord]:
    """Records of one size of noise; older runs had only one and did not say which."""
    return [r for r in records if r.noise_ratio in (None, noise_ratio)]


def _ratio(
    found: Sequence[NeighbourhoodRecord], reference: Sequence[NeighbourhoodRecord]
) -> Interval | None:
    """Size of the network's artefacts over the reference method's; None without pairs."""
    beside = {r.image: r.error for r in reference if r.status == Status.FOUND and r.error}
    pairs = [(r.error, beside[r.image]) for r in found if r.image in beside and r.error]
    if not pairs:
        return None
    return ratio_interval([mine for mine, _ in pairs], [its for _, its in pairs])


def _word(
    share: Interval, ratio: Interval, complete: bool, evidence: Sequence[Check]
) -> tuple[VerdictWord, str]:
    """The verdict and, where small numbers do not mean stable, why."""
    if share.low > 0.5 and ratio.low > 1:
        return "unstable", ""
    if share.high >= 0.5 and ratio.high > 1:
        return "inconclusive", ""
    if not complete:
        return "inconclusive", ", but some searches support no statement"
    doubt = doubt_of_strength(evidence)
    return ("inconclusive", doubt) if doubt else ("stable", not_covered(evidence))
