"""Views of computed tomography: an order over angles; the first n of it are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.maps.sampling.sequence import Order


@dataclass(frozen=True, kw_only=True, eq=False)
class ViewSequence:
    """Parallel-beam views for every rate, each set contained in the next.

    The views of full sampling are ``n_total`` angles ``i π / n_total`` over half a turn, and stand
    in one order. **The rate of n views is ``n / n_total``**; ``angles(rate)`` are the first
    ``round(rate * n_total)`` of the order, sorted.

    Parameters
    ----------
    name
        What the field calls the pattern.
    n_total
        Views of full sampling.
    order
        ``(n_total,)`` int64, the numbers of the views.
    even
        The numbers of views at which they are spaced evenly.

    Examples
    --------
    >>> sequence = equispaced_views(1000)
    >>> len(sequence.angles(0.05)), sequence.n_views(0.01)
    (50, 10)
    >>> bool(torch.isin(sequence.angles(0.05), sequence.angles(0.2)).all())
    True
    """

    name: str
    n_total: int
    order: Tensor
    even: tuple[int, ...]

    @property
    def lowest_rate(self) -> float:
        """The rate of a single view."""
        return 1 / self.n_total

    def n_views(self, rate: float) -> int:
        """How many views a rate has: ``round(rate * n_total)``.

        Raises
        ------
        InputError
            If the rate is above 1, or too low for one view.
        """
        count = round(rate * self.n_total) if 0 < rate <= 1 else 0
        if count < 1:
            raise InputError(
                f"Expected a sampling rate between {self.lowest_rate:.4g} (one view of "
                f"{self.n_total}) and 1, got {rate}; 50 views are {50 / self.n_total:.4g}."
            )
        return count

    def angles(self, rate: float) -> Tensor:
        """``(n_views,)`` float64, ascending, in radians from 0 to below π.

        Raises
        ------
        InputError
            If the rate is above 1, or too low for one view.
        """
        chosen = self.order[: self.n_views(rate)].sort().values
        return chosen.to(torch.float64) * (torch.pi / self.n_total)

    def describe(self) -> dict[str, object]:
        """Return what the record of a run says about this pattern."""
        return {"pattern": self.name, "n_total": self.n_total, "even": list(self.even)}


def equispaced_views(n_total: int = 1000, *, even: Sequence[int] = (10, 50, 200)) -> ViewSequence:
    """Evenly spaced views, nested over rates.

    At each number of views in ``even`` the views are every k-th of all, which is the paper's
    sampling at 50 of 1000. Every k-th and every l-th are nested only where one divides the other,
    so each number of the chain divides the next and ``n_total``. Between two of them, views are
    taken in the order that fills the largest gap first; at twice a number of the chain this is
    even spacing again where that divides the next.

    Parameters
    ----------
    n_total
        Views of full sampling over half a turn.
    even
        Numbers of views, ascending, at which they are spaced evenly. With (10, 50, 200): 10, 50,
        100 and 200 of 1000 are even, 20 is 10 even ones and 10 of the gaps between.

    Returns
    -------
    ViewSequence
        With ``angles(rate)`` of exactly ``round(rate * n_total)`` views; nothing is random.

    Raises
    ------
    InputError
        If a number of views does not divide the next one or ``n_total``.

    References
    ----------
    Antun, Renna, Poon, Adcock, Hansen: "On instabilities of deep learning in image reconstruction
    and the potential costs of AI", PNAS 117 (2020), Fig. 5; Jin, McCann, Froustey, Unser: "Deep
    convolutional neural network for inverse problems in imaging", IEEE TIP 26 (2017): 50 of 1000.

    Examples
    --------
    >>> (equispaced_views(12, even=(3,)).angles(0.25) * 12 / torch.pi).round().tolist()
    [0.0, 4.0, 8.0]
    """
    chain = _checked_chain(n_total, even)
    taken = np.zeros(1, dtype=np.int64)
    for count in chain:
        every = np.arange(0, n_total, n_total // count)
        taken = _fill_gaps(taken, np.setdiff1d(every, taken), n_total)
    return ViewSequence(
        name="equispaced views", n_total=int(n_total), order=torch.from_numpy(taken),
        even=tuple(int(count) for count in even),
    )  # fmt: skip


def _checked_chain(n_total: int, even: Sequence[int]) -> tuple[int, ...]:
    chain = (*even, n_total)
    if any(int(count) != count or count < 1 for count in chain):
        raise InputError(
            f"Expected positive whole numbers of views, got {list(even)} of {n_total}; "
            "the paper takes 50 of 1000."
        )
    for fewer, more in pairwise(chain):
        if more % fewer or (more == fewer and more != n_total):
            raise InputError(
                f"Expected numbers of views that each divide the next and {n_total}, got {fewer} "
                f"before {more}; every k-th of all are nested only then, so leave one out."
            )
    return tuple(int(count) for count in chain)


def _fill_gaps(taken: Order, candidates: Order, n_total: int) -> Order:
    """Append the candidates, each time the one farthest from all taken; of equals the lowest.

    Distances are periodic, as angles over half a turn are.
    """
    order = list(taken)
    apart = np.abs(candidates[:, None] - taken[None, :])
    distance = np.minimum(apart, n_total - apart).min(axis=1)
    for _ in range(len(candidates)):
        place = int(np.argmax(distance))
        order.append(candidates[place])
        apart = np.abs(candidates - candidates[place])
        distance = np.minimum(distance, np.minimum(apart, n_total - apart))
        distance[place] = -1
    return np.asarray(order, dtype=np.int64)
