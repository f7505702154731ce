"""All starts of one search: the direction to begin with, the rows, the best of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from shaketable.chain import Chain
from shaketable.search.engine import Best, Hill, OnStep, Step, climb
from shaketable.search.finding import Finding, Status
from shaketable.search.local import Local, find_local
from shaketable.search.memory import checkpointed, rows_that_fit
from shaketable.search.objectives import Reference
from shaketable.search.search import Search
from shaketable.search.updates import Origin
from shaketable.search.vectors import generators, norms, per_image


def make_hill(chain: Chain, radius: Tensor, search: Search) -> Hill:
    """What a search climbs: ``radius`` ``(B,)`` is relative."""
    with torch.no_grad():
        clean = chain.reconstruct()
    index = torch.arange(len(clean), device=clean.device)
    return Hill(
        chain=chain, ball=search.ball.bind(chain, radius), objective=search.objective,
        reference=Reference(clean=clean, truth=chain.images, index=index),
    )  # fmt: skip


def search_chain(
    chain: Chain, radius: Tensor, search: Search, seed: int, on_step: OnStep | None,
    *, origin: Tensor | None = None, settled: bool = True, local: Local | None = None, spent: int = 0,
) -> Finding:  # fmt: skip
    """Search with all starts; Ctrl-C ends it with what was found.

    Parameters
    ----------
    chain, radius, search, seed, on_step
        As in `worst_case`; ``radius`` is ``(B,)``, checked.
    origin
        ``(B, ...)`` perturbations to start from, instead of the local direction.
    settled
        Whether they are worth staying near.
    local
        What is known of the Jacobian already; it is not paid for again.
    spent
        Gradients of the budget that have been spent on it.
    """
    began = time.monotonic()
    hill = make_hill(chain, radius, search)
    known, ended = local, Status.FOUND
    climbs = _Climbs(hill=hill, search=search, seed=seed, began=began, on_step=on_step)
    with checkpointed(chain.problem.reconstruct, search.budget.checkpoint):
        try:
            known = local or find_local(hill, search, seed)
            climbs.spend(spent if local else known.cost)
            if not climbs.all(_first(hill, origin, settled, known, search.budget.n_starts)):
                ended = Status.BUDGET_SPENT
        except KeyboardInterrupt:
            ended = Status.INTERRUPTED
    return climbs.finding(radius, ended, None if known is None else known.gain)


_LINEAR = 0.9  # share of what the linearisation promises that counts as linear


def _first(
    hill: Hill, origin: Tensor | None, settled: bool, local: Local, n_starts: int
) -> Origin | None:
    """Where the first start of every image begins.

    The local direction is where the worst case lies as long as the reconstructor is nearly linear.
    Beyond, it leads to one of many maxima, no better than a random start does; with several starts
    it is one of them.
    """
    if origin is not None:
        return Origin(point=hill.ball.coordinates(origin), settled=settled)
    if local.direction is None:
        return None
    point, linear = _better_sign(hill, local)
    if n_starts == 1:
        point = torch.where(per_image(linear, point), point, 0)
    return Origin(point=point, settled=False)


def _better_sign(hill: Hill, local: Local) -> tuple[Tensor, Tensor]:
    """``±`` the direction, on the boundary: the one that does more damage at this radius.

    Also ``(B,)`` whether it changes the reconstruction about as much as the linearisation says.
    """
    point = hill.ball.to_boundary(torch.as_tensor(local.direction))
    with torch.no_grad():
        (first, ahead), (second, behind) = hill.value(point), hill.value(-point)
        promised = local.gain * norms(hill.ball.perturbation(point))
    turn = behind > ahead
    change = norms(torch.where(per_image(turn, first), second, first) - hill.reference.clean)
    linear = (change - promised).abs() <= (1 - _LINEAR) * promised
    return torch.where(per_image(turn, point), -point, point), linear


class _Climbs:
    """The rows of a search, pairs (start, image), climbed in as large batches as fit."""

    def __init__(
        self, *, hill: Hill, search: Search, seed: int, began: float, on_step: OnStep | None
    ) -> None:
        self._hill, self._search, self._seed, self._on_step = hill, search, seed, on_step
        budget = search.budget
        self._deadline = None if budget.max_seconds is None else began + budget.max_seconds
        self._n_images = len(hill.reference.clean)
        self._spent = 0
        self._done: list[tuple[Tensor, Best]] = []

    def spend(self, n_gradients: int) -> None:
        """Count gradients that were spent before the climb."""
        self._spent = n_gradients

    def all(self, first: Origin | None) -> bool:
        """Climb from every start; False when the time ran out."""
        budget = self._search.budget
        n_iterations = max(budget.n_gradients - self._spent, 1)
        chunks = list(self._chunks())
        self._n_steps, self._step = n_iterations * len(chunks), 0
        self._running = torch.full_like(self._hill.ball.size, -torch.inf)
        for rows in chunks:
            hill = self._hill.rows(rows % self._n_images)
            best = Best(hill)
            self._done.append((rows, best))
            state = self._search.update.start(
                hill.ball, self._origins(rows, first), self._generators(rows), n_iterations
            )
            report = partial(self._report, rows, best)
            if not climb(hill, self._search.update, budget, n_iterations, state, best,
                         self._deadline, report):  # fmt: skip
                return False
        return True

    def _chunks(self) -> Iterator[Tensor]:
        n_rows = self._n_images * self._search.budget.n_starts
        rows = torch.arange(n_rows, device=self._hill.ball.size.device)
        at_once = self._search.budget.max_rows
        if at_once is None:
            one = self._hill.rows(rows[:1])
            point = one.ball.template.clone().requires_grad_()
            at_once = rows_that_fit(lambda: one.value(point)[1], n_rows, rows.device)
        yield from torch.split(rows, at_once)

    def _origins(self, rows: Tensor, first: Origin | None) -> Origin | None:
        """The first start of an image begins where it is told to, the others where they like."""
        if first is None:
            return None
        chosen = first.point[rows % self._n_images]
        point = torch.where(per_image(rows < self._n_images, chosen), chosen, 0)
        return Origin(point=point, settled=first.settled)

    def _generators(self, rows: Tensor) -> list[torch.Generator]:
        starts = sorted({row // self._n_images for row in rows.tolist()})
        made = {s: generators(self._seed, self._n_images, f"start {s}") for s in starts}
        return [made[row // self._n_images][row % self._n_images] for row in rows.tolist()]

    def _report(self, rows: Tensor, best: Best) -> None:
        self._step += 1
        if self._on_step is None:
            return
        image = rows % self._n_images
        self._running = self._running.scatter_reduce(0, image, best.value, "amax")
        step = Step(iteration=self._step, n_iterations=self._n_steps, damage=self._running)
        self._on_step(step)

    def finding(self, radius: Tensor, ended: Status, gain: Tensor | None) -> Finding:
        """The best start of every image."""
        hill, n = self._hill, self._n_images
        best = Best.of_starts(hill, self._done, n)
        perturbation = hill.ball.perturbation(best.point).detach()
        return Finding(
            perturbation=perturbation, domain=hill.chain.domain, radius=radius,
            perturbation_norm=norms(perturbation).cpu(),
            error=norms(best.output - hill.reference.clean).cpu(), damage=best.value.cpu(),
            status=best.statuses(ended),
            n_gradients=(best.n_gradients + self._spent).cpu(),
            trace=best.traces().cpu(),
            local_gain=torch.full((n,), torch.nan, dtype=torch.float64) if gain is None else gain.cpu(),
            reconstruction=best.output, clean=hill.reference.clean, seed=self._seed,
        )  # fmt: skip
