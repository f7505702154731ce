"""What the records of the worst-case probe say of the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shaketable.checks import Check
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
from shaketable.probes.worst_case.record import WorstCaseRecord
from shaketable.search import Status
from shaketable.statistics import Interval, mean_interval, ratio_interval

_CONCLUSIVE = {str(Status.FOUND), str(Status.BUDGET_SPENT)}
_BLIND = "no gradients"
_RATIO = "damage of the network / damage of the reference method, each at its own worst case found"
_AMPLIFICATION = "amplification of the worst perturbation found, largest over the radii"
_SCORE = "amplification of the worst perturbation found at the largest radius"


@dataclass(frozen=True, kw_only=True)
class _Search:
    """A search that supports a statement: its numbers exist.

    Parameters
    ----------
    record
        The record.
    error, amplification, norm
        Of the worst perturbation found.
    damage
        The error, or that under the network's perturbation where it is worse.
    """

    record: WorstCaseRecord
    error: float
    amplification: float
    norm: float

    @property
    def damage(self) -> float:
        return max(self.error, self.record.given_network_error or 0.0)

    @property
    def gain(self) -> float:
        return self.damage / self.norm


def _supporting(records: Sequence[WorstCaseRecord]) -> list[_Search]:
    """The searches among records that support a statement."""
    return [
        _Search(record=r, error=r.error, amplification=r.amplification, norm=r.perturbation_norm)
        for r in records
        if r.status in _CONCLUSIVE and r.error and r.amplification and r.perturbation_norm
    ]


def scores(records: Sequence[WorstCaseRecord]) -> Scores:
    """The amplification of every image at the largest radius.

    Parameters
    ----------
    records
        Of one network in one domain.
    """
    found = _supporting(_at(records, _largest_radius(records)))
    values = {search.record.image: search.amplification for search in found}
    domain = records[0].domain if records else ""
    return Scores(values=values, measure=_SCORE, kind="ratio", worse="larger", domain=domain)


def judge(measured: Measured[WorstCaseRecord], *, domain: str, limit: float | None) -> Verdict:
    """Judge the records of one domain.

    Unstable: a perturbation made the network's output NaN or infinite; or, at the largest radius,
    the network's damage is significantly larger than the reference method's own worst case, searched
    with no fewer gradients; or, with a limit, the largest amplification over the radii is
    significantly above it. Stable: significantly not larger, every search of the network ran to
    its end, and the search has shown that it finds planted instabilities. Else inconclusive. What
    was searched without gradients is called a lower bound and is never stable.
    """
    mine = tuple(record for record in measured.records if record.domain == domain)
    measured = replace(measured, records=mine)
    verdict = _judged(measured, domain, limit)
    if any(record.search == _BLIND for record in mine):
        return replace(verdict, statement=f"{verdict.statement[:-1]} (lower bound, no gradients).")
    return verdict


def _judged(measured: Measured[WorstCaseRecord], domain: str, limit: float | None) -> Verdict:
    network = measured.of(measured.network)
    if not network:
        return Verdict(
            probe="worst_case", domain=domain, verdict="inconclusive",
            measure=_RATIO if limit is None else _AMPLIFICATION,
            statement="Nothing can be said: no image was measured.",
        )  # fmt: skip
    # without an error the output was lost; an error beside this status means a clean
    # reconstruction or a gradient that was not finite, which no perturbation has caused
    broken = [r for r in network if r.status == Status.NOT_FINITE and r.error is None]
    if broken:
        return _broken(network, broken, domain)
    if limit is not None:
        return _against_limit(network, measured.evidence, domain, limit)
    return _against_reference(measured, domain)


def _largest_radius(records: Sequence[WorstCaseRecord]) -> float:
    return max((record.radius or 0.0 for record in records), default=0.0)


def _at(records: Sequence[WorstCaseRecord], radius: float) -> list[WorstCaseRecord]:
    return [record for record in records if record.radius == radius]


def _broken(
    network: Sequence[WorstCaseRecord], broken: Sequence[WorstCaseRecord], domain: str
) -> Verdict:
    smallest: dict[str, float] = {}
    for record in broken:
        radius = record.radius or 0.0
        smallest[record.image] = min(radius, smallest.get(record.image, radius))
    n_images = len({record.image for record in network})
    return Verdict(
        probe="worst_case", domain=domain, verdict="unstable", n_images=n_images,
        measure="images whose reconstruction a perturbation made NaN or infinite",
        estimate=float(len(smallest)),
        statement=f"A perturbation of at most {percent(max(smallest.values()))} in the {domain} "
        f"domain turns the reconstruction of {len(smallest)} of {_images(n_images)} into NaN or "
        "infinity.",
    )  # fmt: skip


def _against_reference(measured: Measured[WorstCaseRecord], domain: str) -> Verdict:
    name, reference = measured.network, measured.reference
    radius = _largest_radius(measured.of(name))
    network = _at(measured.of(name), radius)
    beside = {s.record.image: s for s in _supporting(_at(measured.of(reference), radius))}
    pairs = [(s, beside[s.record.image]) for s in _supporting(network) if s.record.image in beside]
    if not pairs:
        return Verdict(
            probe="worst_case", domain=domain, verdict="inconclusive", measure=_RATIO,
            statement=f"Nothing can be said: {_nothing_to_compare(measured, radius)}.",
        )  # fmt: skip
    ratio = ratio_interval([mine.error for mine, _ in pairs], [its.damage for _, its in pairs])
    shortfall = ""
    if any(_searched_less(its.record, mine.record) for mine, its in pairs):
        shortfall = f", but {reference} was searched with fewer gradients"
    if len(pairs) < len(network):
        doubt = f", but some searches support no statement ({_ended(network, name)})"
    else:
        doubt = _doubt(network, measured.evidence)
    word, why = _word(ratio, 1.0, shortfall, doubt, not_covered(measured.evidence))
    return Verdict(
        probe="worst_case", domain=domain, verdict=word, measure=_RATIO, estimate=ratio.estimate,
        interval=(ratio.low, ratio.high), n_images=ratio.n,
        statement=f"The worst perturbation found of {percent(radius)} in the {domain} domain is "
        f"amplified {_mean_gain([mine for mine, _ in pairs])} times by {name} and "
        f"{_mean_gain([its for _, its in pairs])} times by {reference} at its own worst case: "
        f"{plain(ratio.estimate)} times as much ({support(ratio, plain)}){why}.",
    )  # fmt: skip


def _nothing_to_compare(measured: Measured[WorstCaseRecord], radius: float) -> str:
    name, reference = measured.network, measured.reference
    if reference is None:
        return "there is no reference method to compare with"
    ended = [_ended(_at(measured.of(one), radius), one) for one in (name, reference)]
    return (
        f"no image has searches of {name} and {reference} that support a statement "
        f"({'; '.join(ended)})"
    )


def _searched_less(its: WorstCaseRecord, mine: WorstCaseRecord) -> bool:
    return its.status != Status.FOUND and its.n_gradients < mine.n_gradients


def _against_limit(
    network: Sequence[WorstCaseRecord], checks: Sequence[Check], domain: str, limit: float
) -> Verdict:
    largest: dict[str, float] = {}
    for search in _supporting(network):
        image = search.record.image
        largest[image] = max(search.amplification, largest.get(image, 0.0))
    if not largest:
        return Verdict(probe="worst_case", domain=domain, verdict="inconclusive",
                       measure=_AMPLIFICATION,
                       statement="Nothing can be said: no search ended in a state that supports a "
                       f"statement ({_ended(network)}).")  # fmt: skip
    mean = mean_interval(list(largest.values()))
    word, why = _word(mean, limit, "", _doubt(network, checks), not_covered(checks))
    radius = _largest_radius(network)
    return Verdict(
        probe="worst_case", domain=domain, verdict=word, measure=_AMPLIFICATION,
        estimate=mean.estimate, interval=(mean.low, mean.high), n_images=mean.n,
        statement=f"The worst perturbation found of at most {percent(radius)} in the {domain} domain "
        f"is amplified {plain(mean.estimate)} times ({support(mean, plain)}); the limit is "
        f"{limit:g}{why}.",
    )  # fmt: skip


def _mean_gain(searches: Sequence[_Search]) -> str:
    """Mean amplification over images, in words."""
    gains = [search.gain for search in searches]
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


def _doubt(network: Sequence[WorstCaseRecord], checks: Sequence[Check]) -> str:
    """Why small damage would not mean stable; empty where it would."""
    if len(_supporting(network)) < len(network):
        return f", but some searches support no statement ({_ended(network)})"
    if any(record.status == Status.BUDGET_SPENT for record in network):
        return ", but the budget ended before the search did"
    if any(record.search == _BLIND for record in network):
        return ", but a search without gradients finds only part of what there is"
    return doubt_of_strength(checks)


def _ended(records: Sequence[WorstCaseRecord], method: str | None = None) -> str:
    """How the searches ended: ``found: 2, stuck: 1``, with the method's name where given."""
    counts: dict[str, int] = {}
    for record in records:
        counts[record.status] = counts.get(record.status, 0) + 1
    listed = ", ".join(f"{status}: {count}" for status, count in sorted(counts.items()))
    return listed if method is None else f"{method} {listed or 'not searched'}"


def _images(n: int) -> str:
    return "1 image" if n == 1 else f"{n} images"
