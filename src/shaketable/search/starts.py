"""The rows of a search with several starts: pairs (start, image) that are climbed together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.search.best import Best
from shaketable.search.landscape import Landscape
from shaketable.search.memory import rows_that_fit
from shaketable.search.tracking import Trace, Tracker, empty_trace
from shaketable.search.updates import Origin
from shaketable.search.vectors import generators, per_image


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """Some pairs (start, image); number ``s · n_images + i`` is start s of image i.

    Restarts are rows of the batch, so that they cost no more than images do.

    Parameters
    ----------
    number
        ``(k,)`` int64.
    n_images
        Images of the search.
    """

    number: Tensor
    n_images: int

    @property
    def image(self) -> Tensor:
        """``(k,)`` the image of every row."""
        return self.number % self.n_images

    @property
    def start(self) -> Tensor:
        """``(k,)`` the start of every row."""
        return self.number // self.n_images

    def origin(self, first: Origin | None) -> Origin | None:
        """The first start of an image begins where it is told to, the others where they like."""
        if first is None:
            return None
        chosen = first.point[self.image]
        point = torch.where(per_image(self.start == 0, chosen), chosen, 0)
        return Origin(point=point, warm_start=first.warm_start)

    def generators(self, seed: int) -> list[torch.Generator]:
        """One per row, so that a row's numbers do not depend on its neighbours."""
        pairs = list(zip(self.start.tolist(), self.image.tolist(), strict=True))
        made = {s: generators(seed, self.n_images, f"start {s}") for s, _ in sorted(set(pairs))}
        return [made[start][image] for start, image in pairs]


def batches(landscape: Landscape, n_starts: int, max_rows: int | None) -> Iterator[Rows]:
    """All rows, in batches of at most ``max_rows``, or of as many as fit into memory."""
    n_images = len(landscape.reference.clean)
    number = torch.arange(n_images * n_starts, device=landscape.ball.size.device)
    if max_rows is None:
        one = landscape.rows(number[:1])
        point = one.ball.template.clone().requires_grad_()
        max_rows = rows_that_fit(lambda: one.value(point)[1], len(number), number.device)
    for some in torch.split(number, max_rows):
        yield Rows(number=some, n_images=n_images)


def best_starts(
    landscape: Landscape, climbed: Sequence[tuple[Rows, Tracker]]
) -> tuple[Best, Trace]:
    """The best start of every image, and the traces of all its starts one after the other."""
    best = Best.unperturbed(landscape)
    trace = empty_trace(best)
    for rows, tracker in climbed:
        part = tracker.trace()
        for start in sorted(set(rows.start.tolist())):
            chosen = (rows.start == start).nonzero().flatten()
            images = rows.image[chosen]
            best = best.joined(tracker.best.rows(chosen), images)
            trace = trace.followed_by(part.placed(chosen, images, len(best.value)))
    return best, trace
