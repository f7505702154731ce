"""The search of one image: ask differences about a base, climb the model, try where it leads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor

from shaketable.real_vectors import real_rows
from shaketable.search.black_box.layout import Layout
from shaketable.search.black_box.model import ModelLandscape, ResponseModel
from shaketable.search.black_box.probing_groups import make_probing_groups
from shaketable.search.black_box.queries import Queries
from shaketable.search.black_box.reach import find_reach
from shaketable.search.black_box.settings import BlackBox
from shaketable.search.budget import Budget
from shaketable.search.engine import climb
from shaketable.search.tracking import Tracker
from shaketable.search.updates import Origin, SphereAscent
from shaketable.search.vectors import norms

_FEWEST, _MOST = 4, 32  # steps on the model: as many as it has deserved
_FIRST = 0.5  # share of the budget after which directions are asked again, at the latest
_LONGEST, _SHORTEST = 1.0, 1e-3


def explore(
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
    draw = torch.randn(
        layout.template.shape, generator=generator, dtype=layout.template.dtype
    ).to(layout.template.device)  # fmt: skip
    own = landscape.ball.to_boundary(layout.coordinates(layout.seen(draw)))
    outputs, values = queries.ask(torch.cat([own, starts, -starts]))
    if queries.done or len(values) == 0:
        return
    best = int(values.argmax())
    point = torch.cat([own, starts, -starts])[best : best + 1]
    output = outputs[best : best + 1]
    reach = find_reach(queries, layout, point, output, settings.step, settings.within, generator)
    per_direction = real_rows(point).element_size() * (
        real_rows(point).shape[1] + real_rows(output).shape[1]
    )
    limit = min(settings.n_queries, max(int(settings.max_bytes) // per_direction, 1))
    groups = make_probing_groups(layout, output, reach, limit, generator)
    model = ResponseModel(layout, groups, point, output)
    model.move(torch.zeros_like(point), landscape.reference.clean)
    model.move(point, output)
    _Walk(queries, settings, model, float(values[best])).all()


class _Walk:
    """A base that moves where the model leads, and a model that is asked about the base."""

    def __init__(
        self, queries: Queries, settings: BlackBox, model: ResponseModel, value: float
    ) -> None:
        self._queries, self._settings, self._model = queries, settings, model
        self._landscape = ModelLandscape.replacing(queries.landscape, model)
        self._value = value
        self._step = settings.step
        self._length = 0.5 * _LONGEST
        self._n_steps = _FEWEST
        self._until = (1 - _FIRST) * settings.n_queries

    def all(self) -> None:
        """Until the budget ends."""
        questions = self._questions()
        while not self._queries.done:
            asked = list(islice(questions, self._settings.n_round))
            if not asked:
                return
            self._ask(asked)
            if not self._queries.done:
                self._move()

    def _questions(self) -> Iterator[tuple[int, int]]:
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

    def _ask(self, asked: list[tuple[int, int]]) -> None:
        ball, model = self._queries.landscape.ball, self._model
        directions = [model.direction(colour, number) for colour, number in asked]
        moves = [ball.to_boundary(d, self._step) for d in directions]
        there = [(q, m) for q, m in zip(asked, moves, strict=True) if bool(norms(m) > 0)]
        if not there:
            return
        points = model.point + torch.cat([move for _, move in there])
        outputs, _ = self._queries.ask(points)
        silent = True
        for (question, move), output in zip(there, outputs, strict=False):
            change = output[None] - model.output
            if not bool(torch.isfinite(norms(change))):
                continue
            silent = silent and not bool(norms(change) > 0)
            length = norms(move).to(change.dtype.to_real())
            model.learn(*question, change / length)
        if silent:  # steps that are too small to show anything
            self._step = min(2 * self._step, 1.0)

    def _move(self) -> None:
        """Where the model leads, at three lengths; the base moves if one is better."""
        ball, model = self._queries.landscape.ball, self._model
        away = self._target() - model.point
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
        else:  # what did not lead up has still taught the model something
            model.move(*before)
            self._length = max(self._length / 4, _SHORTEST)
            self._n_steps = max(self._n_steps // 2, _FEWEST)

    def _target(self) -> Tensor:
        """Where a few steps on the model lead from the base; more would follow its errors."""
        update, tracker = SphereAscent(), Tracker(self._landscape)
        origin = Origin(point=self._model.point, warm_start=True)
        generators = [torch.Generator().manual_seed(0)]
        state = update.start(self._landscape.ball, origin, generators, self._n_steps)
        climb(tracker, update, state, Budget(n_gradients=self._n_steps), self._n_steps)
        return tracker.best.point
