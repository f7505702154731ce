"""What a climb has been through: the best point so far, and the objective at every gradient."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.search.best import Best, Evaluated, within
from shaketable.search.landscape import Landscape


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """The objective at every gradient of some rows.

    Parameters
    ----------
    values
        ``(B, n)`` float64; NaN where the point was outside the ball.
    counted
        ``(B, n)`` boolean: the row was still running.
    """

    values: Tensor
    counted: Tensor

    def placed(self, rows: Tensor, at: Tensor, n_rows: int) -> Trace:
        """A trace of ``n_rows`` rows, row ``at[k]`` of which is row ``rows[k]`` of this one."""
        shape = (n_rows, self.values.shape[1])
        values, counted = self.values[rows], self.counted[rows]
        return Trace(
            values=values.new_full(shape, torch.nan).index_copy(0, at, values),
            counted=counted.new_zeros(shape).index_copy(0, at, counted),
        )

    def followed_by(self, other: Trace) -> Trace:
        """One trace and then another, of the same rows."""
        return Trace(
            values=torch.cat([self.values, other.values], 1),
            counted=torch.cat([self.counted, other.counted], 1),
        )

    def compact(self) -> Tensor:
        """``(B, m)`` the counted values from the left; NaN after a row's last."""
        order = (~self.counted).to(torch.int8).argsort(dim=1, stable=True)
        longest = int(self.counted.sum(1).max())
        return self.values.gather(1, order)[:, :longest]


class Tracker:
    """Follows one climb; `best` is a snapshot that no later point changes."""

    def __init__(self, landscape: Landscape) -> None:
        self.landscape = landscape
        self.best = Best.unperturbed(landscape)
        self._values: list[Tensor] = []
        self._counted: list[Tensor] = []

    def gradient_taken(self, seen: Evaluated, running: Tensor) -> Tensor:
        """Take a point and its gradient into account.

        Returns
        -------
        Tensor
            ``(B,)`` the objective; NaN outside the ball and for rows that have ended.
        """
        counted = self.best.finite & running
        inside = within(self.landscape, self.landscape.ball.norms(seen.point))
        value = torch.where(counted & inside, seen.value, torch.nan)
        self._values.append(value)
        self._counted.append(counted)
        self.point_tried(seen, running)
        return value

    def point_tried(self, seen: Evaluated, running: Tensor) -> None:
        """Take a point into account, for the rows ``(B,)`` that are still running."""
        self.best = self.best.after(self.landscape, seen, running)

    def trace(self) -> Trace:
        """The objective at every gradient so far."""
        if not self._values:
            return empty_trace(self.best)
        return Trace(values=torch.stack(self._values, 1), counted=torch.stack(self._counted, 1))


def empty_trace(best: Best) -> Trace:
    """The trace of rows of which no gradient was taken."""
    nothing = best.value.new_zeros((len(best.value), 0))
    return Trace(values=nothing, counted=nothing.to(torch.bool))
