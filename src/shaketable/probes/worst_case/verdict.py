"""The verdict on worst cases: intervals against a limit or against the stable method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shaketable.checks import Check
from shaketable.probes.probe import Record, Subject, Verdict, VerdictWord, percent, plain, support
from shaketable.probes.strength import doubt_of_strength, not_covered
from shaketable.search import Status
from shaketable.statistics import Interval, mean_interval, ratio_interval

_CONCLUSIVE = {str(Status.FOUND), str(Status.BUDGET_SPENT)}
_BLIND = "no gradients"
_RATIO = "damage of the network / damage of the stable method, each at its own worst case found"
_AMPLIFICATION = "amplification of the worst perturbation found, largest over the radii"


def judge(
    subject: Subject,
    records: Sequence[Record],
    checks: Sequence[Check],
    *,
    domain: str,
    limit: float | None,
) -> Verdict:
    """Judge the records of one domain.

    Unstable: a perturbation made the network's output NaN or infinite; or, at the largest radius,
    the network's damage is significantly larger than the stable method's own worst case, searched
    with no fewer gradients; or, with a limit, the largest amplification over the radii is
    significantly above it. Stable: significantly not larger, every search of the network ran to
    its end, and the search has shown that it finds planted instabilities. Else inconclusive. What
    was searched without gradients is called a lower bound and is never stable.
    """
    verdict = _judged(subject, records, checks, domain, limit)
    if any(record.get("search") == _BLIND for record in records):
        return replace(verdict, statement=f"{verdict.statement[:-1]} (lower bound, no gradients).")
    return verdict


def _judged(
    subject: Subject, records: Sequence[Record], checks: Sequence[Check], domain: str,
    limit: float | None,
) -> Verdict:  # fmt: skip
    network = [record for record in records if record["role"] == "network"]
    if not network:
        return Verdict(
            probe="worst_case", domain=domain, verdict="inconclusive",
            measure=_RATIO if limit is None else _AMPLIFICATION,
            statement="Nothing can be said: no image was measured.",
        )  # fmt: skip
    # without an error the output was lost; an error beside this status means a clean
    # reconstruction or a gradient that was not finite, which no perturbation has caused
    broken = [r for r in network if r["status"] == Status.NOT_FINITE and r["error"] is None]
    if broken:
        return _broken(network, broken, domain)
    if limit is not None:
        return _against_limit(network, checks, domain, limit)
    radius = max(record["radius"] for record in network)
    at_radius = [record for record in records if record["radius"] == radius]
    return _against_baseline(subject, at_radius, checks, domain, radius)


def _broken(network: Sequence[Record], broken: Sequence[Record], domain: str) -> Verdict:
    smallest: dict[str, float] = {}
    for record in broken:
        radius = min(record["radius"], smallest.get(record["image"], record["radius"]))
        smallest[record["image"]] = radius
    n_images = len({record["image"] for record in network})
    return Verdict(
        probe="worst_case", domain=domain, verdict="unstable", n_images=n_images,
        measure="images whose reconstruction a perturbation made NaN or infinite",
        estimate=float(len(smallest)),
        statement=f"A perturbation of at most {percent(max(smallest.values()))} in the {domain} "
        f"domain turns the reconstruction of {len(smallest)} of {_images(n_images)} into NaN or "
        "infinity.",
    )  # fmt: skip


def _against_baseline(
    subject: Subject, at_radius: Sequence[Record], checks: Sequence[Check], domain: str,
    radius: float,
) -> Verdict:  # fmt: skip
    name, baseline = subject.problem.name, subject.primary_baseline
    network = [record for record in at_radius if record["role"] == "network"]
    beside = {r["image"]: r for r in at_radius if r["method"] == baseline and _supports(r)}
    pairs = [(r, beside[r["image"]]) for r in network if _supports(r) and r["image"] in beside]
    if not pairs:
        reason = (
            "there is no stable method to compare with"
            if baseline is None
            else f"no image has searches of {name} and {baseline} that support a statement "
            f"({_ended(at_radius, name)}; {_ended(at_radius, baseline)})"
        )
        return Verdict(probe="worst_case", domain=domain, verdict="inconclusive", measure=_RATIO,
                       statement=f"Nothing can be said: {reason}.")  # fmt: skip
    ratio = ratio_interval([mine["error"] for mine, _ in pairs], [_damage(its) for _, its in pairs])
    shortfall = ""
    if any(its["status"] != Status.FOUND and its["n_gradients"] < mine["n_gradients"]
           for mine, its in pairs):  # fmt: skip
        shortfall = f", but {baseline} was searched with fewer gradients"
    if len(pairs) < len(network):
        doubt = f", but some searches support no statement ({_ended(at_radius, name)})"
    else:
        doubt = _doubt(network, checks, domain)
    word, why = _word(ratio, 1.0, shortfall, doubt, not_covered(checks, _strength(domain)))
    return Verdict(
        probe="worst_case", domain=domain, verdict=word, measure=_RATIO, estimate=ratio.estimate,
        interval=(ratio.low, ratio.high), n_images=ratio.n,
        statement=f"The worst perturbation found of {percent(radius)} in the {domain} domain is "
        f"amplified {_mean_gain(pairs, 0)} times by {name} and {_mean_gain(pairs, 1)} times by "
        f"{baseline} at its own worst case: {plain(ratio.estimate)} times as much "
        f"({support(ratio, plain)}){why}.",
    )  # fmt: skip


def _against_limit(
    network: Sequence[Record], checks: Sequence[Check], domain: str, limit: float
) -> Verdict:
    largest: dict[str, Record] = {}
    for record in network:
        before = largest.get(record["image"])
        if _supports(record) and (
            before is None or record["amplification"] > before["amplification"]
        ):
            largest[record["image"]] = record
    if not largest:
        return Verdict(probe="worst_case", domain=domain, verdict="inconclusive",
                       measure=_AMPLIFICATION,
                       statement="Nothing can be said: no search ended in a state that supports a "
                       f"statement ({_ended(network)}).")  # fmt: skip
    mean = mean_interval([record["amplification"] for record in largest.values()])
    doubt = _doubt(network, checks, domain)
    word, why = _word(mean, limit, "", doubt, not_covered(checks, _strength(domain)))
    radius = max(record["radius"] for record in network)
    return Verdict(
        probe="worst_case", domain=domain, verdict=word, measure=_AMPLIFICATION,
        estimate=mean.estimate, interval=(mean.low, mean.high), n_images=mean.n,
        statement=f"The worst perturbation found of at most {percent(radius)} in the {domain} domain "
        f"is amplified {plain(mean.estimate)} times ({support(mean, plain)}); the limit is "
        f"{limit:g}{why}.",
    )  # fmt: skip


def _supports(record: Record) -> bool:
    return bool(record["status"] in _CONCLUSIVE and record["error"] and record["amplification"])


def _damage(record: Record) -> float:
    """A stable method's worst: its own worst case, or the network's where that is worse."""
    return max(float(record["error"]), float(record.get("given_network_error") or 0.0))


def _mean_gain(pairs: Sequence[tuple[Record, Record]], which: int) -> str:
    """Mean amplification of the network (0) or the stable method (1) over images, in words."""
    gains = [_damage(pair[which]) / float(pair[which]["perturbation_norm"]) for pair in pairs]
    return plain(sum(gains) / len(gains))


def _word(
    interval: Interval, limit: float, shortfall: str, doubt: str, missing: str
) -> tuple[VerdictWord, str]:
    """The verdict and why, where another reason than the interval makes it inconclusive.

    A "stable" comes with what is missing from its evidence.
    """
    if interval.low > limit:
        return ("inconclusive", shortfall) if shortfall else ("unstable", "")
    if interval.high > limit:
        return "inconclusive", ""
    return ("inconclusive", doubt) if doubt else ("stable", missing)


def _doubt(network: Sequence[Record], checks: Sequence[Check], domain: str) -> str:
    """Why small damage would not mean stable; empty where it would."""
    if not all(_supports(record) for record in network):
        return f", but some searches support no statement ({_ended(network)})"
    if any(record["status"] == Status.BUDGET_SPENT for record in network):
        return ", but the budget ended before the search did"
    if any(record.get("search") == _BLIND for record in network):
        return ", but a search without gradients finds only part of what there is"
    return doubt_of_strength(checks, _strength(domain))


def _strength(domain: str) -> str:
    return f"search strength ({domain} domain)"


def _ended(records: Sequence[Record], method: str | None = None) -> str:
    """How the searches ended: ``found: 2, stuck: 1``, with the method's name where given."""
    counts: dict[str, int] = {}
    for record in records:
        if method is None or record["method"] == method:
            counts[record["status"]] = counts.get(record["status"], 0) + 1
    listed = ", ".join(f"{status}: {count}" for status, count in sorted(counts.items()))
    return listed if method is None else f"{method} {listed or 'not searched'}"


def _images(n: int) -> str:
    return "1 image" if n == 1 else f"{n} images"
