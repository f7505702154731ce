"""What was tested, and the verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shaketable.blocks import Table, percent
from shaketable.blocks.quantities import counted, listed
from shaketable.report.cards import VerdictCard, cards_of, order_of
from shaketable.report.networks import comparison_table, network_table
from shaketable.report.sections import Shown
from shaketable.stored import StoredRun, mapping, number, text
from shaketable.stored import sequence as items_of

_JUDGED = ("unstable", "stable", "inconclusive")


@dataclass(frozen=True, kw_only=True)
class Header:
    """The top of the report.

    Parameters
    ----------
    title, lead, facts
        What was tested.
    overall
        The verdicts, counted.
    networks, comparisons
        Tables for several networks.
    cards
        The verdicts on each network, one card per probe.
    """

    title: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    overall: str
    networks: Table | None
    comparisons: Table | None
    cards: tuple[tuple[str, tuple[VerdictCard, ...]], ...]


def build_header(run: StoredRun, shown: Sequence[Shown]) -> Header:
    """Return the top of the report: what was tested, and what was found."""
    facts = {name: value for one in shown for name, value in one.section.facts.items()}
    cards = tuple((name, cards_of(run, shown, name)) for name in run.networks)
    several = len(run.networks) > 1
    order = order_of(shown)
    return Header(
        title=listed(run.networks),
        lead=_lead(run, _rate(run, facts)),
        facts=_facts(run, facts),
        overall=_overall(run, [card for _, some in cards for card in some]),
        networks=network_table(run, order) if several else None,
        comparisons=comparison_table(run, order),
        cards=cards,
    )


def _rate(run: StoredRun, facts: dict[str, str]) -> str:
    """The share of samples that the networks were tested at; empty where it is not known."""
    described = mapping(run.problem, "map")
    rate = number(described, "rate")
    if rate is None:
        rate = number(mapping(described, "sampling"), "rate")
    return facts.get("Sampling rate", "") if rate is None else str(percent(rate))


def _lead(run: StoredRun, rate: str) -> str:
    several = len(run.networks) > 1
    with_what = f"networks {listed(run.networks)}" if several else f"network {run.network}"
    beside = "beside them" if several else "beside it"
    alone = "" if several else " alone"
    also = f" and, {beside}, with {listed(run.baselines)}" if run.baselines else alone
    share = f" from {rate} of the samples" if rate else ""
    count = counted(len(run.images), "image") if run.images else "Images"
    verb = "was" if len(run.images) == 1 else "were"
    return (
        f"{count} {verb} reconstructed with the {with_what}{also}{share}. "
        "Then the input was changed a little on purpose, to see what the reconstructions do."
    )


def _overall(run: StoredRun, cards: Sequence[VerdictCard]) -> str:
    decided = [card for card in cards if card.verdict in _JUDGED]
    if not decided:
        return "No probe of this run reached a verdict."
    counts = {word: sum(card.verdict == word for card in decided) for word in _JUDGED}
    parts = [f"{count} {word}" for word, count in counts.items() if count]
    whom = "the network" if len(run.networks) == 1 else counted(len(run.networks), "network")
    return f"{counted(len(decided), 'verdict')} on {whom}: {listed(parts)}."


def _facts(run: StoredRun, known: dict[str, str]) -> tuple[tuple[str, str], ...]:
    described = mapping(run.problem, "map")
    kind = text(described, "type") or text(described, "name") or "not described"
    shapes = (items_of(image, "shape") for image in run.images)
    sizes = dict.fromkeys(" × ".join(str(side) for side in shape) for shape in shapes if shape)
    values = "real" if run.problem.get("real") is True else "complex"
    tool = mapping(run.results, "tool")
    facts = {
        "Network" + "s" * (len(run.networks) > 1): listed(run.networks),
        "Reference method" + "s" * (len(run.baselines) > 1): listed(run.baselines),
        "Forward map": kind.replace("_", " "),
        "Sampling rate": _rate(run, known),
        "Images": f"{len(run.images)}, {values}" + (f", {listed(sizes)} pixels" if sizes else ""),
        "Units of the images": run.units,
        "Seed": text(run.plan, "seed"),
        "Made with": " ".join(filter(None, [text(tool, "name"), text(tool, "version")])),
    }
    more = {name: value for name, value in known.items() if name not in facts}
    return tuple((name, value) for name, value in (facts | more).items() if value)
