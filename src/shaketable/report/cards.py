"""Verdicts as cards: one per probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shaketable.blocks import Interval, Number, interval, plain
from shaketable.blocks.quantities import readable
from shaketable.report.sections import Shown
from shaketable.report.words import VERDICT_MEANINGS, VERDICTS
from shaketable.stored import Record, StoredRun, bounds, number, text


@dataclass(frozen=True, kw_only=True)
class VerdictCard:
    """The verdict of one probe, in words."""

    anchor: str
    title: str
    question: str
    verdict: str
    word: str
    sign: str
    meaning: str
    statement: str
    measure: str
    estimate: Number
    interval: Interval | None
    n_images: str


def order_of(shown: Sequence[Shown]) -> dict[str, str]:
    """The titles of the probes by their names, in the order of the page."""
    return {one.probe: one.section.title for one in shown}


def network_of(run: StoredRun, verdict: Record) -> str:
    """The network that a verdict holds for; runs of one network need not name it."""
    return text(verdict, "network", run.network) or run.network


def cards_of(run: StoredRun, shown: Sequence[Shown], network: str) -> tuple[VerdictCard, ...]:
    """Return the cards of a network in the order of the sections."""
    cards = []
    mine = [v for v in run.verdicts if len(run.networks) == 1 or network_of(run, v) == network]
    for one in shown:
        found = [verdict for verdict in mine if text(verdict, "probe") == one.probe]
        cards += [_card(verdict, one) for verdict in found] or [_absent(run, one)]
    return tuple(cards)


def domain_title(title: str, verdict: Record) -> str:
    """Return the title of a probe with the domain that a verdict holds for."""
    domain = text(verdict, "domain")
    return f"{title} of the {domain}" if domain else title


def _card(verdict: Record, one: Shown) -> VerdictCard:
    word = text(verdict, "verdict", "no result")
    low, high = bounds(verdict)
    n_images = number(verdict, "n_images")
    return VerdictCard(
        anchor=one.anchor,
        title=domain_title(one.section.title, verdict),
        question=one.section.question,
        verdict=word if word in VERDICTS else "no result",
        word=VERDICTS.get(word, (word.capitalize(), "–"))[0],
        sign=VERDICTS.get(word, (word, "–"))[1],
        meaning=VERDICT_MEANINGS.get(word, ""),
        statement=text(verdict, "statement"),
        measure=text(verdict, "measure", "estimate"),
        estimate=plain(number(verdict, "estimate")),
        interval=None if low is None and high is None else interval(low, high),
        n_images="" if n_images is None else f"{readable(n_images)} image" + "s" * (n_images != 1),
    )


def _absent(run: StoredRun, one: Shown) -> VerdictCard:
    if one.probe in run.planned or run.records(one.probe):
        verdict = "no result"
        statement = "The plan asked for this probe, but the run holds no verdict on it."
    elif one.probe in run.not_applicable:
        verdict = "not applicable"
        statement = f"This probe has no meaning for this network: {run.not_applicable[one.probe]}."
    else:
        verdict = "not run"
        statement = "This probe was not part of the run, so the run says nothing about it."
    word, sign = VERDICTS[verdict]
    return VerdictCard(
        anchor=one.anchor,
        title=one.section.title,
        question=one.section.question,
        verdict=verdict,
        word=word,
        sign=sign,
        meaning="",
        statement=statement,
        measure="",
        estimate=plain(None),
        interval=None,
        n_images="",
    )
