"""The best point of every row so far, and what judges how a search ended. Nothing here is changed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.search.finding import Status
from shaketable.search.landscape import Landscape
from shaketable.search.vectors import norms, per_image

_ON_BOUNDARY = 1 + 1e-5  # a point counts as inside up to rounding


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluated:
    """A point of every row, and what was seen there.

    Parameters
    ----------
    point
        ``(B, ...)`` coordinates.
    output
        ``(B, *image_shape)`` the reconstruction.
    value
        ``(B,)`` the objective, float64.
    gradient_norm
        ``(B,)`` float64; None where no gradient was taken.
    """

    point: Tensor
    output: Tensor
    value: Tensor
    gradient_norm: Tensor | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Best:
    """The best point of every row so far, and what has been seen on the way to it.

    Parameters
    ----------
    point, output, value
        As in `Evaluated`, of the best point inside the ball; zero to begin with.
    finite
        ``(B,)`` reconstruction, objective and gradient were finite inside the ball. A point that
        breaks the network is a counterexample of its own: it is kept, and the row ends.
    moved
        ``(B,)`` a point other than zero was tried inside the ball.
    responded
        ``(B,)`` the reconstruction changed at one of them.
    rising
        ``(B,)`` a gradient was not zero.
    n_gradients
        ``(B,)`` int64: gradients taken while the row was running.
    """

    point: Tensor
    output: Tensor
    value: Tensor
    finite: Tensor
    moved: Tensor
    responded: Tensor
    rising: Tensor
    n_gradients: Tensor

    @classmethod
    def unperturbed(cls, landscape: Landscape) -> Best:
        """Before anything was tried: no perturbation, the clean reconstruction."""
        clean, zero = landscape.reference.clean, torch.zeros_like(landscape.ball.template)
        value = landscape.objective(clean, landscape.ball.perturbation(zero), landscape.reference)
        no = torch.zeros(len(clean), dtype=torch.bool, device=clean.device)
        return cls(
            point=zero, output=clean.clone(), value=value.detach().double(),
            finite=torch.isfinite(norms(clean)), moved=no, responded=no, rising=no,
            n_gradients=torch.zeros_like(no, dtype=torch.int64),
        )  # fmt: skip

    def after(self, landscape: Landscape, seen: Evaluated, running: Tensor) -> Best:
        """With one more point taken into account, for the rows ``(B,)`` that are still running."""
        size, n_gradients, rising = landscape.ball.norms(seen.point), self.n_gradients, self.rising
        inside = running & within(landscape, size)
        change = norms(seen.output - landscape.reference.clean)
        finite = torch.isfinite(seen.value) & torch.isfinite(change)
        if seen.gradient_norm is not None:
            n_gradients = n_gradients + (self.finite & running)
            rising = rising | (seen.gradient_norm > 0)
            finite = finite & torch.isfinite(seen.gradient_norm)
        judged = self.finite & inside
        better = (judged & ~finite) | (judged & finite & (seen.value > self.value))
        output = seen.output.to(self.output.dtype)
        return Best(
            point=torch.where(per_image(better, seen.point), seen.point, self.point),
            output=torch.where(per_image(better, output), output, self.output),
            value=torch.where(better, seen.value, self.value),
            finite=self.finite & (finite | ~inside),
            moved=self.moved | (inside & (size > 0)),
            responded=self.responded | (inside & (change > 0)),
            rising=rising, n_gradients=n_gradients,
        )  # fmt: skip

    def joined(self, other: Best, at: Tensor) -> Best:
        """With another search of the rows ``at``: the better point of both, what both have seen.

        Parameters
        ----------
        other
            Its row k belongs to row ``at[k]`` of this one.
        at
            ``(k,)`` int64, each row at most once.
        """
        mine, its = self.finite[at], other.finite
        better = (mine & ~its) | (mine & its & (other.value > self.value[at]))
        to = at[better]
        wide = torch.promote_types(self.output.dtype, other.output.dtype)
        return Best(
            point=self.point.index_copy(0, to, other.point[better].to(self.point.dtype)),
            output=self.output.to(wide).index_copy(0, to, other.output[better].to(wide)),
            value=self.value.index_copy(0, to, other.value[better]),
            finite=self.finite.index_copy(0, at, mine & its),
            moved=self.moved.index_copy(0, at, self.moved[at] | other.moved),
            responded=self.responded.index_copy(0, at, self.responded[at] | other.responded),
            rising=self.rising.index_copy(0, at, self.rising[at] | other.rising),
            n_gradients=self.n_gradients.index_add(0, at, other.n_gradients),
        )

    def rows(self, index: Tensor) -> Best:
        """The best points of some rows."""
        return Best(
            point=self.point[index], output=self.output[index], value=self.value[index],
            finite=self.finite[index], moved=self.moved[index], responded=self.responded[index],
            rising=self.rising[index], n_gradients=self.n_gradients[index],
        )  # fmt: skip

    def statuses(self, ended: Status) -> tuple[Status, ...]:
        """The status of every row, given how the search ended."""
        # without a single gradient nothing is known of the slope
        stuck = ~self.rising & (self.n_gradients > 0)
        flags = torch.stack([self.finite, self.moved & ~self.responded, stuck]).T.tolist()
        return tuple(_status(ended, *row) for row in flags)


def within(landscape: Landscape, size: Tensor) -> Tensor:
    """``(B,)`` whether coordinates of these norms lie in the ball, up to rounding."""
    return size <= landscape.ball.size * _ON_BOUNDARY


def _status(ended: Status, finite: bool, constant: bool, stuck: bool) -> Status:
    if ended is Status.INTERRUPTED:  # first, so that callers see the interrupt
        return ended
    if not finite:
        return Status.NOT_FINITE
    if constant:
        return Status.NO_RESPONSE
    return Status.STUCK if stuck else ended
