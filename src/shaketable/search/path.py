"""Worst cases of growing size in one go: r1 < r2 < r3 of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from shaketable.chain import Chain, Domain
from shaketable.problem import Problem
from shaketable.search.climbing import make_hill, search_chain
from shaketable.search.engine import OnStep
from shaketable.search.finding import Finding, Status
from shaketable.search.itinerary import Leg, itinerary
from shaketable.search.local import Local, find_local
from shaketable.search.radii import increasing_radii, relative_radii
from shaketable.search.search import Search
from shaketable.search.vectors import per_image
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
    scaled up; then one back, each started from the perturbation after it scaled down; the worse of
    the two counts. Damage never falls with the radius: what fits into a smaller ball fits into a
    larger one. Budgets of 100 gradients and more also pay for stones that nobody asked for: a quarter
    and half of the smallest radius, where directions are told apart most easily, and 1.4 times the
    largest, from where the way back begins.

    Parameters
    ----------
    problem, images, domain, search, seed, on_step
        As in `worst_case`; all radii together spend at most the budget of ``search`` times their
        number, in gradients and in seconds. What a stone costs is counted at the radius beside it.
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
    return _Path(chain, search or Search(), seed, on_step, every).findings()


class _Path:
    """The legs of a path, with the largest damage kept at every radius that was asked for."""

    def __init__(
        self, chain: Chain, search: Search, seed: int, on_step: OnStep | None,
        radii: tuple[float, ...],
    ) -> None:  # fmt: skip
        self._chain, self._search, self._seed = chain, search, seed
        self._on_step, self._radii = on_step, radii
        self._local: Local | None = None
        self._found: dict[int, Finding] = {}
        self._on_stones: dict[int, Tensor] = {}

    def findings(self) -> tuple[Finding, ...]:
        before: Finding | None = None
        legs = itinerary(self._radii, self._search.budget.n_gradients)
        for number, leg in enumerate(legs):
            now = self._walk(leg, before, self._seed + number)
            if leg.asked:
                before = self._keep(leg.index, now)
            else:
                before = now
                spent = self._on_stones.get(leg.index, torch.zeros_like(now.n_gradients))
                self._on_stones[leg.index] = spent + now.n_gradients
            if Status.INTERRUPTED in now.status:
                self._interrupt(leg, now)
                break
        return tuple(self._counted(index) for index in sorted(self._found))

    def _walk(self, leg: Leg, before: Finding | None, seed: int) -> Finding:
        """One leg, from where the one before it ended."""
        n_starts = 1 if leg.returns else self._search.budget.n_starts
        whole = self._search.budget
        seconds = whole.max_seconds and whole.max_seconds * leg.n_gradients / whole.n_gradients
        budget = replace(
            whole, n_gradients=leg.n_gradients, n_starts=n_starts, max_seconds=seconds
        )  # fmt: skip
        search = replace(self._search, budget=budget)
        radii = relative_radii(self._chain, leg.radius)
        spent = 0
        if self._local is None:
            self._local = find_local(make_hill(self._chain, radii, search), search, self._seed)
            spent = self._local.cost
        return search_chain(
            self._chain, radii, search, seed, self._on_step, spent=spent,
            origin=None if before is None else before.perturbation, settled=not leg.free,
            local=self._local,
        )  # fmt: skip

    def _keep(self, index: int, now: Finding) -> Finding:
        known = self._found.get(index)
        self._found[index] = now if known is None else better(known, now)
        return self._found[index]

    def _interrupt(self, leg: Leg, now: Finding) -> None:
        """Say so at the radius that the leg belongs to."""
        # A stone below the smallest radius is all there is; what it found fits into that ball too.
        radius = relative_radii(self._chain, self._radii[leg.index])
        fits = replace(now, radius=radius, n_gradients=torch.zeros_like(now.n_gradients))
        kept = self._found.get(leg.index, fits)
        self._found[leg.index] = replace(kept, status=(Status.INTERRUPTED,) * len(kept.status))

    def _counted(self, index: int) -> Finding:
        """The finding with what the stones beside it cost."""
        found = self._found[index]
        return replace(found, n_gradients=found.n_gradients + self._on_stones.get(index, 0))


def better(first: Finding, second: Finding) -> Finding:
    """Image by image the finding that did more damage; what both spent is added."""
    broke = torch.tensor([status is Status.NOT_FINITE for status in second.status])
    intact = torch.tensor([status is not Status.NOT_FINITE for status in first.status])
    take = intact & (broke | (second.damage > first.damage))

    def choose(a: Tensor, b: Tensor) -> Tensor:
        return torch.where(per_image(take.to(a.device), a), b, a)

    status = tuple(
        b if taken else a
        for a, b, taken in zip(first.status, second.status, take.tolist(), strict=True)
    )
    return replace(
        first, status=status,
        perturbation=choose(first.perturbation, second.perturbation),
        perturbation_norm=choose(first.perturbation_norm, second.perturbation_norm),
        error=choose(first.error, second.error),
        damage=choose(first.damage, second.damage),
        reconstruction=choose(first.reconstruction, second.reconstruction),
        n_gradients=first.n_gradients + second.n_gradients,
        trace=torch.cat([first.trace, second.trace], 1),
    )  # fmt: skip
