"""Confidence intervals: of a mean, of a ratio of paired numbers, of a share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from shaketable.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate with its two-sided confidence interval.

    Parameters
    ----------
    estimate, low, high
        The bounds are infinite where the data cannot bound them.
    n
        Number of independent units (images, draws).
    confidence
        Coverage, for example 0.95.
    """

    estimate: float
    low: float
    high: float
    n: int
    confidence: float = 0.95


def mean_interval(values: Sequence[float], *, confidence: float = 0.95) -> Interval:
    """Student's t interval of a mean.

    Parameters
    ----------
    values
        One number per independent unit; with a single one the interval is infinite.
    confidence
        Coverage.

    Raises
    ------
    InputError
        If there are no values or one is not finite.

    Examples
    --------
    >>> interval = mean_interval([1.0, 2.0, 3.0])
    >>> round(interval.low, 3), round(interval.high, 3)
    (-0.484, 4.484)
    """
    from scipy import stats

    _check(confidence)
    if len(values) == 0 or not all(math.isfinite(value) for value in values):
        raise InputError(
            f"Expected at least one value and only finite ones, got {list(values)}; "
            "leave failed measurements out and say so."
        )
    n = len(values)
    mean = math.fsum(values) / n
    if n == 1:
        return Interval(estimate=mean, low=-math.inf, high=math.inf, n=1, confidence=confidence)
    variance = math.fsum((value - mean) * (value - mean) for value in values) / (n - 1)
    half = float(stats.t.ppf(0.5 + confidence / 2, n - 1)) * math.sqrt(variance / n)
    return Interval(estimate=mean, low=mean - half, high=mean + half, n=n, confidence=confidence)


def ratio_interval(
    numerators: Sequence[float], denominators: Sequence[float], *, confidence: float = 0.95
) -> Interval:
    """Geometric mean of paired ratios, with the t interval of the mean log ratio.

    Parameters
    ----------
    numerators, denominators
        Positive numbers, paired by unit.
    confidence
        Coverage.

    Raises
    ------
    InputError
        If lengths differ or a number is not positive and finite.

    Examples
    --------
    >>> round(ratio_interval([2.0, 8.0], [1.0, 2.0]).estimate, 3)
    2.828
    """
    if len(numerators) != len(denominators):
        raise InputError(
            f"Expected pairs, got {len(numerators)} numerators and {len(denominators)} denominators; "
            "give both for every unit."
        )
    if not all(value > 0 and math.isfinite(value) for value in (*numerators, *denominators)):
        raise InputError(
            "Expected positive finite numbers for a ratio; leave zeros out and say so."
        )
    logs = [math.log(a) - math.log(b) for a, b in zip(numerators, denominators, strict=True)]
    interval = mean_interval(logs, confidence=confidence)
    return Interval(
        estimate=_exp(interval.estimate),
        low=_exp(interval.low),
        high=_exp(interval.high),
        n=interval.n,
        confidence=confidence,
    )


def share_interval(n_successes: int, n_trials: int, *, confidence: float = 0.95) -> Interval:
    """Clopper-Pearson interval of a share (Clopper and Pearson 1934): exact, conservative.

    Parameters
    ----------
    n_successes, n_trials
        Counts of independent trials.
    confidence
        Coverage.

    Raises
    ------
    InputError
        If the counts are not ``0 <= n_successes <= n_trials`` with at least one trial.

    Examples
    --------
    >>> interval = share_interval(10, 10)
    >>> round(interval.low, 3), interval.high
    (0.692, 1.0)
    """
    from scipy import stats

    _check(confidence)
    if not 0 <= n_successes <= n_trials or n_trials < 1:
        raise InputError(
            f"Expected 0 <= successes <= trials and at least one trial, got "
            f"{n_successes} of {n_trials}; count again."
        )
    bounds = stats.binomtest(n_successes, n_trials).proportion_ci(confidence, method="exact")
    return Interval(
        estimate=n_successes / n_trials,
        low=float(bounds.low),
        high=float(bounds.high),
        n=n_trials,
        confidence=confidence,
    )


def _exp(value: float) -> float:
    """The exponential, infinite instead of an error where it leaves the range of numbers."""
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def _check(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise InputError(f"Expected a confidence between 0 and 1, got {confidence}; 0.95 is usual.")
