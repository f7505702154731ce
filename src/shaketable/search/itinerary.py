"""Where a path over radii goes: up, beyond the largest, and back, with what it may spend on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shaketable.search.radii import LARGEST_RADIUS

_LONG = 100  # gradients per radius; with 60, stones cost stable methods more than they bring
_STONES_BELOW = (0.25, 0.5)  # of the smallest radius
_BEYOND = 1.4  # of the largest
# Shares of the gradients per radius: of the first search, which starts at random, of the second stone, of
# every radius on the way up, and of the stone beyond them. The way back has the rest.
_FIRST, _SECOND, _UP, _TOP = 0.4, 0.1, 0.28, 0.46


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One search of a path; all but the first continue the leg before.

    Parameters
    ----------
    radius
        Relative.
    n_gradients
        What it may spend.
    index
        Of the radius asked for that counts what is spent.
    asked
        Whether this is that radius, not a stone on the way to it.
    returns
        Whether it lies on the way back.
    free
        Whether it moves as far as a search from a random point may.
    """

    radius: float
    n_gradients: int
    index: int
    asked: bool = True
    returns: bool = False
    free: bool = False


def itinerary(radii: tuple[float, ...], n_gradients: int) -> tuple[Leg, ...]:
    """The legs of a path over increasing radii.

    Parameters
    ----------
    radii
        Relative, strictly increasing.
    n_gradients
        For every radius asked for. All legs together spend no more than that times the number of
        radii.

    Examples
    --------
    >>> [(leg.radius, leg.n_gradients) for leg in itinerary((0.01, 0.02), 20)]
    [(0.01, 10), (0.02, 20), (0.01, 10)]
    >>> [(leg.radius, leg.n_gradients) for leg in itinerary((0.25, 0.5), 100)]
    [(0.0625, 40), (0.125, 10), (0.25, 28), (0.5, 28), (0.7, 46), (0.5, 24), (0.25, 24)]
    """
    if n_gradients < _LONG or len(radii) == 1:
        return _short(radii, n_gradients)
    return _with_stones(radii, n_gradients)


def _short(radii: tuple[float, ...], n_gradients: int) -> tuple[Leg, ...]:
    """Half of the gradients on the way up, half on the way back."""
    half, last = max(n_gradients // 2, 1), len(radii) - 1
    there = [_leg(radii, k, n_gradients if k == last else half) for k in range(len(radii))]
    rest = n_gradients - half
    back = [_leg(radii, k, rest, returns=True) for k in reversed(range(last)) if rest > 0]
    return (*there, *back)


def _with_stones(radii: tuple[float, ...], n_gradients: int) -> tuple[Leg, ...]:
    """Most of the gradients on the way back: what the way up finds only has to lie in a good place."""
    last = len(radii) - 1
    first, second, up, top = (int(s * n_gradients) for s in (_FIRST, _SECOND, _UP, _TOP))
    quarter, half = (share * radii[0] for share in _STONES_BELOW)
    beyond = min(_BEYOND * radii[last], LARGEST_RADIUS)
    there = [_stone(quarter, 0, first), _stone(half, 0, second)]
    there += [_leg(radii, k, up) for k in range(len(radii))]
    there.append(replace(_stone(beyond, last, top), free=True))
    rest = n_gradients * len(radii) - sum(leg.n_gradients for leg in there)
    back = [_leg(radii, k, rest // len(radii), returns=True) for k in reversed(range(len(radii)))]
    return (*there, *back)


def _leg(radii: tuple[float, ...], index: int, n_gradients: int, *, returns: bool = False) -> Leg:
    return Leg(radius=radii[index], n_gradients=n_gradients, index=index, returns=returns)


def _stone(radius: float, index: int, n_gradients: int) -> Leg:
    return Leg(radius=radius, n_gradients=n_gradients, index=index, asked=False)
