"""PSNR against the sampling rate: mean and interval over images, network and reference method."""

from __future__ import annotations

from collections.abc import Sequence

from shaketable.blocks.quantities import percent
from shaketable.paper.reading import images_of, of_method
from shaketable.paper.sheet import Chart, Curve
from shaketable.statistics import Interval, mean_interval
from shaketable.stored import Record, StoredRun, mapping, number


def sampling_chart(run: StoredRun, records: Sequence[Record]) -> Chart:
    """The chart of a network: its curve and the reference method's."""
    n_images = len(images_of(records))
    return Chart(
        title=run.network,
        x_label=f"samples, % of all ({n_images} images)",
        y_label="PSNR, dB",
        curves=tuple(_curve(records, method) for method in run.methods[:2]),
        mark=100 * trained_rate(records),
    )


def trained_rate(records: Sequence[Record]) -> float:
    """The rate that the network was trained for."""
    return float(records[0]["trained_rate"])


def _curve(records: Sequence[Record], method: str) -> Curve:
    mine = of_method(records, method, by="rate")
    rates = sorted({float(r["rate"]) for r in mine})
    levels = [
        [level for r in mine if r["rate"] == rate and (level := number(r, "psnr")) is not None]
        for rate in rates
    ]
    measured = {rate: mean_interval(values) for rate, values in zip(rates, levels, strict=True)
                if values}  # fmt: skip
    return Curve(
        label=method,
        x=tuple(100 * rate for rate in measured),
        y=tuple(interval.estimate for interval in measured.values()),
        low=tuple(interval.low for interval in measured.values()),
        high=tuple(interval.high for interval in measured.values()),
    )


def changes_above(records: Sequence[Record], method: str, *, picked: bool) -> dict[float, Interval]:
    """By rate above the trained one: the change of PSNR from there in dB, over images.

    Where one of the rates is ``picked`` by its change, the intervals are at a level divided by the
    number of rates, so that they hold for all of them together.
    """
    mine = of_method(records, method, by="rate")
    levels = {(r["image"], float(r["rate"])): number(r, "psnr") for r in mine}
    trained = trained_rate(records)
    higher = sorted({rate for _, rate in levels if rate > trained})
    changes = {}
    for rate in higher:
        pairs = [(levels[image, trained], levels[image, rate]) for image in images_of(mine)]
        both = [b - a for a, b in pairs if a is not None and b is not None]
        if both:
            level = 0.05 / len(higher) if picked else 0.05
            changes[rate] = mean_interval(both, confidence=1 - level)
    return changes


def sampled(run: StoredRun) -> str:
    """How much the map of a run samples, in a word: ``25 %``, ``50 views``; empty if unknown."""
    described = mapping(run.problem, "map")
    rate = number(described, "rate")
    views = number(described, "n_angles")
    if rate is not None:
        return str(percent(rate))
    return "" if views is None else f"{views:.0f} views"
