"""Evidence that a search can find things: all plants of `shaketable.testing`, as one check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from shaketable.checks import Check
from shaketable.problem import Problem
from shaketable.search import Domain, Search
from shaketable.testing import StrengthReport, Trial, strength


@dataclass(frozen=True, kw_only=True)
class StrengthCheck(Check):
    """The check of a search, with everything it was tested on.

    Parameters
    ----------
    trials
        One per plant, those that the check does not demand included.
    """

    trials: tuple[Trial, ...]


def strength_check(
    problem: Problem, images: Tensor, domain: Domain, search: Search, seed: int, *, name: str
) -> StrengthCheck:
    """Let the configured search look for everything whose worst case is known.

    Passed where 90 % of the answer is found for every plant that gradients lead to from any start:
    linear maps of several spectra, saturated, piecewise-linear and gated maps, one region, one image
    of a batch. A search that misses one of them is badly tuned or too short, and its small damage
    means nothing. The other plants are not demanded: a dead zone around the image has no slope to
    follow, and among separate local maxima a single start takes its chance, so no budget settles
    them. They are recorded all the same, and statements name those that were missed.

    Parameters
    ----------
    problem
        Its map, image kind and shape are used, not its reconstructor.
    images
        ``(B, *image_shape)``; the first is used.
    domain, search, seed
        As the probe uses them.
    name
        What the check is called.
    """
    report = strength(search, problem, images, domain=domain, seed=seed)
    return StrengthCheck(
        name=name, value=report.share, limit=max(trial.reach for trial in report.required),
        passed=report.passed, sentence=_sentence(report), trials=report.trials,
    )  # fmt: skip


def doubt_of_strength(evidence: Sequence[Check]) -> str:
    """Why the search proves nothing; empty where it has shown its strength."""
    if evidence and all(check.passed for check in evidence):
        return ""
    return ", but the search has not shown that it finds planted instabilities"


def not_covered(evidence: Sequence[Check]) -> str:
    """What a strong search did not find either, for the statement of a "stable"; empty for nothing."""
    trials = [trial for check in evidence if isinstance(check, StrengthCheck)
              for trial in check.trials]  # fmt: skip
    missed = [f"\N{LEFT DOUBLE QUOTATION MARK}{trial.name}\N{RIGHT DOUBLE QUOTATION MARK}"
              for trial in trials if not trial.found]  # fmt: skip
    if not missed:
        return ""
    return f"; of the instabilities it was tested on the search did not find {' and '.join(missed)}"


def _sentence(report: StrengthReport) -> str:
    n_found, n_planted = sum(trial.found for trial in report.trials), len(report.trials)
    if not report.passed:
        weakest = min(report.required, key=lambda trial: trial.share)
        missed = [trial.name for trial in report.required if not trial.found]
        text = (
            f"Expected the configured search to find at least {weakest.reach:.0%} of every planted "
            f"instability that gradients lead to, got {weakest.share:.1%} for "
            f"\N{LEFT DOUBLE QUOTATION MARK}{weakest.name}\N{RIGHT DOUBLE QUOTATION MARK} "
            f"({len(missed)} of {len(report.required)} not found: {', '.join(missed)}); raise "
            "n_gradients: a search this weak cannot call anything stable."
        )
    else:
        most = max(trial.n_gradients for trial in report.trials)
        text = (
            f"The configured search found {n_found} of {n_planted} planted instabilities of known "
            f"size, with at most {most:,} gradients each."
        )
        if report.missed:
            text += f" Not found: {', '.join(report.missed)}."
    return f"{text} {report.note}".strip()
