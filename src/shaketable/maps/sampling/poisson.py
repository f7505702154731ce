"""Points of Fourier space that keep a distance from each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shaketable.errors import InputError
from shaketable.maps.sampling.sequence import (
    Order,
    SamplingSequence,
    centre_indices,
    checked_shape,
    generator,
    point_rank,
    signed_frequencies,
)

Floats = npt.NDArray[np.float64]

# The radius shrinks by this factor between two rounds of throwing: finer rounds pack no denser.
_SHRINK = 0.92


def poisson_disc(
    shape: tuple[int, int], *, seed: int, slope: float = 2.0, n_center: int = 8
) -> SamplingSequence:
    """Random points that keep a distance growing with frequency, nested over rates.

    Points are thrown in random order and kept where no earlier point lies nearer than
    ``radius * (1 + slope * d)``, ``d`` the distance of the new point from DC as a share of the
    half-width of the grid. When no point fits any more the radius shrinks and throwing goes on, so
    every prefix of the order is a Poisson disc pattern of the radius reached by then (relaxed dart
    throwing).

    Parameters
    ----------
    shape
        ``(H, W)`` of the grid.
    seed
        Decides the draw.
    slope
        How much the distance grows towards the edge; 0 gives a uniform density.
    n_center
        Side of the square around DC that every mask holds; distances do not count in it.

    Returns
    -------
    SamplingSequence
        With ``mask(rate)`` of exactly ``round(rate * H * W)`` points.

    Raises
    ------
    InputError
        If the shape, the slope or the size of the centre is impossible.

    References
    ----------
    McCool and Fiume: "Hierarchical Poisson disk sampling distributions", Graphics Interface 1992.

    Examples
    --------
    >>> sequence = poisson_disc((32, 32), seed=0, n_center=4)
    >>> int(sequence.mask(0.25).sum())
    256
    """
    shape = checked_shape(shape)
    if not 0 <= slope < np.inf:
        raise InputError(
            f"Expected a slope of at least 0, got {slope}; "
            "0 gives a uniform density, 2 three times the distance at the edge."
        )
    rows = centre_indices(shape[0], n_center)
    columns = centre_indices(shape[1], n_center)
    centre = (rows[:, None] * shape[1] + columns[None, :]).ravel()
    order, _ = poisson_order(shape, centre, slope, generator(seed))
    return SamplingSequence(
        name="poisson disc",
        shape=shape,
        unit="points",
        rank=point_rank(shape, order),
        n_always=len(centre),
        seed=seed,
        settings=(("slope", float(slope)), ("n_center", n_center)),
    )


def poisson_order(
    shape: tuple[int, int], centre: Order, slope: float, random: np.random.Generator
) -> tuple[Order, Floats]:
    """Return flat indices in the order they are kept, and the radius each was kept at.

    A point outside the centre has the distance ``radius * (1 + slope * d)`` or more from every
    earlier point outside the centre, on the periodic grid.
    """
    throw = _Throw(shape, slope)
    candidates = np.setdiff1d(np.arange(shape[0] * shape[1]), centre)
    # Ranks of uniform doubles, whose stream is the same over NumPy's versions.
    candidates = candidates[np.argsort(random.random(len(candidates)), kind="stable")]
    kept, radii = [centre], [np.full(len(centre), np.inf)]
    radius = float(max(shape))
    # At radius 1 or less every grid point is far enough from every other one.
    while len(candidates) and radius * throw.scale.max() > 1:
        chosen = throw.fill(candidates, radius)
        kept.append(chosen)
        radii.append(np.full(len(chosen), radius))
        candidates = candidates[~np.isin(candidates, chosen)]
        radius *= _SHRINK
    kept.append(candidates)
    radii.append(np.full(len(candidates), radius))
    return np.concatenate(kept), np.concatenate(radii)


class _Throw:
    """The state of throwing: how far each grid point is from the nearest kept one."""

    def __init__(self, shape: tuple[int, int], slope: float) -> None:
        self.shape = shape
        vertical, horizontal = (signed_frequencies(length) for length in shape)
        share = np.hypot(
            vertical[:, None] / max(shape[0] / 2, 1), horizontal[None, :] / max(shape[1] / 2, 1)
        )
        self.scale: Floats = 1 + slope * share.ravel()
        self.distance: Floats = np.full(shape[0] * shape[1], np.inf)

    def fill(self, candidates: Order, radius: float) -> Order:
        """Keep candidates, in their order, until no other one is far enough from all kept."""
        needed = radius * self.scale
        # Beyond the reach of this radius no later, smaller one will ask for the distance.
        reach = int(np.ceil(needed.max()))
        rows, columns = (_offsets(reach, length) for length in self.shape)
        near = np.hypot(rows[:, None], columns[None, :])
        chosen = []
        for point in candidates[self.distance[candidates] >= needed[candidates]]:
            if self.distance[point] >= needed[point]:
                chosen.append(point)
                row, column = divmod(int(point), self.shape[1])
                starts = (rows + row) % self.shape[0] * self.shape[1]
                around = starts[:, None] + (columns + column) % self.shape[1]
                self.distance[around] = np.minimum(self.distance[around], near)
        return np.asarray(chosen, dtype=np.int64)


def _offsets(reach: int, length: int) -> Order:
    """Return the periodic offsets up to the reach, each once."""
    if 2 * reach + 1 >= length:
        return signed_frequencies(length).astype(np.int64)
    return np.arange(-reach, reach + 1, dtype=np.int64)
