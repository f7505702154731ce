"""An order over lines or points of Fourier space; the first n of it are sampled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shaketable.errors import InputError

Lines = Literal["rows", "columns"]
Order = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class SamplingSequence:
    """A sampling pattern for every rate, each contained in the next.

    The units (lines or points) stand in one order; the mask for a rate takes the first
    ``round(rate * n_units)`` of them. So a higher rate only ever adds samples, which is what a
    test over sampling rates needs: otherwise a change of quality could be a change of pattern.

    Parameters
    ----------
    name
        What the field calls the pattern.
    shape
        ``(H, W)`` of the grid.
    unit
        What is sampled as a whole: ``"rows"`` (axis -2), ``"columns"`` (axis -1), ``"points"``.
    rank
        ``(H, W)`` int64, DC at ``[0, 0]``: the place in the order of the unit a position is in.
    n_always
        How many units at the start of the order (the centre) belong to every mask.
    seed
        The seed of the draw; None where nothing is random.
    settings
        The numbers the pattern was made with, for the record.

    Examples
    --------
    >>> from shaketable.maps.sampling import cartesian_variable_density
    >>> sequence = cartesian_variable_density((256, 256), seed=0, acceleration=3.0)
    >>> int(sequence.mask(1 / 3)[:, 0].sum()), int(sequence.mask(1 / 4)[:, 0].sum())
    (85, 64)
    >>> bool((sequence.mask(1 / 4) <= sequence.mask(1 / 3)).all())
    True
    """

    name: str
    shape: tuple[int, int]
    unit: Literal["rows", "columns", "points"]
    rank: Tensor
    n_always: int = 0
    seed: int | None = None
    settings: tuple[tuple[str, float], ...] = ()

    @property
    def n_units(self) -> int:
        """How many lines or points there are in all."""
        height, width = self.shape
        return {"rows": height, "columns": width, "points": height * width}[self.unit]

    @property
    def lowest_rate(self) -> float:
        """The rate at which the centre alone is sampled; lower ones are refused."""
        return max(self.n_always, 1) / self.n_units

    def n_sampled(self, rate: float) -> int:
        """How many units the mask for ``rate`` holds: ``round(rate * n_units)``.

        Rounding is to the nearest whole number, so a third of 128 lines is 43 (published code
        that cuts off takes 42) while a third of 256 is 85 either way.

        Raises
        ------
        InputError
            If the rate is above 1, or too low to hold the centre.
        """
        count = round(rate * self.n_units) if 0 < rate <= 1 else 0
        if count < max(self.n_always, 1):
            raise InputError(
                f"Expected a sampling rate between {self.lowest_rate:.4g} (the "
                f"{self.n_always} {self.unit} of the centre, at least one) and 1, got {rate}; "
                "choose a rate in that range or a pattern with a smaller centre."
            )
        return count

    def mask(self, rate: float) -> Tensor:
        """``(H, W)`` bool, DC at ``[0, 0]``: exactly ``round(rate * n_units)`` units.

        Raises
        ------
        InputError
            If the rate is above 1, or too low to hold the centre.
        """
        return self.rank < self.n_sampled(rate)

    def describe(self) -> dict[str, object]:
        """Return what the record of a run says about this pattern."""
        return {
            "pattern": self.name,
            "shape": list(self.shape),
            "unit": self.unit,
            "n_always": self.n_always,
            "seed": self.seed,
            **dict(self.settings),
        }


def checked_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """Return ``(H, W)`` as whole numbers.

    Raises
    ------
    InputError
        If there are not two of them or one is not positive.
    """
    if len(shape) != 2 or any(int(length) != length or length < 1 for length in shape):
        raise InputError(
            f"Expected a grid of shape (H, W), got {tuple(shape)}; pass two positive whole numbers."
        )
    return int(shape[0]), int(shape[1])


def generator(seed: int) -> np.random.Generator:
    """Return NumPy's generator for a seed.

    Raises
    ------
    InputError
        If the seed is not a whole number of at least 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(
            f"Expected a whole number of at least 0 as seed, got {seed!r}; "
            "patterns are drawn anew only when told which draw."
        )
    return np.random.default_rng(seed)


def centre_indices(length: int, n_center: int) -> Order:
    """Return the ``n_center`` lowest frequencies as indices of an axis with DC at 0, DC first.

    Of an even number the extra one is the negative frequency, as in ``fftshift`` order.

    Raises
    ------
    InputError
        If there are fewer lines than asked for.
    """
    if not 0 <= n_center <= length:
        raise InputError(
            f"Expected between 0 and {length} centre lines, got {n_center}; "
            "the grid has no more lines than that."
        )
    lowest = -(n_center // 2)
    frequencies = np.arange(lowest, lowest + n_center)
    frequencies = frequencies[np.argsort(np.abs(frequencies), kind="stable")]
    return np.asarray(frequencies % length, dtype=np.int64)


def signed_frequencies(length: int) -> npt.NDArray[np.float64]:
    """Return the whole-number frequencies of an axis with DC at 0: 0, 1, ..., -2, -1."""
    indices = np.arange(length)
    return np.asarray((indices + length // 2) % length - length // 2, dtype=np.float64)


def line_rank(shape: tuple[int, int], order: Order, lines: Lines) -> Tensor:
    """Return ``(H, W)`` ranks of a grid whose whole lines are sampled in the given order."""
    ranks = torch.empty(len(order), dtype=torch.int64)
    ranks[torch.from_numpy(order)] = torch.arange(len(order))
    return (ranks[:, None] if lines == "rows" else ranks[None, :]).expand(shape).clone()


def point_rank(shape: tuple[int, int], order: Order) -> Tensor:
    """Return ``(H, W)`` ranks of a grid whose points (flat indices) are sampled in this order."""
    ranks = torch.empty(shape[0] * shape[1], dtype=torch.int64)
    ranks[torch.from_numpy(order)] = torch.arange(len(order))
    return ranks.reshape(shape)


def n_lines(shape: tuple[int, int], lines: Lines) -> int:
    """Return how many lines the grid has.

    Raises
    ------
    InputError
        If ``lines`` names no axis.
    """
    if lines not in ("rows", "columns"):
        raise InputError(f'Expected lines="rows" or lines="columns", got {lines!r}; choose one.')
    return shape[0] if lines == "rows" else shape[1]
