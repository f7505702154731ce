"""Worst cases of growing size in one go: r1 < r2 < r3 of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from shaketable.problem import Problem
from shaketable.search.chain import Chain
from shaketable.search.climbing import make_hill, search_chain
from shaketable.search.engine import OnStep
from shaketable.search.finding import Domain, Finding, Status
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
    larger one.

    Parameters
    ----------
    problem, images, domain, search, seed, on_step
        As in `worst_case`; the budget of ``search`` holds for every radius, both passes together.
    radii
        Relative radii, strictly increasing.

    Returns
    -------
    tuple of Finding
        One per radius; fewer where the search was interrupted.

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
    """The two passes over the radii, with the larger damage kept at every radius."""

    def __init__(
        self, chain: Chain, search: Search, seed: int, on_step: OnStep | None,
        radii: tuple[float, ...],
    ) -> None:  # fmt: skip
        self._chain, self._search, self._seed = chain, search, seed
        self._on_step, self._radii = on_step, radii
        self._local: Local | None = None

    def findings(self) -> tuple[Finding, ...]:
        whole = self._search.budget.n_gradients
        half, last = max(whole // 2, 1), len(self._radii) - 1
        path: list[Finding] = []
        for index in range(len(self._radii)):
            before = path[-1] if path else None
            path.append(self._at(index, whole if index == last else half, before))
            if Status.INTERRUPTED in path[-1].status:
                return tuple(path)
        for index in reversed(range(last if whole > half else 0)):
            again = self._at(index, whole - half, path[index + 1], n_starts=1)
            path[index] = better(path[index], again)
            if Status.INTERRUPTED in again.status:
                return tuple(path[: index + 1])
        return tuple(path)

    def _at(
        self, index: int, n_gradients: int, before: Finding | None, n_starts: int | None = None
    ) -> Finding:
        """One radius, from the finding at a neighbouring one."""
        budget = replace(self._search.budget, n_gradients=n_gradients)
        search = replace(self._search, budget=replace(budget, n_starts=n_starts or budget.n_starts))
        radii = relative_radii(self._chain, self._radii[index])
        spent = 0
        if self._local is None:
            self._local = find_local(make_hill(self._chain, radii, search), search, self._seed)
            spent = self._local.cost
        return search_chain(
            self._chain, radii, search, self._seed + index, self._on_step, spent=spent,
            origin=None if before is None else before.perturbation, local=self._local,
        )  # fmt: skip


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
