"""The fixed words of the report: what each probe asks, what each status and verdict means."""

from __future__ import annotations

PROBES = ("worst_case", "structural", "sampling", "neighbourhood")

TITLES = {
    "worst_case": "Worst-case perturbations",
    "structural": "Small details",
    "sampling": "More and fewer samples",
    "neighbourhood": "Neighbourhood of the worst case",
}

QUESTIONS = {
    "worst_case": "Can a tiny change of the input change the reconstruction a lot?",
    "structural": "Does a small detail that is in the data survive in the reconstruction?",
    "sampling": "Does the reconstruction get better when it is given more samples?",
    "neighbourhood": "Does a bad perturbation stay bad when noise is added to it?",
}

VERDICTS = {
    "unstable": ("Unstable", "✕"),
    "stable": ("Stable", "✓"),
    "inconclusive": ("Inconclusive", "?"),
    "not run": ("Not run", "–"),
    "not applicable": ("Not applicable", "–"),
    "no result": ("No result", "–"),
}

VERDICT_MEANINGS = {
    "unstable": "significantly worse than the stable method, or beyond a limit of the plan",
    "stable": "not worse than the stable method, or within the limit, beyond statistical doubt",
    "inconclusive": "the evidence does not decide; more images or a longer search may",
}

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


def title_of(probe: str) -> str:
    """Return the heading of a probe, also of one that this version does not know."""
    return TITLES.get(probe) or probe.replace("_", " ").capitalize() or "Unnamed probe"


def status_of(status: str) -> str:
    """Return a status as readers see it, whatever way it is written in the record."""
    return status.replace("_", " ").lower() or "no status"


def subscript(index: int) -> str:
    """Return a small number: ``subscript(12)`` is "₁₂"."""
    return str(index).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
