"""Random lines of Fourier space, denser near its centre."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shaketable.errors import InputError
from shaketable.maps.sampling.sequence import (
    Lines,
    Order,
    SamplingSequence,
    centre_indices,
    checked_shape,
    generator,
    line_rank,
    n_lines,
    signed_frequencies,
)

_AT_ONCE = -np.inf


def cartesian_variable_density(
    shape: tuple[int, int],
    *,
    seed: int,
    acceleration: float = 3.0,
    n_center: int = 8,
    lines: Lines = "rows",
) -> SamplingSequence:
    """Random Cartesian lines with the density of Deep MRI.

    Of ``N`` lines, the centre ones are always sampled. The others are drawn one after the other,
    without replacement, with probabilities proportional to

    ``exp(-s (k - N/2)²) + λ/N``,  ``s = 0.5 / (N/10)²``,  ``λ = N / (2 acceleration)``

    where ``k - N/2`` is the frequency of line ``k``. Drawing in sequence makes the masks nested.

    Parameters
    ----------
    shape
        ``(H, W)`` of the grid.
    seed
        Decides the draw.
    acceleration
        Sets the uniform share of the density; ``mask(1 / acceleration)`` is the mask of that
        acceleration. Masks for other rates come from the same draw.
    n_center
        How many lines around DC every mask holds.
    lines
        ``"rows"`` samples whole rows (axis -2), ``"columns"`` whole columns.

    Returns
    -------
    SamplingSequence
        With ``mask(rate)`` of exactly ``round(rate * N)`` lines: 85 of 256 at a third, 64 at a
        quarter, 43 of 128 at a third.

    Raises
    ------
    InputError
        If the shape, the acceleration or the number of centre lines is impossible.

    References
    ----------
    Schlemper, Caballero, Hajnal, Price, Rueckert: "A deep cascade of convolutional neural networks
    for dynamic MR image reconstruction", IEEE TMI 37 (2018), section IV; and its public code.

    Examples
    --------
    >>> sequence = cartesian_variable_density((128, 128), seed=7)
    >>> sequence.mask(1 / 3).sum(dim=0).unique()
    tensor([43])
    """
    shape = checked_shape(shape)
    length = n_lines(shape, lines)
    if not 1 <= acceleration < np.inf:
        raise InputError(
            f"Expected an acceleration of at least 1, got {acceleration}; "
            "3 means that a third of the lines is sampled."
        )
    gaussian = np.exp(-0.5 * (signed_frequencies(length) / (length / 10)) ** 2)
    log_density = np.log(gaussian + 1 / (2 * acceleration))
    order = _weighted_order(log_density, centre_indices(length, n_center), seed)
    return SamplingSequence(
        name="cartesian variable density",
        shape=shape,
        unit=lines,
        rank=line_rank(shape, order, lines),
        n_always=n_center,
        seed=seed,
        settings=(("acceleration", float(acceleration)), ("n_center", n_center)),
    )


def gaussian_columns(
    shape: tuple[int, int],
    *,
    seed: int,
    width: float = 1 / 6,
    n_center: int = 8,
    lines: Lines = "columns",
) -> SamplingSequence:
    """Random columns with a Gaussian density, the 1-D Gaussian masks of DAGAN.

    The centre columns are always sampled; the others are drawn one after the other, without
    replacement, with probabilities proportional to ``exp(-k² / (2 (width N)²))``, ``k`` the
    frequency of a column. The published masks are files without a recipe, so ``width`` is free.

    Parameters
    ----------
    shape
        ``(H, W)`` of the grid.
    seed
        Decides the draw.
    width
        Standard deviation of the density as a share of the number of columns.
    n_center
        How many columns around DC every mask holds.
    lines
        ``"columns"`` samples whole columns (axis -1), ``"rows"`` whole rows.

    Returns
    -------
    SamplingSequence
        With ``mask(rate)`` of exactly ``round(rate * N)`` columns.

    Raises
    ------
    InputError
        If the shape, the width or the number of centre columns is impossible.

    References
    ----------
    Yang et al.: "DAGAN: Deep de-aliasing generative adversarial networks for fast compressed
    sensing MRI reconstruction", IEEE TMI 37 (2018).

    Examples
    --------
    >>> sequence = gaussian_columns((64, 128), seed=0)
    >>> int(sequence.mask(0.25)[0].sum())
    32
    """
    shape = checked_shape(shape)
    length = n_lines(shape, lines)
    if not 0 < width < np.inf:
        raise InputError(
            f"Expected a positive width, got {width}; it is the standard deviation of the density "
            "as a share of the number of lines, for example 1/6."
        )
    log_density = -0.5 * (signed_frequencies(length) / (width * length)) ** 2
    order = _weighted_order(log_density, centre_indices(length, n_center), seed)
    return SamplingSequence(
        name="gaussian columns" if lines == "columns" else "gaussian rows",
        shape=shape,
        unit=lines,
        rank=line_rank(shape, order, lines),
        n_always=n_center,
        seed=seed,
        settings=(("width", float(width)), ("n_center", n_center)),
    )


def _weighted_order(log_density: npt.NDArray[np.float64], centre: Order, seed: int) -> Order:
    """Return the centre, then the other lines as drawn by density without replacement.

    Line k waits an exponential time with rate ``density[k]``; the order of arrival is that of
    successive draws by density (Efraimidis and Spirakis, 2006). In logarithms, so that far lines
    of a narrow density keep an order instead of becoming ties at zero.
    """
    # Uniform doubles are the one stream of NumPy that has stayed the same over its versions.
    uniform = generator(seed).random(len(log_density))
    # 1 - uniform lies in (0, 1]; the smallest double keeps its logarithm off zero.
    waiting = np.maximum(-np.log1p(-uniform), np.finfo(np.float64).tiny)
    arrival = np.log(waiting) - log_density
    arrival[centre] = _AT_ONCE
    others = np.argsort(arrival, kind="stable")[len(centre) :]
    return np.concatenate([centre, np.asarray(others, dtype=np.int64)])
