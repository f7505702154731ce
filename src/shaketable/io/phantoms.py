"""Images that are generated: random ellipses."""

from __future__ import annotations

from math import ceil

import numpy as np

from shaketable.errors import InputError
from shaketable.files import array_sha256
from shaketable.io.images import LoadedImage
from shaketable.io.stack import Array

# Points per pixel and axis whose mean is the pixel's value, so that edges are not staircases.
_FINENESS = 4


def ellipse_phantoms(
    count: int, shape: tuple[int, int], *, seed: int = 0, n_inside: tuple[int, int] = (8, 24)
) -> tuple[LoadedImage, ...]:
    """Random images of overlapping ellipses in a large one, as learned CT was first trained on.

    The large ellipse has a value between 0.8 and 1.2, those inside add between -0.5 and 0.5, and
    sums below 0 are 0: attenuation relative to water, so to say. Nothing reaches the border. Pixels
    hold means over their area.

    Parameters
    ----------
    count
        How many images; the first ones do not depend on it.
    shape
        ``(H, W)``, in pixels.
    seed
        Decides the draw.
    n_inside
        Smallest and largest number of ellipses inside.

    Returns
    -------
    One float32 image each, ids ``ellipses-SEED-NUMBER``.

    Raises
    ------
    InputError
        If a number is impossible.

    References
    ----------
    Jin, McCann, Froustey, Unser: "Deep convolutional neural network for inverse problems in
    imaging", IEEE TIP 26 (2017), section IV: images of ellipses of random intensity, size and place.

    Examples
    --------
    >>> image = ellipse_phantoms(1, (64, 64), seed=3)[0]
    >>> image.id, image.array.shape, float(image.array.min())
    ('ellipses-3-000', (64, 64), 0.0)
    """
    if count < 1 or min(shape) < 8 or seed < 0 or not 0 <= n_inside[0] <= n_inside[1]:
        raise InputError(
            f"Expected at least one image of at least 8 x 8 pixels, a seed of at least 0 and a range "
            f"of numbers of ellipses, got {count}, {tuple(shape)}, {seed} and {n_inside}; correct it."
        )
    return tuple(_phantom(number, shape, seed, n_inside) for number in range(count))


def _phantom(
    number: int, shape: tuple[int, int], seed: int, n_inside: tuple[int, int]
) -> LoadedImage:
    random = np.random.default_rng([seed, number])
    fine = np.zeros((shape[0] * _FINENESS, shape[1] * _FINENESS), dtype=np.float32)
    _add(fine, random.uniform(0.8, 1.2), np.zeros(2), random.uniform(0.55, 0.9, 2), random)
    for _ in range(random.integers(n_inside[0], n_inside[1] + 1)):
        # Evenly over a disc, and smaller ones more often.
        radius, turn = 0.6 * np.sqrt(random.uniform()), random.uniform(0, 2 * np.pi)
        centre = radius * np.array([np.cos(turn), np.sin(turn)])
        half_axes = np.exp(random.uniform(np.log(0.02), np.log(0.3), 2))
        _add(fine, random.uniform(-0.5, 0.5), centre, half_axes, random)
    np.maximum(fine, 0, out=fine)
    height, width = shape
    array = fine.reshape(height, _FINENESS, width, _FINENESS).mean(axis=(1, 3))
    return LoadedImage(
        id=f"ellipses-{seed}-{number:03d}",
        array=array,
        sha256=array_sha256(array),
        source=f"random ellipses, seed {seed}, number {number}",
    )


def _add(
    fine: Array, value: float, centre: Array, half_axes: Array, random: np.random.Generator
) -> None:
    """Add an ellipse of one value; lengths in halves of the shorter side, origin in the middle."""
    tilt = random.uniform(0, np.pi)
    half = min(fine.shape) / 2
    reach = ceil(half * float(half_axes.max())) + 1
    window, places = [], []
    for length, middle in zip(fine.shape, centre, strict=True):
        at = (length - 1) / 2 + half * middle
        first, last = max(0, int(at) - reach), min(length, int(at) + reach + 2)
        window.append(slice(first, last))
        places.append((np.arange(first, last) - at) / half)
    down, right = places[0][:, None], places[1][None, :]
    along = (right * np.cos(tilt) + down * np.sin(tilt)) / half_axes[0]
    across = (down * np.cos(tilt) - right * np.sin(tilt)) / half_axes[1]
    fine[tuple(window)] += np.float32(value) * (along**2 + across**2 <= 1)
