"""Lines through the centre of Fourier space, on the Cartesian grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shaketable.errors import InputError
from shaketable.maps.sampling.sequence import (
    Order,
    SamplingSequence,
    checked_shape,
    point_rank,
    signed_frequencies,
)

# Half a turn divided by the golden ratio: any number of lines in a row is spread almost evenly.
GOLDEN_ANGLE = np.pi * (np.sqrt(5) - 1) / 2


def radial_lines(shape: tuple[int, int], *, first_angle: float = 0.0) -> SamplingSequence:
    """Radial lines on the grid in golden-angle order, nested over rates.

    Line ``i`` runs through DC at the angle ``first_angle + i * 111.25°`` and takes the grid points
    within half a step of it, one per step along its longer side, to the edges of the grid. Points
    are counted once, by the first line that holds them. The rate is exact in points: the last line
    is taken from DC outwards as far as the count goes.

    Parameters
    ----------
    shape
        ``(H, W)`` of the grid.
    first_angle
        Angle of the first line in radians, from the horizontal frequency axis.

    Returns
    -------
    SamplingSequence
        With ``mask(rate)`` of exactly ``round(rate * H * W)`` points, DC in all; nothing is
        random.

    Raises
    ------
    InputError
        If the shape or the angle is impossible.

    References
    ----------
    Winkelmann et al.: "An optimal radial profile order based on the golden ratio for time-resolved
    MRI", IEEE TMI 26 (2007).

    Examples
    --------
    >>> sequence = radial_lines((32, 32))
    >>> int(sequence.mask(0.2).sum()), bool(sequence.mask(0.001)[0, 0])
    (205, True)
    """
    shape = checked_shape(shape)
    if not np.isfinite(first_angle):
        raise InputError(f"Expected a finite first angle, got {first_angle}; give it in radians.")
    return SamplingSequence(
        name="radial lines",
        shape=shape,
        unit="points",
        rank=point_rank(shape, _spoke_order(shape, first_angle)),
        n_always=1,
        settings=(("first_angle", float(first_angle)),),
    )


def _spoke_order(shape: tuple[int, int], first_angle: float) -> Order:
    vertical = np.repeat(signed_frequencies(shape[0]), shape[1])
    horizontal = np.tile(signed_frequencies(shape[1]), shape[0])
    waiting = np.arange(vertical.size)
    order = []
    angle = first_angle
    while len(waiting):
        on_line = _is_on_line(vertical[waiting], horizontal[waiting], angle)
        line = waiting[on_line]
        outwards = np.argsort(np.hypot(vertical[line], horizontal[line]), kind="stable")
        order.append(line[outwards])
        waiting = waiting[~on_line]
        angle += GOLDEN_ANGLE
    return np.concatenate(order)


def _is_on_line(
    vertical: npt.NDArray[np.float64], horizontal: npt.NDArray[np.float64], angle: float
) -> npt.NDArray[np.bool_]:
    sine, cosine = np.sin(angle), np.cos(angle)
    # The offset across the line, measured along the axis that the line is steeper against.
    offset = np.abs(horizontal * sine - vertical * cosine) / max(abs(sine), abs(cosine))
    return np.asarray(offset <= 0.5, dtype=np.bool_)
