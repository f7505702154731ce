"""Claims of Figure 5: what becomes of inserted details, and of quality with more samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from shaketable.blocks.quantities import percent
from shaketable.paper.claims import Claim, Outcome, above, below, within
from shaketable.paper.curves import changes_above
from shaketable.paper.reading import images_of, of_method
from shaketable.statistics import Interval, mean_interval
from shaketable.stored import Record, StoredRun, number

Fate = Literal["loses", "blurs", "moderately blurs", "keeps"]
FATES: Mapping[str, Fate] = {
    "ell-50": "loses", "dagan": "blurs", "mri-vn": "moderately blurs", "deep-mri": "keeps",
}  # fmt: skip
Trend = Literal["falls strongly", "falls", "stagnates", "improves"]
TRENDS: Mapping[str, Trend] = {
    "ell-50": "falls strongly", "med-50": "falls", "dagan": "falls", "mri-vn": "stagnates",
    "deep-mri": "improves",
}  # fmt: skip


def fate_claims(run: StoredRun, network: str, records: Sequence[Record]) -> tuple[Claim, Claim]:
    """What becomes of the details in the network, and in the reference method at the same sampling."""
    stable = run.baselines[0]
    mine, its = (_recovery(records, method) for method in (run.network, stable))
    fate = FATES[network]
    return (
        _claim(
            network, mine, f"{run.network} {fate} symbols and letters",
            f"contrast of details that {run.network} recovers, 1 is all", "", *_judge_fate(mine, fate),
        ),
        _claim(
            network, its, f"The reference method keeps them at the sampling of {run.network}",
            f"contrast of details that {stable} recovers at the sampling of {run.network}", "",
            *_judge_fate(its, "keeps"),
        ),
    )  # fmt: skip


def _recovery(records: Sequence[Record], method: str) -> Interval:
    """Contrast recovery over images, which are the independent units, not details."""
    mine = of_method(records, method, by="")
    found = [
        [value for r in mine if r["image"] == image
         and (value := number(r, "contrast_recovery")) is not None]
        for image in images_of(mine)
    ]  # fmt: skip
    return mean_interval([sum(values) / len(values) for values in found if values])


def _judge_fate(measured: Interval, fate: Fate) -> tuple[Outcome, str]:
    if fate == "keeps":
        return above(measured, 0.9, 0.75), _rule("above", "0.9", "above 0.75")
    whole, part = {"loses": (0.25, 0.5), "blurs": (0.75, 0.9), "moderately blurs": (0.9, 0.95)}[
        fate
    ]
    return below(measured, whole, part), _rule("below", f"{whole:g}", f"below {part:g}")


def trend_claim(run: StoredRun, network: str, records: Sequence[Record]) -> Claim:
    """How PSNR changes with more samples than in training.

    Where the paper sees a fall, at the rate with the lowest mean; elsewhere at the highest rate.
    """
    trend = TRENDS[network]
    picked = trend.startswith("falls")
    changes = changes_above(records, run.network, picked=picked)
    rate = min(changes, key=lambda each: changes[each].estimate) if picked else max(changes)
    quantity = (
        f"change of PSNR of {run.network} from the trained rate to {percent(rate)} of all samples"
    )
    says = f"With more samples {run.network} {trend}"
    outcome, rule = _judge_trend(changes[rate], trend)
    if picked and len(changes) > 1:
        rule += f"; the rate is the worst of {len(changes)}, and the interval is as wide as that asks for"
    return _claim(network, changes[rate], says, quantity, "dB", outcome, rule)


def _judge_trend(measured: Interval, trend: Trend) -> tuple[Outcome, str]:
    if trend == "improves":
        return above(measured, 1.0, 0.0), _rule("above", "1 dB", "above 0 dB")
    if trend == "stagnates":
        return within(measured, 1.0, 2.0), _rule("within", "± 1 dB", "within ± 2 dB")
    whole = -3.0 if trend == "falls strongly" else -0.5
    return below(measured, whole, 0.0), _rule("below", f"−{-whole:g} dB", "below 0 dB")


def _rule(side: str, whole: str, part: str) -> str:
    return f"holds where the interval lies {side} {whole}, in part {part}"


def _claim(
    network: str,
    measured: Interval,
    says: str,
    quantity: str,
    unit: str,
    outcome: Outcome,
    rule: str,
) -> Claim:
    return Claim(
        figure=5, network=network, says=says, quantity=quantity, unit=unit, measured=measured,
        units="images", rule=rule, outcome=outcome,
    )  # fmt: skip
