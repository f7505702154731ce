"""What was tested, and the verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shaketable.report.quantities import (
    Interval,
    Number,
    counted,
    interval,
    listed,
    percent,
    plain,
    readable,
)
from shaketable.report.views import sampling_rows
from shaketable.report.words import PROBES, QUESTIONS, VERDICT_MEANINGS, VERDICTS, title_of
from shaketable.stored import Record, StoredRun, bounds, mapping, number, text
from shaketable.stored import sequence as items_of


@dataclass(frozen=True, kw_only=True)
class VerdictCard:
    """The verdict of one probe, in words."""

    probe: str
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


@dataclass(frozen=True, kw_only=True)
class Header:
    """The top of the report."""

    network: str
    lead: str
    overall: str
    facts: tuple[tuple[str, str], ...]
    cards: tuple[VerdictCard, ...]


def build_header(run: StoredRun) -> Header:
    """Return the top of the report: what was tested, and one card per probe."""
    cards = _cards(run)
    return Header(
        network=run.network,
        lead=_lead(run),
        overall=_overall(cards),
        facts=_facts(run),
        cards=cards,
    )


def sampling_rate(run: StoredRun) -> float | None:
    """Return the share of samples that the network was tested at."""
    described = mapping(run.problem, "map")
    rate = number(described, "rate")
    if rate is None:
        rate = number(mapping(described, "sampling"), "rate")
    trained = (row.trained_rate for row in sampling_rows(run))
    return rate if rate is not None else next((r for r in trained if r is not None), None)


def _lead(run: StoredRun) -> str:
    beside = f"and, beside it, with {listed(run.baselines)}" if run.baselines else "alone"
    rate = sampling_rate(run)
    share = "" if rate is None else f" from {percent(rate)} of the samples"
    count = counted(len(run.images), "image") if run.images else "Images"
    verb = "was" if len(run.images) == 1 else "were"
    return (
        f"{count} {verb} reconstructed with the network {run.network} {beside}{share}. "
        "Then the input was changed a little on purpose, to see what the reconstructions do."
    )


def _overall(cards: Sequence[VerdictCard]) -> str:
    decided = [card for card in cards if card.verdict in ("unstable", "stable", "inconclusive")]
    if not decided:
        return "No probe of this run reached a verdict."
    parts = [
        f"{sum(card.verdict == word for card in decided)} {word}"
        for word in ("unstable", "stable", "inconclusive")
        if any(card.verdict == word for card in decided)
    ]
    return f"{counted(len(decided), 'verdict')} on the network: {listed(parts)}."


def _facts(run: StoredRun) -> tuple[tuple[str, str], ...]:
    described = mapping(run.problem, "map")
    kind = text(described, "type") or text(described, "name") or "not described"
    shapes = (items_of(image, "shape") for image in run.images)
    sizes = dict.fromkeys(" × ".join(str(side) for side in shape) for shape in shapes if shape)
    rate = sampling_rate(run)
    values = "real" if run.problem.get("real") is True else "complex"
    units = text(run.problem, "units")
    tool = mapping(run.results, "tool")
    facts = (
        ("Network", run.network),
        ("Stable method" + ("s" if len(run.baselines) > 1 else ""), listed(run.baselines)),
        ("Forward map", kind.replace("_", " ")),
        ("Sampling rate", "" if rate is None else str(percent(rate))),
        ("Images", f"{len(run.images)}, {values}" + (f", {listed(sizes)} pixels" if sizes else "")),
        ("Units of the images", units),
        ("Seed", text(run.plan, "seed")),
        ("Made with", " ".join(filter(None, [text(tool, "name"), text(tool, "version")]))),
    )
    return tuple((name, value) for name, value in facts if value)


def _cards(run: StoredRun) -> tuple[VerdictCard, ...]:
    verdicts = [v for v in items_of(run.results, "verdicts") if hasattr(v, "get")]
    named = [text(verdict, "probe") for verdict in verdicts]
    missing = [probe for probe in PROBES if probe not in named]
    cards = [_card(verdict) for verdict in verdicts] + [_absent(run, p) for p in missing]
    order = {probe: index for index, probe in enumerate(PROBES)}
    return tuple(sorted(cards, key=lambda card: order.get(card.probe, len(PROBES))))


def _card(verdict: Record) -> VerdictCard:
    probe = text(verdict, "probe")
    word = text(verdict, "verdict", "no result")
    low, high = bounds(verdict)
    n_images = number(verdict, "n_images")
    domain = text(verdict, "domain")
    return VerdictCard(
        probe=probe,
        anchor=probe.replace("_", "-") if probe in PROBES else "",
        title=title_of(probe) + (f" of the {domain}" if domain else ""),
        question=QUESTIONS.get(probe, ""),
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


def _absent(run: StoredRun, probe: str) -> VerdictCard:
    if probe in run.planned or run.records(probe):
        verdict = "no result"
        statement = "The plan asked for this probe, but the run holds no verdict on it."
    elif probe in run.not_applicable:
        verdict = "not applicable"
        statement = f"This probe has no meaning for this network: {run.not_applicable[probe]}."
    else:
        verdict = "not run"
        statement = "This probe was not part of the run, so the run says nothing about it."
    word, sign = VERDICTS[verdict]
    return VerdictCard(
        probe=probe,
        anchor=probe.replace("_", "-") if probe in PROBES else "",
        title=title_of(probe),
        question=QUESTIONS[probe],
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
