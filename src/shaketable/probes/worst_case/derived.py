"""What follows from the records of worst cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from shaketable.blocks.quantities import ratio, same, severity
from shaketable.blocks.wording import status_of
from shaketable.probes.worst_case.record import WorstCaseRecord

Records = Sequence[WorstCaseRecord]


def domain_of(record: WorstCaseRecord) -> str:
    """Where the perturbation was added; runs that do not say it had images alone."""
    return record.domain or "image"


def output_norm(record: WorstCaseRecord) -> float | None:
    """``‖f(y)‖``, from the error and the relative error."""
    return ratio(record.error, record.relative_error)


def random_relative_error(record: WorstCaseRecord) -> float | None:
    """The change under a random perturbation of the same size, relative to ``‖f(y)‖``."""
    if record.random_amplification is None or record.perturbation_norm is None:
        return None
    return ratio(record.random_amplification * record.perturbation_norm, output_norm(record))


def given_error(record: WorstCaseRecord, network: str) -> float | None:
    """``‖g(A(x + r)) - g(A x)‖₂`` under the perturbation of one network."""
    named = (given.error for given in record.given if given.network == network)
    return next(named, None) if record.given else record.given_network_error


def given_amplification(record: WorstCaseRecord, network: str) -> float | None:
    """The same over ``‖r‖₂``."""
    named = (given.amplification for given in record.given if given.network == network)
    return next(named, None) if record.given else record.given_network_amplification


def given_relative_error(record: WorstCaseRecord, network: str = "") -> float | None:
    """The same relative to ``‖g(A x)‖``; the worst of all networks where none is named."""
    error = given_error(record, network) if network else record.given_network_error
    return ratio(error, output_norm(record))


def by_item(records: Records) -> Mapping[str, Records]:
    """The records of each item."""
    found: dict[str, list[WorstCaseRecord]] = defaultdict(list)
    for record in records:
        if record.item:
            found[record.item].append(record)
    return found


def record_of(records: Records, method: str, radius: float | None) -> WorstCaseRecord | None:
    """The record of a method and a radius, of those of one item."""
    return next((r for r in records if r.method == method and same(r.radius, radius)), None)


def damage_of(records: Records, method: str = "") -> float:
    """The largest change of a network's reconstruction; of all networks where none is named."""
    found = (r for r in records if r.is_network and method in ("", r.method))
    return max((severity(r.relative_error) for r in found), default=severity(None))


def worst_of(records: Records) -> WorstCaseRecord | None:
    """The worst of the networks: output that is no number, else the largest change."""
    network = [record for record in records if record.is_network]
    broken = [r for r in network if status_of(r.status) == "not finite" and r.error is None]
    if broken:
        return min(broken, key=lambda record: severity(record.radius))
    found = [record for record in network if record.relative_error is not None]
    found = [record for record in found if domain_of(record) != "data"] or found
    return max(found, key=lambda record: severity(record.relative_error), default=None)
