"""Worst cases of growing size in one go: r1 < r2 < r3 of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from shaketable.chain import Chain, Domain
from shaketable.problem import Problem
from shaketable.search.climbing import search_chain
from shaketable.search.continuation import Stage, continuation_schedule
from shaketable.search.engine import OnStep
from shaketable.search.finding import Finding, Status, larger_damage
from shaketable.search.first_point import Earlier
from shaketable.search.landscape import Landscape
from shaketable.search.local import Local, find_local
from shaketable.search.radii import increasing_radii, relative_radii
from shaketable.search.search import Search
from shaketable.search.worst_case import make_chain


def worst_case_path(
    problem: Problem,
    images: Tensor,
    *,
    radii: Sequence[float] = (0.01, 0.02, 0.04),
    domain: Domain = "image",
    search: Search | None = None,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> tuple[Finding, ...]:
    """Worst cases of growing size, continued from one another: r1 < r2 < r3 of the paper.

    One pass from the smallest radius to the largest, each started from the perturbation before it
    scaled up; then one back down, each started from the perturbation after it scaled down; the worse of
    the two counts. Damage never falls with the radius: what fits into a smaller ball fits into a
    larger one. Budgets of 100 gradients and more also pay for searches at auxiliary radii: a quarter
    and half of the smallest radius, where directions are told apart most easily, and 1.4 times the
    largest, from where the way down begins (`continuation_schedule`).

    Parameters
    ----------
    problem, images, domain, search, seed, on_step
        As in `worst_case`; all radii together spend at most the budget of ``search`` times their
        number, in gradients and in seconds. What an auxiliary search costs is
        counted at the radius beside it.
    radii
        Relative radii, strictly increasing.

    Returns
    -------
    tuple of Finding
        One per radius; fewer where the search was interrupted on its way up.

    Raises
    ------
    InputError
        If the radii do not increase, or as in `worst_case`.

    Examples
    --------
    >>> import torch
    >>> from shaketable import FourierMap, Problem
    >>> problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=lambda y, A: A.adjoint(y))
    >>> path = worst_case_path(problem, torch.rand(1, 8, 8), radii=(0.01, 0.02))
    >>> bool(path[0].error < path[1].error)
    True
    """
    every = increasing_radii(radii)
    chain = make_chain(problem, images, domain)
    return _follow(chain, search or Search(), every, seed, on_step)


def _follow(
    chain: Chain, search: Search, radii: tuple[float, ...], seed: int, on_step: OnStep | None
) -> tuple[Finding, ...]:
    """One search per stage of the schedule, each from where the stage before it ended."""
    schedule = continuation_schedule(radii, search.budget.n_gradients)
    local = _local(chain, schedule[0], search, seed)
    kept = _Kept(chain, radii)
    perturbation, spent = None, local.cost
    for number, stage in enumerate(schedule):
        earlier = Earlier(
            perturbation=perturbation, warm_start=stage.warm_start, local=local, spent=spent
        )
        found = search_chain(
            chain, relative_radii(chain, stage.radius), _of_stage(search, stage), seed + number,
            on_step, earlier,
        )  # fmt: skip
        perturbation, spent = kept.take(stage, found).perturbation, 0
        if Status.INTERRUPTED in found.status:
            kept.interrupted(stage, found)
            break
    return kept.findings()


def _local(chain: Chain, first: Stage, search: Search, seed: int) -> Local:
    """The leading direction, paid for by the first stage."""
    settings = _of_stage(search, first)
    landscape = Landscape.of(chain, relative_radii(chain, first.radius), settings)
    return find_local(landscape, settings, seed)


def _of_stage(search: Search, stage: Stage) -> Search:
    """The search with the stage's share of gradients and seconds; several starts on the way up only."""
    whole = search.budget
    seconds = whole.max_seconds and whole.max_seconds * stage.n_gradients / whole.n_gradients
    budget = replace(
        whole, n_gradients=stage.n_gradients, max_seconds=seconds,
        n_starts=1 if stage.descending else whole.n_starts,
    )  # fmt: skip
    return replace(search, budget=budget)


class _Kept:
    """The largest damage at every requested radius, and what the auxiliary stages beside it cost."""

    def __init__(self, chain: Chain, radii: tuple[float, ...]) -> None:
        self._chain, self._radii = chain, radii
        self._found: dict[int, Finding] = {}
        self._auxiliary: dict[int, Tensor] = {}

    def take(self, stage: Stage, found: Finding) -> Finding:
        """What the next stage continues from: the best at a requested radius, else what was found."""
        index = stage.index
        if not stage.requested:
            spent = self._auxiliary.get(index, torch.zeros_like(found.n_gradients))
            self._auxiliary[index] = spent + found.n_gradients
            return found
        known = self._found.get(index)
        self._found[index] = found if known is None else larger_damage(known, found)
        return self._found[index]

    def interrupted(self, stage: Stage, found: Finding) -> None:
        """Say so at the radius that the stage counts for."""
        # An auxiliary stage below the smallest radius may be all there is; what it found fits into
        # that ball too, and its cost is counted already.
        radius = relative_radii(self._chain, self._radii[stage.index])
        fits = replace(found, radius=radius, n_gradients=torch.zeros_like(found.n_gradients))
        kept = self._found.get(stage.index, fits)
        self._found[stage.index] = replace(kept, status=(Status.INTERRUPTED,) * len(kept.status))

    def findings(self) -> tuple[Finding, ...]:
        """One per radius that was reached, with the cost of the auxiliary stages beside it."""
        return tuple(
            replace(found, n_gradients=found.n_gradients + self._auxiliary.get(index, 0))
            for index, found in sorted(self._found.items())
        )
