"""What the paper claims, what was measured here, and whether it holds; as HTML and Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Literal

from shaketable.blocks.quantities import readable
from shaketable.statistics import Interval

Outcome = Literal["holds", "in part", "does not hold", "open"]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim of the paper beside one measurement.

    Parameters
    ----------
    figure
        Number of the paper's figure.
    network
        Which network it is about.
    says
        The claim, in our words.
    quantity, unit
        What was measured.
    measured
        Mean over images, or share of draws, with its interval.
    units
        What `Interval.n` counts: ``"images"`` or ``"draws"``.
    rule
        When the claim counts as holding, in words.
    outcome
        Whether it does; ``"open"`` where the interval is too wide to say.
    """

    figure: int
    network: str
    says: str
    quantity: str
    unit: str
    measured: Interval
    units: str
    rule: str
    outcome: Outcome

    def plain(self) -> dict[str, object]:
        """As numbers and text, for JSON."""
        interval = [self.measured.low, self.measured.high]
        finite = all(abs(end) < float("inf") for end in interval)
        return {
            "figure": self.figure, "network": self.network, "claim": self.says,
            "quantity": self.quantity, "unit": self.unit, "estimate": self.measured.estimate,
            "interval": interval if finite else None, "n": self.measured.n, "of": self.units,
            "rule": self.rule, "outcome": self.outcome,
        }  # fmt: skip


def above(measured: Interval, whole: float, part: float) -> Outcome:
    """Holds where the interval lies above ``whole``, in part where it lies above ``part``.

    It does not hold where the interval lies below ``part``; else the interval is too wide to say.

    Examples
    --------
    >>> above(Interval(estimate=12.0, low=10.5, high=13.5, n=4), 10.0, 3.0)
    'holds'
    >>> above(Interval(estimate=12.0, low=-5.0, high=29.0, n=2), 10.0, 3.0)
    'open'
    """
    if measured.low > whole:
        return "holds"
    if measured.low > part:
        return "in part"
    return "does not hold" if measured.high <= part else "open"


def below(measured: Interval, whole: float, part: float) -> Outcome:
    """Holds where the interval lies below ``whole``, in part where it lies below ``part``.

    It does not hold where the interval lies above ``part``; else the interval is too wide to say.

    Examples
    --------
    >>> below(Interval(estimate=2.0, low=1.5, high=2.5, n=4), 1.0, 3.0)
    'in part'
    """
    mirrored = replace(
        measured, estimate=-measured.estimate, low=-measured.high, high=-measured.low
    )
    return above(mirrored, -whole, -part)


def within(measured: Interval, whole: float, part: float) -> Outcome:
    """Holds where the interval lies within ``± whole``, in part where within ``± part``.

    It does not hold where the interval lies outside of ``± part``; else it is too wide to say.

    Examples
    --------
    >>> within(Interval(estimate=0.1, low=-0.5, high=0.7, n=4), 1.0, 3.0)
    'holds'
    """
    largest = max(abs(measured.low), abs(measured.high))
    if largest < whole:
        return "holds"
    if largest < part:
        return "in part"
    return "does not hold" if measured.low >= part or measured.high <= -part else "open"


_HEADS = (
    "Figure",
    "Network",
    "The paper’s claim",
    "Measured here",
    "95 % interval",
    "Of",
    "Outcome",
)


def markdown(claims: Sequence[Claim]) -> str:
    """A table of claims, and the rules it goes by."""
    head = [f"| {' | '.join(_HEADS)} |", f"|{'---|' * len(_HEADS)}"]
    rows = [f"| {' | '.join(_cells(claim))} |" for claim in claims]
    rules = [f"- {line}" for line in _rules(claims)]
    fold = [
        "<details><summary>When a claim counts as holding</summary>",
        "",
        *rules,
        "",
        "</details>",
    ]
    return "\n".join([*head, *rows, "", *fold, ""])


def page(claims: Sequence[Claim]) -> str:
    """The same as one HTML file."""
    head = "".join(f"<th>{escape(name)}</th>" for name in _HEADS)
    rows = "".join(
        f'<tr class="{claim.outcome.replace(" ", "-")}">'
        + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(claim))
        + "</tr>"
        for claim in claims
    )
    rules = "".join(f"<li>{escape(line)}</li>" for line in _rules(claims))
    return _PAGE.format(head=head, rows=rows, rules=rules)


def _cells(claim: Claim) -> tuple[str, ...]:
    measured = claim.measured
    bounded = abs(measured.low) < float("inf") and abs(measured.high) < float("inf")
    interval = f"{readable(measured.low)} to {readable(measured.high)}" if bounded else "unbounded"
    return (
        str(claim.figure), claim.network, claim.says,
        f"{claim.quantity}: {readable(measured.estimate)} {claim.unit}".rstrip(), interval,
        f"{measured.n} {claim.units}", claim.outcome,
    )  # fmt: skip


def _rules(claims: Sequence[Claim]) -> tuple[str, ...]:
    """Every rule once, with all quantities that it judges."""
    judged: dict[str, dict[str, None]] = {}
    for claim in claims:
        judged.setdefault(claim.rule, {})[claim.quantity] = None
    return tuple(
        f"{rule[:1].upper()}{rule[1:]}. For: {'; '.join(quantities)}."
        for rule, quantities in judged.items()
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>The paper’s claims, measured</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 72rem;
  margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; vertical-align: top; padding: .5rem .75rem; border-bottom: 1px solid #ccc; }}
td:nth-child(5), td:nth-child(6) {{ white-space: nowrap; }}
td:last-child {{ font-weight: 600; white-space: nowrap; }}
tr.holds td:last-child {{ color: #0b6b3a; }}
tr.in-part td:last-child {{ color: #8a5a00; }}
tr.does-not-hold td:last-child {{ color: #a3261b; }}
tr.open td:last-child {{ color: #5c5c5c; }}
</style></head><body>
<h1>The paper’s claims, measured</h1>
<p>Antun, Renna, Poon, Adcock and Hansen, “On instabilities of deep learning in image reconstruction
and the potential costs of AI”, PNAS 117(48), 2020, beside what Shaketable measured on the networks at
hand. Worst cases are lower bounds: a stronger search may find more.</p>
<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>
<h2>When a claim counts as holding</h2>
<p>A claim does not hold where the interval lies on the other side of the second bound. It is open
where the interval is too wide to say.</p>
<ul>{rules}</ul>
</body></html>
"""
