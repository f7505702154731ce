"""The fixed words of the report: what each verdict means."""

from __future__ import annotations

VERDICTS = {
    "unstable": ("Unstable", "✕"),
    "stable": ("Stable", "✓"),
    "inconclusive": ("Inconclusive", "?"),
    "not run": ("Not run", "–"),
    "not applicable": ("Not applicable", "–"),
    "no result": ("No result", "–"),
}

VERDICT_MEANINGS = {
    "unstable": "significantly worse than the reference method, or beyond a limit of the plan",
    "stable": "not worse than the reference method, or within the limit, beyond statistical doubt",
    "inconclusive": "the evidence does not decide; more images or a longer search may",
}

COMPARISONS = {
    "better": ("Better", "✓", "stable"),
    "worse": ("Worse", "✕", "unstable"),
    "inconclusive": ("Inconclusive", "?", "inconclusive"),
}
