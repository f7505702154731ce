"""What the records of the structural probe say of the network."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from shaketable.probes.probe import Measured, Scores, Verdict, VerdictWord, percent, support
from shaketable.probes.structural.record import StructuralRecord
from shaketable.statistics import mean_interval

_MEASURE = "distance of contrast recovery from 1, network minus reference method, mean over details"
_SCORE = "distance of contrast recovery from 1, mean over details"


def judge(measured: Measured[StructuralRecord]) -> Verdict:
    """Compare how far contrast recovery is from one, network against reference method.

    The details of one image are averaged first: images are the independent units. Unstable: the
    network is significantly farther from one. Stable: significantly not farther, and every detail
    could be measured. Else inconclusive.
    """
    name, reference = measured.network, measured.reference
    mine, its = _recovered(measured.of(name)), _recovered(measured.of(reference))
    both = [key for key in mine if key in its]
    if not both:
        reason = "there is no reference method" if reference is None else "there is no detail"
        return Verdict(
            probe="structural", verdict="inconclusive", measure=_MEASURE,
            statement=f"Nothing can be said: {reason} to compare with.",
        )  # fmt: skip
    images = sorted({image for image, _ in both})
    difference = mean_interval(
        [
            fmean(abs(1 - mine[key]) - abs(1 - its[key]) for key in both if key[0] == image)
            for image in images
        ]
    )
    n_lost = sum(record.contrast_recovery is None for record in measured.of(name))
    word: VerdictWord = "inconclusive"
    if difference.low > 0:
        word = "unstable"
    elif difference.high <= 0 and n_lost == 0:
        word = "stable"
    recovered = [percent(fmean(found[key] for key in both)) for found in (mine, its)]
    lost = f"; in {n_lost} cases its reconstruction is not finite" if n_lost else ""
    return Verdict(
        probe="structural", verdict=word, measure=_MEASURE, estimate=difference.estimate,
        interval=(difference.low, difference.high), n_images=difference.n,
        statement=f"{name} recovers {recovered[0]} of the contrast of inserted details, "
        f"{reference} {recovered[1]}; {name} is {abs(difference.estimate):.3f} "
        f"{'farther from' if difference.estimate > 0 else 'closer to'} full contrast on average "
        f"(difference: {support(difference, _signed)}){lost}.",
    )  # fmt: skip


def scores(records: Sequence[StructuralRecord]) -> Scores:
    """The mean distance of contrast recovery from one of every image, over its details."""
    found = _recovered(records)
    images = dict.fromkeys(image for image, _ in found)
    values = {
        image: fmean(abs(1 - value) for key, value in found.items() if key[0] == image)
        for image in images
    }
    return Scores(values=values, measure=_SCORE, kind="difference", worse="larger")


def _recovered(records: Sequence[StructuralRecord]) -> dict[tuple[str, str], float]:
    """Contrast recovery by image and detail, where it could be measured."""
    return {
        (record.image, record.detail): record.contrast_recovery
        for record in records
        if record.contrast_recovery is not None
    }


def _signed(value: float) -> str:
    return f"{value:+.3f}"
