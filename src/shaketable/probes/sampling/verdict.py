"""What the records of the sampling probe say of the network."""

from __future__ import annotations

from collections.abc import Sequence

from shaketable.probes.probe import Measured, Scores, Verdict, VerdictWord, percent, support
from shaketable.probes.sampling.record import SamplingRecord
from shaketable.statistics import Interval, mean_interval

_MEASURE = "smallest change of PSNR (dB) from the trained rate to a higher one, network"
_SCORE = "change of PSNR (dB) from the trained rate to the highest"


def judge(
    measured: Measured[SamplingRecord], *, rates: Sequence[float], trained_rate: float
) -> Verdict:
    """Judge whether quality falls when samples are added to those the network was trained for.

    Unstable: at some higher rate PSNR is significantly below that at the trained rate while the
    reference method's is not (intervals at a level divided by the number of rates). Stable: at
    every higher rate it is significantly not below and every image could be measured. Without
    higher rates: inconclusive.
    """
    name, reference = measured.network, measured.reference
    higher = [rate for rate in rates if rate > trained_rate]
    confidence = 1 - 0.05 / max(1, len(higher))
    network = _intervals(measured.of(name), higher, trained_rate, confidence)
    if not network:
        return Verdict(
            probe="sampling", verdict="inconclusive", measure=_MEASURE,
            statement="Nothing can be said: no image has a PSNR both at the trained rate and at a "
            "higher one.",
        )  # fmt: skip
    beside = _intervals(measured.of(reference), higher, trained_rate, confidence)
    lost = [  # a PSNR without a number is infinite for a perfect image, whose SSIM is a number
        r for r in measured.of(name)
        if (r.rate or 0.0) >= trained_rate and r.psnr is None and r.ssim is None
    ]  # fmt: skip
    rate, worst = min(network.items(), key=lambda entry: entry[1].estimate)
    falls = [
        r for r, change in network.items()
        if change.high < 0 and not (r in beside and beside[r].high < 0)
    ]  # fmt: skip
    word: VerdictWord = "inconclusive"
    if falls:
        word = "unstable"
        rate = min(falls, key=lambda r: network[r].estimate)
        worst = network[rate]
    elif all(change.low >= 0 for change in network.values()) and not lost:
        word = "stable"
    other = f"; {reference}: {_decibels(beside[rate].estimate)}" if rate in beside else ""
    other += f"; {len(lost)} of its reconstructions are not finite" if lost else ""
    return Verdict(
        probe="sampling", verdict=word, measure=_MEASURE, estimate=worst.estimate,
        interval=(worst.low, worst.high), n_images=worst.n,
        statement=f"From {percent(trained_rate)} sampling, which {name} was "
        f"trained for, to {percent(rate)} its PSNR changes by {_decibels(worst.estimate)} "
        f"({support(worst, _decibels)}){other}.",
    )  # fmt: skip


def scores(records: Sequence[SamplingRecord]) -> Scores:
    """The change of PSNR of every image from the trained rate to the highest one."""
    trained = next((r.trained_rate for r in records if r.trained_rate is not None), 0.0)
    highest = max((r.rate for r in records if r.rate is not None), default=0.0)
    values = _changes(records, highest, trained) if highest > trained else {}
    return Scores(values=values, measure=_SCORE, kind="difference", worse="smaller")


def _changes(
    records: Sequence[SamplingRecord], rate: float, trained_rate: float
) -> dict[str, float]:
    """Change of PSNR from the trained rate, by image."""
    at = {(r.image, r.rate): r.psnr for r in records if r.psnr is not None}
    return {
        image: psnr - at[image, trained_rate]
        for (image, each), psnr in at.items()
        if each == rate and (image, trained_rate) in at
    }


def _intervals(
    records: Sequence[SamplingRecord], rates: Sequence[float], trained_rate: float,
    confidence: float,
) -> dict[float, Interval]:  # fmt: skip
    """Per rate, the change of PSNR from the trained rate, over images."""
    changes = {rate: list(_changes(records, rate, trained_rate).values()) for rate in rates}
    return {
        rate: mean_interval(each, confidence=confidence) for rate, each in changes.items() if each
    }


def _decibels(value: float) -> str:
    return f"{value:+.2f} dB"
