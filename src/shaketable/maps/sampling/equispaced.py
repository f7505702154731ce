"""Evenly spaced lines of Fourier space with a full centre."""

from __future__ import annotations

import numpy as np

from shaketable.errors import InputError
from shaketable.maps.sampling.sequence import (
    Lines,
    Order,
    SamplingSequence,
    centre_indices,
    checked_shape,
    line_rank,
    n_lines,
)


def equispaced_lines(
    shape: tuple[int, int], *, rate: float, n_center: int = 8, lines: Lines = "rows"
) -> SamplingSequence:
    """Evenly spaced Cartesian lines around a full centre, nested over rates.

    At the rate the pattern is made for, ``mask(rate)`` is the classical one: the ``n_center``
    lines around DC and, of the lines outside, every k-th, ``k`` a fraction if need be, so that
    ``round(rate * N)`` lines are sampled. Classical patterns of two rates are not nested, so other
    rates come by refinement: below, the lines of the classical pattern are taken in the order
    that fills the largest gap first; above, the lines it leaves out follow in the same order.

    Parameters
    ----------
    shape
        ``(H, W)`` of the grid.
    rate
        The rate of the classical pattern, as a share of all lines, centre lines included.
    n_center
        How many lines around DC every mask holds.
    lines
        ``"rows"`` samples whole rows (axis -2), ``"columns"`` whole columns.

    Returns
    -------
    SamplingSequence
        With ``mask(rate)`` of exactly ``round(rate * N)`` lines; nothing is random.

    Raises
    ------
    InputError
        If the shape or the number of centre lines is impossible, or the rate too low for them.

    References
    ----------
    Hammernik et al.: "Learning a variational network for reconstruction of accelerated MRI data",
    Magn. Reson. Med. 79 (2018): 28 centre lines and regular undersampling outside; in the paper 58
    of 368 lines (called 15 %), which is ``rate=58 / 368, n_center=28``.

    Examples
    --------
    >>> sequence = equispaced_lines((16, 4), rate=0.5, n_center=2)
    >>> sequence.mask(0.5)[:, 0].nonzero().flatten().tolist()
    [0, 2, 4, 6, 9, 11, 13, 15]
    """
    shape = checked_shape(shape)
    length = n_lines(shape, lines)
    centre = centre_indices(length, n_center)
    n_outside = (round(rate * length) if 0 < rate <= 1 else 0) - n_center
    if n_outside < 0 or n_outside + n_center == 0:
        raise InputError(
            f"Expected a rate between {max(n_center, 1) / length:.4g} (the {n_center} centre lines "
            f"of {length}) and 1, got {rate}; raise it or take fewer centre lines."
        )
    # Ascending indices run from just above the centre over the highest frequency to just below it.
    outside = np.setdiff1d(np.arange(length), centre)
    steps = (np.arange(n_outside) + 0.5) * len(outside) / max(n_outside, 1)
    classical = _largest_gap_first(outside[steps.astype(np.int64)], centre, length)
    left_out = np.setdiff1d(outside, classical)
    order = np.concatenate([centre, classical])
    order = np.concatenate([order, _largest_gap_first(left_out, order, length)])
    return SamplingSequence(
        name="equispaced lines",
        shape=shape,
        unit=lines,
        rank=line_rank(shape, order, lines),
        n_always=n_center,
        settings=(("rate", float(rate)), ("n_center", n_center)),
    )


def _largest_gap_first(candidates: Order, present: Order, length: int) -> Order:
    """Order lines so that each is the farthest from all before it; of equals the lowest.

    Distances are periodic, as Fourier space is.
    """
    distance = np.full(length, length, dtype=np.int64)
    for line in present:
        distance = np.minimum(distance, _periodic_distance(int(line), length))
    from_centre = _periodic_distance(0, length)[candidates]
    waiting = candidates[np.argsort(from_centre, kind="stable")]
    order = np.empty(len(waiting), dtype=np.int64)
    for position in range(len(order)):
        chosen = int(np.argmax(distance[waiting]))
        order[position] = waiting[chosen]
        distance = np.minimum(distance, _periodic_distance(int(waiting[chosen]), length))
        waiting = np.delete(waiting, chosen)
    return order


def _periodic_distance(line: int, length: int) -> Order:
    gap = np.abs(np.arange(length) - line)
    return np.asarray(np.minimum(gap, length - gap), dtype=np.int64)
