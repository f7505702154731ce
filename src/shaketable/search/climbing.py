"""One search: where it begins, a climb from every start, the best of them."""

from __future__ import annotations

import time
from functools import partial

import torch
from torch import Tensor

from shaketable.chain import Chain
from shaketable.search.best import Best
from shaketable.search.engine import OnStep, Step, climb
from shaketable.search.finding import Finding, Status
from shaketable.search.first_point import Earlier, first_point
from shaketable.search.landscape import Landscape
from shaketable.search.local import find_local
from shaketable.search.memory import checkpointed
from shaketable.search.search import Search
from shaketable.search.starts import Rows, batches, best_starts
from shaketable.search.tracking import Tracker
from shaketable.search.updates import Origin
from shaketable.search.vectors import norms

_NOTHING = Earlier()


def search_chain(
    chain: Chain, radius: Tensor, search: Search, seed: int, on_step: OnStep | None,
    earlier: Earlier = _NOTHING,
) -> Finding:  # fmt: skip
    """Search with all starts; Ctrl-C ends it with what was found.

    Parameters
    ----------
    chain, radius, search, seed, on_step
        As in `worst_case`; ``radius`` is ``(B,)``, checked.
    earlier
        What earlier searches of these images have found.
    """
    limit = search.budget.max_seconds
    deadline = None if limit is None else time.monotonic() + limit
    landscape = Landscape.of(chain, radius, search)
    climbs = _Climbs(landscape, search, seed, deadline, on_step)
    local, spent, ended = earlier.local, earlier.spent, Status.FOUND
    with checkpointed(chain.problem.reconstruct, search.budget.checkpoint):
        try:
            if local is None:
                local = find_local(landscape, search, seed)
                spent = local.cost
            first = first_point(landscape, earlier, local, search.budget.n_starts)
            if not climbs.all(first, max(search.budget.n_gradients - spent, 1)):
                ended = Status.BUDGET_SPENT
        except KeyboardInterrupt:
            ended = Status.INTERRUPTED
    gain = None if local is None else local.gain
    return _finding(climbs, radius, ended, spent, gain)


class _Climbs:
    """The climbs of a search, in as large batches as fit; `done` has those of an interrupted one."""

    def __init__(
        self, landscape: Landscape, search: Search, seed: int, deadline: float | None,
        on_step: OnStep | None,
    ) -> None:  # fmt: skip
        self.landscape, self.search, self.seed = landscape, search, seed
        self.done: list[tuple[Rows, Tracker]] = []
        self._deadline, self._on_step = deadline, on_step

    def all(self, first: Origin | None, n_iterations: int) -> bool:
        """Climb from every start; False when the time ran out."""
        budget, update = self.search.budget, self.search.update
        chunks = list(batches(self.landscape, budget.n_starts, budget.max_rows))
        progress = _Progress(self.landscape, n_iterations * len(chunks), self._on_step)
        for rows in chunks:
            tracker = Tracker(self.landscape.rows(rows.image))
            self.done.append((rows, tracker))
            state = update.start(
                tracker.landscape.ball, rows.origin(first), rows.generators(self.seed), n_iterations
            )
            in_time = climb(
                tracker, update, state, budget, n_iterations, deadline=self._deadline,
                on_gradient=partial(progress.report, rows),
            )  # fmt: skip
            if not in_time:
                return False
        return True


class _Progress:
    """Reports every gradient of a search with the best damage of every image so far."""

    def __init__(self, landscape: Landscape, n_steps: int, on_step: OnStep | None) -> None:
        self._n_steps, self._on_step = n_steps, on_step
        self._step = 0
        self._damage = torch.full_like(landscape.ball.size, -torch.inf)

    def report(self, rows: Rows, best: Best) -> None:
        self._step += 1
        if self._on_step is None:
            return
        self._damage = self._damage.scatter_reduce(0, rows.image, best.value, "amax")
        self._on_step(Step(iteration=self._step, n_iterations=self._n_steps, damage=self._damage))


def _finding(
    climbs: _Climbs, radius: Tensor, ended: Status, spent: int, gain: Tensor | None
) -> Finding:
    """The best start of every image; ``spent`` gradients were not taken by the climbs."""
    landscape = climbs.landscape
    best, trace = best_starts(landscape, climbs.done)
    perturbation = landscape.ball.perturbation(best.point).detach()
    clean = landscape.reference.clean
    if gain is None:
        gain = torch.full((len(clean),), torch.nan, dtype=torch.float64)
    return Finding(
        perturbation=perturbation, domain=landscape.chain.domain, radius=radius,
        perturbation_norm=norms(perturbation).cpu(), error=norms(best.output - clean).cpu(),
        damage=best.value.cpu(), status=best.statuses(ended),
        n_gradients=(best.n_gradients + spent).cpu(), trace=trace.compact().cpu(),
        local_gain=gain.cpu(), reconstruction=best.output, clean=clean, seed=climbs.seed,
    )  # fmt: skip
