"""The search of one image: a response model from finite differences, climbed and tried out.

Derivative-free optimisation with a model, as in Conn, Scheinberg and Vicente, "Introduction to
derivative-free optimization" (SIAM, 2009): the model is refined around the iterate, and the iterate
moves where the model leads, as far as the reconstructor confirms it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor

from shaketable.real_vectors import real_rows
from shaketable.search.black_box.layout import Layout
from shaketable.search.black_box.model import ModelLandscape, ResponseModel
from shaketable.search.black_box.probing_groups import ProbingGroups, make_probing_groups
from shaketable.search.black_box.queries import Queries
from shaketable.search.black_box.reach import find_reach
from shaketable.search.black_box.settings import BlackBox
from shaketable.search.budget import Budget
from shaketable.search.engine import climb
from shaketable.search.tracking import Tracker
from shaketable.search.updates import Origin, SphereAscent
from shaketable.search.vectors import norms

_FEWEST, _MOST = 4, 32  # steps on the model: more, the better it has predicted
_FIRST = 0.5  # share of the budget after which directions are probed again, at the latest
_LONGEST, _SHORTEST = 1.0, 1e-3  # length of a step, as a share of the way to the model's maximum

Probe = tuple[int, int]
"""Colour and number of a direction."""


def search_image(
    queries: Queries, settings: BlackBox, starts: Tensor, generator: torch.Generator
) -> None:
    """Spend the queries of one image; `Queries.best` has the result.

    Parameters
    ----------
    queries
        Of one image.
    settings
        How.
    starts
        ``(s, ...)`` coordinates to begin with, or their negatives, beside a random one.
    generator
        Of this image.
    """
    landscape = queries.landscape
    layout = Layout.of(landscape.chain, landscape.ball)
    begin = torch.cat([_random_start(layout, generator), starts, -starts])
    outputs, values = queries.ask(begin)
    if queries.done or len(values) == 0:
        return
    best = int(values.argmax())
    point, output = begin[best : best + 1], outputs[best : best + 1]
    groups = _groups(queries, settings, layout, point, output, generator)
    model = ResponseModel(layout, groups, point, output)
    model.move(torch.zeros_like(point), landscape.reference.clean)
    model.move(point, output)
    _ModelSearch(queries, settings, model, float(values[best])).run()


def _random_start(layout: Layout, generator: torch.Generator) -> Tensor:
    """``(1, ...)`` coordinates on the boundary, of what data can show."""
    like = layout.template
    draw = torch.randn(like.shape, generator=generator, dtype=like.dtype).to(like.device)
    return layout.ball.to_boundary(layout.coordinates(layout.measured(draw)))


def _groups(
    queries: Queries, settings: BlackBox, layout: Layout, point: Tensor, output: Tensor,
    generator: torch.Generator,
) -> ProbingGroups:  # fmt: skip
    """The probing groups, with as many directions as budget and memory allow."""
    reach = find_reach(queries, layout, point, output, settings.step, settings.within, generator)
    entries = real_rows(point)
    per_direction = entries.element_size() * (entries.shape[1] + real_rows(output).shape[1])
    limit = min(settings.n_queries, max(int(settings.max_bytes) // per_direction, 1))
    return make_probing_groups(layout, output, reach, limit, generator)


class _ModelSearch:
    """An iterate that moves where the model leads, and a model that is refined around it."""

    def __init__(
        self, queries: Queries, settings: BlackBox, model: ResponseModel, value: float
    ) -> None:
        self._queries, self._settings, self._model = queries, settings, model
        self._landscape = ModelLandscape.replacing(queries.landscape, model)
        self._value = value
        self._difference = settings.step
        self._length = 0.5 * _LONGEST
        self._n_steps = _FEWEST
        self._until = (1 - _FIRST) * settings.n_queries

    def run(self) -> None:
        """Until the budget ends."""
        probes = self._probes()
        while not self._queries.done:
            chosen = list(islice(probes, self._settings.n_round))
            if not chosen:
                return
            self._refine(chosen)
            if not self._queries.done:
                self._move()

    def _probes(self) -> Iterator[Probe]:
        """Every direction once, as far as the budget allows; then the most amplified ones again."""
        colours = range(self._model.groups.n_colours)
        for number in range(self._model.n_directions):
            if self._queries.left < self._until:
                break
            yield from ((colour, number) for colour in colours)
        while self._model.n_directions > 0:
            self._model.sort()
            strong = max(int(self._settings.share * self._model.n_directions), 1)
            for number in range(strong):
                yield from ((colour, number) for colour in colours)

    def _refine(self, probes: list[Probe]) -> None:
        """Finite differences along the directions of the probes."""
        ball, model = self._queries.landscape.ball, self._model
        moves = [ball.to_boundary(model.direction(*probe), self._difference) for probe in probes]
        used = [(p, move) for p, move in zip(probes, moves, strict=True) if bool(norms(move) > 0)]
        if not used:
            return
        outputs, _ = self._queries.ask(model.point + torch.cat([move for _, move in used]))
        responded = False
        for (probe, move), output in zip(used, outputs, strict=False):
            change = output[None] - model.output
            if not bool(torch.isfinite(norms(change))):
                continue
            responded = responded or bool(norms(change) > 0)
            model.set_response(*probe, change / norms(move).to(change.dtype.to_real()))
        if not responded:  # differences that are too small to show anything
            self._difference = min(2 * self._difference, 1.0)

    def _move(self) -> None:
        """Try the way to the model's maximum at three lengths; the iterate moves if one is better."""
        ball, model = self._queries.landscape.ball, self._model
        away = self._maximum() - model.point
        lengths = [min(f * self._length, _LONGEST) for f in (2.0, 1.0, 0.5)]
        points = torch.cat([ball.to_boundary(model.point + s * away) for s in lengths])
        outputs, values = self._queries.ask(points)
        if len(values) == 0 or not bool(torch.isfinite(values).any()):
            return
        best = int(torch.nan_to_num(values, nan=-torch.inf).argmax())
        before = model.point, model.output
        model.move(points[best : best + 1], outputs[best : best + 1])
        if float(values[best]) > self._value:
            self._value = float(values[best])
            self._length = lengths[best]
            if self._length == _LONGEST:
                self._n_steps = min(2 * self._n_steps, _MOST)
        else:  # the model has been updated at a point that was no better: back to the iterate
            model.move(*before)
            self._length = max(self._length / 4, _SHORTEST)
            self._n_steps = max(self._n_steps // 2, _FEWEST)

    def _maximum(self) -> Tensor:
        """Where a few steps on the model lead from the iterate; more would follow its errors."""
        update, tracker = SphereAscent(), Tracker(self._landscape)
        origin = Origin(point=self._model.point, warm_start=True)
        generators = [torch.Generator().manual_seed(0)]
        state = update.start(self._landscape.ball, origin, generators, self._n_steps)
        climb(tracker, update, state, Budget(n_gradients=self._n_steps), self._n_steps)
        return tracker.best.point
