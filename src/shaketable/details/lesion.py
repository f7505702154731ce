"""A lesion-like blob: bright, slightly irregular, with a smooth edge."""

from __future__ import annotations

import numpy as np

from shaketable.details.suits import SUPERSAMPLING, Array, block_mean, unit_grid

IRREGULARITY = 0.5
EDGE = 0.5


def lesion(size: int, *, seed: int = 0) -> Array:
    """Draw a blob in a box of ``size x size`` pixels: ``(size, size)`` in [0, 1].

    In polar coordinates the outline is ``ρ(θ) = 1 + Σ_k a_k cos(k θ + φ_k)``, k = 2 ... 5, with
    ``a_k`` uniform within ``± 0.5 / k²`` and random phases; it is scaled to touch the circle in the
    box. Seen from the centre, the intensity is 1 up to half of the way to the outline and falls to
    0 along half a cosine.

    Parameters
    ----------
    size
        Side of the box, in pixels.
    seed
        Chooses the outline.

    Examples
    --------
    >>> blob = lesion(15, seed=3)
    >>> float(blob[7, 7]), float(blob[0, 0])
    (1.0, 0.0)
    """
    generator = np.random.default_rng(seed)
    orders = np.arange(2, 6)
    weights = IRREGULARITY * generator.uniform(-1, 1, orders.size) / orders**2
    phases = generator.uniform(0, 2 * np.pi, orders.size)
    u, v = unit_grid(size * SUPERSAMPLING)
    angle, distance = np.arctan2(v, u), np.hypot(u, v)
    # The amplitudes sum to less than a quarter, so the outline never comes near the centre.
    waves = np.cos(orders[:, None, None] * angle + phases[:, None, None])
    outline = 1 + np.tensordot(weights, waves, axes=1)
    reached = distance * outline.max() / outline
    fall = np.clip((1 - reached) / EDGE, 0, 1)
    blob = block_mean(0.5 - 0.5 * np.cos(np.pi * fall))
    result: Array = blob / blob.max()
    return result
