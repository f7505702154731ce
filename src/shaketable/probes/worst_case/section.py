"""What the worst-case probe contributes to a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from shaketable.blocks import Caveat, Entry, Heading, Measure, Note, Section, Table
from shaketable.blocks.quantities import (
    counted,
    decibel,
    listed,
    mean,
    percent,
    plain,
    readable,
    same,
)
from shaketable.blocks.tables import LONGEST_TABLE
from shaketable.blocks.wording import status_of
from shaketable.probes.worst_case.damage import damage_blocks
from shaketable.probes.worst_case.derived import Records, domain_of
from shaketable.probes.worst_case.highlight import highlight
from shaketable.probes.worst_case.panels import pictures
from shaketable.probes.worst_case.record import WorstCaseRecord
from shaketable.stored import StoredRun

STATUSES = {
    "found": "the search ran to its end; the damage is a lower bound",
    "stuck": (
        "the gradient was exactly zero and the search never moved, so it found nothing: "
        "this is not evidence of stability"
    ),
    "not finite": "the reconstruction or its gradient became NaN (not a number) or infinite",
    "no response": "the reconstruction did not react to any perturbation that was tried",
    "budget spent": "the time allowed ended before the search did; more would raise the damage",
    "interrupted": "the search was stopped from outside; the damage is what was found by then",
}
_UNKNOWN = "a status that this version of the report does not know"
_GAP = (
    "The <dfn>solver gap</dfn> says how far the reference method was from its exact solution when "
    "it was evaluated (0 = exact)."
)


def section(run: StoredRun) -> Section:
    """Return pictures, damage against size, and what follows for the rest of the page."""
    records = run.records_of(WorstCaseRecord, "worst_case")
    title = "Worst case"
    question = "Can a tiny change of the input change the reconstruction a lot?"
    absent = "this run holds no search for worst cases."
    if not records:
        return Section(title=title, question=question, absent=absent)
    return Section(
        title=title,
        question=question,
        absent=absent,
        blocks=(
            _introduction(run),
            pictures(run, records),
            Heading(title="Damage against size", level=2, short="Damage and size"),
            *damage_blocks(run, records),
        ),
        summary=_summary(run, records),
        highlight=highlight(run, records),
        caveats=_caveats(records),
        evidence=_evidence(run, records),
        replay=_replay(records),
    )


def _introduction(run: StoredRun) -> Note:
    several = len(run.networks) > 1
    order = (
        "The perturbations grow from left to right. The pictures of the network that changed most come "
        "first and end with a control: a random perturbation of the same size. Below stands the "
        "reference method, first under the perturbation that was made for this network, then under "
        "one that was searched for it with the same settings. The other networks are folded away."
        if several
        else "The perturbations grow from left to right. The network’s pictures end with a control: a "
        "random perturbation of the same size. Below stands the reference method, first under the "
        "perturbation that was made for the network, then under one that was searched for it with "
        "the same settings."
    )
    return Note(
        text=(
            "A <dfn>perturbation</dfn> <i>r</i> is a change of the input. Its size is the Euclidean "
            "norm ‖<i>r</i>‖, given relative to the image, ‖<i>r</i>‖ / ‖<i>x</i>‖, or, for a change "
            "<i>e</i> of the measured data <i>y</i> = <i>Ax</i>, relative to the data. A search looks "
            "for the perturbation of a given size that changes the reconstruction most. What it "
            "finds is a <dfn>lower bound</dfn>: at least this much damage is possible.",
            order,
        )
    )


def _summary(run: StoredRun, records: Records) -> tuple[Measure, ...]:
    own = {method: [r for r in records if r.method == method] for method in run.methods}
    measures = [
        Measure(
            name="PSNR without any perturbation",
            values={m: decibel(mean(r.clean_psnr for r in rows)) for m, rows in own.items()},
        )
    ]
    for domain in dict.fromkeys(domain_of(record) for record in records):
        top = max((r.radius for r in records if domain_of(r) == domain and r.radius), default=None)
        at_top = {
            method: [r for r in rows if domain_of(r) == domain and same(r.radius, top)]
            for method, rows in own.items()
        }
        size = f"{percent(top)} perturbation of the {domain}"
        worst = {m: plain(mean(r.amplification for r in rows)) for m, rows in at_top.items()}
        random = {
            m: plain(mean(r.random_amplification for r in rows)) for m, rows in at_top.items()
        }
        name = f"Amplification of the worst {size} found (lower bound)"
        measures += [
            Measure(name=name, values=worst),
            Measure(name=f"Amplification of a random {size}", values=random),
        ]
    return tuple(measures)


def _caveats(records: Records) -> tuple[Caveat, ...]:
    caveats = [
        Caveat(
            title="A worst case is a lower bound",
            text="The search finds bad perturbations, not the worst that exist. An unstable network "
            "is proven by one example; a stable one is only as certain as the search is strong.",
        ),
        Caveat(
            title="No statement on frequency",
            text="The perturbations were looked for on purpose. The report does not say how often "
            "something like them occurs in practice.",
        ),
        Caveat(
            title="Invisible is not measured",
            text="Sizes are Euclidean norms. Whether an eye sees a perturbation of a given size "
            "depends on the image, the display and the reader.",
        ),
    ]
    trouble = Counter(status_of(record.status) for record in records)
    trouble.pop("found", None)
    if trouble:
        ended = listed(f"{count} “{status}”" for status, count in sorted(trouble.items()))
        text = (
            f"Of {counted(len(records), 'search', 'searches')}: {ended}. A search that is stuck or has "
            "run out of budget may have missed something; it is not evidence of stability."
        )
        caveats.append(Caveat(title="Not every search ended as planned", text=text))
    return tuple(caveats)


def _evidence(run: StoredRun, records: Records) -> tuple[Heading | Table | Note, ...]:
    counts = Counter((record.method, status_of(record.status)) for record in records)
    entries: list[tuple[Entry, ...]] = []
    for method in run.methods:
        gap = max((r.solver_gap or 0.0 for r in records if r.method == method), default=0.0)
        for status in sorted(status for name, status in counts if name == method):
            count = plain(float(counts[method, status]))
            meaning = STATUSES.get(status, _UNKNOWN)
            entries.append((method, status, count, meaning, readable(gap) if gap else "–"))
    table = Table(
        caption="How the searches for worst cases ended: one search per image, domain and size.",
        columns=("Method", "Ended", "Searches", "Meaning", "Largest solver gap"),
        rows=tuple(entries),
    )
    has_gaps = any(record.solver_gap is not None for record in records)
    gap_note = (Note(text=(_GAP,), style="small"),) if has_gaps else ()
    return (Heading(title="How the searches ended"), table, *gap_note)


def _replay(records: Sequence[WorstCaseRecord]) -> tuple[Table, ...]:
    stored = [record for record in records if record.replay_sha256]
    if not stored:
        return ()
    shown = stored[:LONGEST_TABLE]
    rows = tuple(
        (
            record.image,
            domain_of(record),
            record.method,
            readable(record.radius),
            str(record.seed),
            str(record.n_gradients),
            record.replay_sha256,
        )
        for record in shown
    )
    table = Table(
        caption="The perturbations that were found, as stored in the arrays folder; "
        "records.jsonl lists all of them.",
        columns=("Image", "Domain", "Method", "Radius", "Seed", "Gradients", "SHA-256"),
        rows=rows,
        fold=f"Hashes and seeds of {len(shown)} of {len(stored)} perturbations",
    )
    return (table,)
