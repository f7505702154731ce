"""The verdict on worst cases: intervals against a limit or against the stable method."""

from __future__ import annotations

from collections.abc import Sequence

from shaketable.checks import Check
from shaketable.probes.probe import Record, Subject, Verdict, VerdictWord, paired, percent
from shaketable.search import Status
from shaketable.statistics import Interval, mean_interval, ratio_interval

_CONCLUSIVE = {str(Status.FOUND), str(Status.BUDGET_SPENT)}


def judge(
    subject: Subject,
    records: Sequence[Record],
    checks: Sequence[Check],
    *,
    domain: str,
    limit: float | None,
) -> Verdict:
    """Judge the records of one domain at the largest radius.

    Unstable: the network's damage is significantly larger than the stable method's own worst case
    at the same radius and budget (or than the limit), or a perturbation made it non-finite.
    Stable: significantly not larger, every search of the network ended in a state that supports a
    statement, and the search has shown that it finds planted instabilities. Else inconclusive.
    """
    if not records:
        return Verdict(
            probe="worst_case", domain=domain, verdict="inconclusive",
            measure=_RATIO, statement="No image was measured, so nothing can be said.",
        )  # fmt: skip
    radius = max(record["radius"] for record in records)
    at_radius = [record for record in records if record["radius"] == radius]
    network = [record for record in at_radius if record["role"] == "network"]
    broken = [record for record in network if record["status"] == Status.NOT_FINITE]
    if broken:
        return Verdict(
            probe="worst_case", domain=domain, verdict="unstable", measure=_RATIO,
            n_images=len(network),
            statement=f"A perturbation of {percent(radius)} turns the reconstruction of "
            f"{len(broken)} of {len(network)} images into NaN or infinity.",
        )  # fmt: skip
    conclusive = [record for record in at_radius if record["status"] in _CONCLUSIVE]
    if limit is not None:
        return _against_limit(conclusive, network, checks, domain, radius, limit)
    return _against_baseline(subject, conclusive, network, checks, domain, radius)


_RATIO = "damage of the network / damage of the stable method, each at its own worst case found"


def _against_baseline(
    subject: Subject, conclusive: Sequence[Record], network: Sequence[Record],
    checks: Sequence[Check], domain: str, radius: float,
) -> Verdict:  # fmt: skip
    baseline = subject.primary_baseline
    pairs = paired(conclusive, subject.problem.name, baseline, "error")
    pairs = [pair for pair in pairs if pair[1] > 0 and pair[2] > 0]
    if not pairs:
        reason = (
            "there is no stable method to compare with"
            if baseline is None
            else f"no search ended in a state that supports a statement ({_count(network)})"
        )
        return Verdict(probe="worst_case", domain=domain, verdict="inconclusive", measure=_RATIO,
                       statement=f"Nothing can be said: {reason}.")  # fmt: skip
    ratio = ratio_interval([pair[1] for pair in pairs], [pair[2] for pair in pairs])
    word, why = _word(ratio, 1.0, network, checks, domain, len(pairs))
    size = (
        f"{ratio.estimate:.2g} times as much as"
        if ratio.estimate >= 1
        else f"{ratio.estimate:.2g} times as much (less) as"
    )
    return Verdict(
        probe="worst_case", domain=domain, verdict=word, measure=_RATIO, estimate=ratio.estimate,
        interval=(ratio.low, ratio.high), n_images=ratio.n,
        statement=f"The worst perturbation found of {percent(radius)} in the {domain} domain changes "
        f"the image of {subject.problem.name} {size} the worst one found for {baseline} changes its "
        f"image ({_interval(ratio)}, {_images(ratio.n)}){why}.",
    )  # fmt: skip


def _against_limit(
    conclusive: Sequence[Record], network: Sequence[Record], checks: Sequence[Check],
    domain: str, radius: float, limit: float,
) -> Verdict:  # fmt: skip
    measure = "amplification of the worst perturbation found"
    values = [
        record["amplification"]
        for record in conclusive
        if record["role"] == "network" and record["amplification"] is not None
    ]
    if not values:
        return Verdict(probe="worst_case", domain=domain, verdict="inconclusive", measure=measure,
                       statement="Nothing can be said: no search ended in a state that supports a "
                       f"statement ({_count(network)}).")  # fmt: skip
    mean = mean_interval(values)
    word, why = _word(mean, limit, network, checks, domain, len(values))
    return Verdict(
        probe="worst_case", domain=domain, verdict=word, measure=measure, estimate=mean.estimate,
        interval=(mean.low, mean.high), n_images=mean.n,
        statement=f"The worst perturbation found of {percent(radius)} in the {domain} domain is "
        f"amplified {mean.estimate:.2g} times ({_interval(mean)}, {_images(mean.n)}); the limit is "
        f"{limit:g}{why}.",
    )  # fmt: skip


def _word(
    interval: Interval, limit: float, network: Sequence[Record], checks: Sequence[Check],
    domain: str, n_used: int,
) -> tuple[VerdictWord, str]:  # fmt: skip
    """The verdict and, where it is inconclusive for another reason than the interval, why."""
    if interval.low > limit:
        return "unstable", ""
    if interval.high > limit:
        return "inconclusive", ""
    if n_used < len(network):
        return "inconclusive", f", but some searches support no statement ({_count(network)})"
    spent = [record for record in network if record["status"] == Status.BUDGET_SPENT]
    if spent:
        return "inconclusive", ", but the budget ended before the search did"
    strength = [c for c in checks if c.name == f"search strength ({domain} domain)"]
    if not strength or not all(check.passed for check in strength):
        return "inconclusive", ", but the search has not shown that it finds planted instabilities"
    return "stable", ""


def _count(network: Sequence[Record]) -> str:
    statuses: dict[str, int] = {}
    for record in network:
        statuses[record["status"]] = statuses.get(record["status"], 0) + 1
    return ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))


def _interval(interval: Interval) -> str:
    return f"95 % interval {interval.low:.2g} to {interval.high:.2g}"


def _images(n: int) -> str:
    return "1 image" if n == 1 else f"{n} images"
