"""The queries of one image: every one counted and judged, never more than allowed."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from shaketable.chain import Chain
from shaketable.search.ball import BoundBall
from shaketable.search.best import Best, Evaluated
from shaketable.search.landscape import Landscape
from shaketable.search.objectives import Objective, Reference

OnQuery = Callable[[int, Best], None]


class Queries:
    """Asks the reconstructor of one image, and keeps the best point that was asked.

    The reconstruction without a perturbation is the first query. Every point inside the ball
    counts as a candidate, whatever it was asked for.

    Parameters
    ----------
    chain, ball
        Of one image.
    objective
        What is maximised.
    index
        ``(1,)`` number of the image in the user's batch.
    n_queries
        How many may be asked.
    at_once
        How many are asked in one call.
    deadline
        Value of the monotonic clock after which nothing is asked.
    on_query
        Called after every call of `ask` upon the reconstructor with the number of queries it made
        and the best point so far.
    """

    def __init__(
        self, chain: Chain, ball: BoundBall, objective: Objective, index: Tensor, *,
        n_queries: int, at_once: int, deadline: float | None, on_query: OnQuery,
    ) -> None:  # fmt: skip
        with torch.no_grad():
            clean = chain.reconstruct().detach()
        reference = Reference(clean=clean, truth=chain.images, index=index)
        self.landscape = Landscape(chain=chain, ball=ball, objective=objective, reference=reference)
        self.best = Best.unperturbed(self.landscape)
        self.n_asked = 1
        self.out_of_time = False
        self._damage = [self.best.value]
        self._n_queries, self._at_once, self._deadline = n_queries, at_once, deadline
        self._on_query = on_query

    @property
    def left(self) -> int:
        """How many may still be asked."""
        return self._n_queries - self.n_asked

    @property
    def done(self) -> bool:
        """Nothing more may be asked, or it would tell nothing more: the output is not finite."""
        return self.left == 0 or self.out_of_time or not bool(self.best.finite)

    def trace(self) -> Tensor:
        """``(n_asked,)`` float64: the best damage after every query."""
        return torch.cat(self._damage)

    def ask(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs and objective of coordinates ``(k, ...)``; fewer where the budget ends.

        Returns
        -------
        tuple of Tensor
            ``(j, *image_shape)`` and ``(j,)`` float64, j <= k.
        """
        outputs: list[Tensor] = []
        values: list[Tensor] = []
        for chunk in torch.split(points, self._at_once):
            self._look_at_the_clock()
            if self.done:
                break
            some = chunk[: self.left]
            output, value = self._call(some)
            outputs.append(output)
            values.append(value)
            self._judge(some, output, value)
        if not outputs:
            clean = self.landscape.reference.clean
            return clean[:0], self.best.value[:0]
        return torch.cat(outputs), torch.cat(values)

    def _call(self, points: Tensor) -> tuple[Tensor, Tensor]:
        same = torch.zeros(len(points), dtype=torch.int64, device=points.device)
        with torch.no_grad():
            output, value = self.landscape.rows(same).value(points)
        return output.detach(), value.detach().double()

    def _judge(self, points: Tensor, output: Tensor, value: Tensor) -> None:
        running = torch.ones_like(self.best.finite)
        for i in range(len(points)):
            one = slice(i, i + 1)
            seen = Evaluated(point=points[one], output=output[one], value=value[one])
            self.best = self.best.after(self.landscape, seen, running)
            self._damage.append(self.best.value)
        self.n_asked += len(points)
        self._on_query(len(points), self.best)

    def _look_at_the_clock(self) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            self.out_of_time = True
