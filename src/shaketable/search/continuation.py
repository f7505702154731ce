"""The continuation schedule of a path over radii: up, beyond the largest, and back down.

Continuation (homotopy) solves a hard problem by way of easier ones, each started from the solution of
the one before it. Here the parameter is the radius.
"""

from __future__ import annotations

from dataclasses import dataclass

from shaketable.search.radii import LARGEST_RADIUS

AUXILIARY_FROM = 100
"""Gradients per radius from which a schedule has auxiliary radii; with 60, they cost reference methods
more than they bring."""

_BELOW = (0.25, 0.5)  # auxiliary radii, of the smallest
_BEYOND = 1.4  # and one of the largest
# Shares of the gradients per radius: of the first search, which starts at random, of the one at the
# second auxiliary radius, of every requested radius on the way up, and of the search beyond them. The
# way down has the rest.
_FIRST, _SECOND, _UP, _TOP = 0.4, 0.1, 0.28, 0.46


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One search of a schedule; all but the first continue the stage before.

    Parameters
    ----------
    radius
        Relative.
    n_gradients
        What it may spend.
    index
        Of the requested radius that it counts for.
    requested
        It searches at that radius; else at an auxiliary one beside it.
    descending
        It lies on the way down.
    warm_start
        It stays near the result of the stage before; else it moves as far as a search from a random
        point.
    """

    radius: float
    n_gradients: int
    index: int
    requested: bool = True
    descending: bool = False
    warm_start: bool = True


def continuation_schedule(radii: tuple[float, ...], n_gradients: int) -> tuple[Stage, ...]:
    """The stages of a path over increasing radii.

    One radius is one search. With fewer than 100 gradients per radius half of them go up, half down;
    with more, most go down, and there are auxiliary radii: a quarter and half of the smallest, and
    1.4 times the largest.

    Parameters
    ----------
    radii
        Relative, strictly increasing.
    n_gradients
        For every requested radius. All stages together spend no more than that times the number of
        radii.

    Examples
    --------
    >>> [(stage.radius, stage.n_gradients) for stage in continuation_schedule((0.01, 0.02), 20)]
    [(0.01, 10), (0.02, 20), (0.01, 10)]
    >>> [(stage.radius, stage.n_gradients) for stage in continuation_schedule((0.25, 0.5), 100)]
    [(0.0625, 40), (0.125, 10), (0.25, 28), (0.5, 28), (0.7, 46), (0.5, 24), (0.25, 24)]
    """
    if n_gradients < AUXILIARY_FROM or len(radii) == 1:
        return _requested_only(radii, n_gradients)
    return _with_auxiliary(radii, n_gradients)


def _requested_only(radii: tuple[float, ...], n_gradients: int) -> tuple[Stage, ...]:
    """Half of the gradients on the way up, half on the way down."""
    half, last = max(n_gradients // 2, 1), len(radii) - 1
    up = [_stage(radii, k, n_gradients if k == last else half) for k in range(len(radii))]
    rest = n_gradients - half
    down = [_stage(radii, k, rest, descending=True) for k in reversed(range(last)) if rest > 0]
    return (*up, *down)


def _with_auxiliary(radii: tuple[float, ...], n_gradients: int) -> tuple[Stage, ...]:
    """Most of the gradients on the way down: what the way up finds only has to lie in a good basin."""
    last, n = len(radii) - 1, len(radii)
    first, second, each, top = (int(s * n_gradients) for s in (_FIRST, _SECOND, _UP, _TOP))
    quarter, half = (share * radii[0] for share in _BELOW)
    beyond = min(_BEYOND * radii[last], LARGEST_RADIUS)
    up = [_auxiliary(quarter, 0, first), _auxiliary(half, 0, second)]
    up += [_stage(radii, k, each) for k in range(n)]
    up.append(_auxiliary(beyond, last, top, warm_start=False))
    rest = n_gradients * n - sum(stage.n_gradients for stage in up)
    down = [_stage(radii, k, rest // n, descending=True) for k in reversed(range(n))]
    return (*up, *down)


def _stage(
    radii: tuple[float, ...], index: int, n_gradients: int, *, descending: bool = False
) -> Stage:
    return Stage(radius=radii[index], n_gradients=n_gradients, index=index, descending=descending)


def _auxiliary(radius: float, index: int, n_gradients: int, *, warm_start: bool = True) -> Stage:
    return Stage(
        radius=radius, n_gradients=n_gradients, index=index, requested=False, warm_start=warm_start
    )
