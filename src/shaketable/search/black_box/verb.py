"""Search a worst case without gradients."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from torch import Tensor

from shaketable.chain import Chain, Domain
from shaketable.problem import Problem
from shaketable.protocols import Reconstructor
from shaketable.search.best import Best
from shaketable.search.black_box.model_search import search_image
from shaketable.search.black_box.queries import Queries
from shaketable.search.black_box.settings import BlackBox
from shaketable.search.black_box.transfer import transferred
from shaketable.search.engine import OnStep, Step
from shaketable.search.finding import Finding, Status
from shaketable.search.radii import relative_radii
from shaketable.search.vectors import generators, norms


def worst_case_black_box(
    problem: Problem,
    images: Tensor,
    *,
    radius: float | Sequence[float] | Tensor = 0.02,
    domain: Domain = "image",
    search: BlackBox | None = None,
    surrogate: Problem | Reconstructor | None = None,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> Finding:
    """Search the small perturbation that changes the reconstruction most, by asking only.

    The problem is that of `worst_case`; the reconstructor is called without gradients, so a program
    in NumPy, a network behind a runtime or another process will do. What is found is a lower bound
    on the worst case, and a weaker one than a search with gradients finds.

    Finite differences give the derivative of the response along many directions: one per query, or
    one per query and probing group where the reconstructor is seen to respond near a perturbation
    only. A model of the response is put together from them, climbed, and followed as far as the
    reconstructor confirms it.

    Parameters
    ----------
    problem, images, radius, domain
        As in `worst_case`.
    search
        Objective, ball and budget; `BlackBox` with 2000 queries by default.
    surrogate
        A reconstructor with gradients, on the same forward map, whose own worst case is one of
        the starts; its gradients are not queries.
    seed
        Seeds starts and directions, per image.
    on_step
        Called after every call of the reconstructor.

    Returns
    -------
    Finding
        ``n_queries`` counts reconstructions per image, ``n_gradients`` is zero, ``method`` is "no
        gradients" and ``trace`` has the best damage after every query.

    Raises
    ------
    ShapeError, InputError
        If images, radius or domain do not fit.

    Examples
    --------
    >>> import torch
    >>> from shaketable import FourierMap, Problem
    >>> A = FourierMap(torch.ones(4, 4))
    >>> problem = Problem(forward=A, reconstruct=lambda y, A: 3 * A.adjoint(y), differentiable=False)
    >>> finding = worst_case_black_box(
    ...     problem, torch.rand(1, 4, 4), radius=0.01, search=BlackBox(n_queries=60)
    ... )
    >>> round(float(finding.amplification), 2), finding.method
    (3.0, 'no gradients')
    """
    chain = Chain.of(problem, problem.prepare(images), domain)
    radii = relative_radii(chain, radius)
    settings = search or BlackBox()
    return search_images(chain, radii, settings, surrogate, seed, on_step)


def search_images(
    chain: Chain, radii: Tensor, settings: BlackBox, surrogate: Problem | Reconstructor | None,
    seed: int, on_step: OnStep | None, *, origin: Tensor | None = None,
) -> Finding:  # fmt: skip
    """As `worst_case_black_box`, of a chain.

    Parameters
    ----------
    chain, radii, settings, surrogate, seed, on_step
        As there; ``radii`` is ``(B,)``, checked.
    origin
        ``(B, ...)`` perturbations to start from as they are, and scaled to the radius.
    """
    return _Images(chain, radii, settings, seed, on_step).finding(surrogate, origin)


class _Images:
    """One image after the other: what an image's search does depends on no other image."""

    def __init__(
        self, chain: Chain, radii: Tensor, settings: BlackBox, seed: int, on_step: OnStep | None
    ) -> None:
        self._chain, self._radii, self._settings = chain, radii, settings
        self._seed, self._on_step = seed, on_step
        self._n = len(radii)
        limit = settings.max_seconds
        self._deadline = None if limit is None else time.monotonic() + limit
        self._damage = torch.full((self._n,), -torch.inf, dtype=torch.float64)
        self._asked: list[Queries] = []
        self._n_asked = 0

    def finding(self, surrogate: Problem | Reconstructor | None, origin: Tensor | None) -> Finding:
        """All images; Ctrl-C ends with what was found."""
        ended = Status.FOUND
        try:
            starts = transferred(self._chain, self._radii, self._settings, surrogate, self._seed)
            if origin is not None:
                starts = torch.cat([starts, self._continued(origin)], 1)
            made = generators(self._seed, self._n, "black box")
            for index in range(self._n):
                queries = self._queries(index)
                search_image(queries, self._settings, starts[index], made[index])
        except KeyboardInterrupt:
            ended = Status.INTERRUPTED
        return self._gathered(ended)

    def _continued(self, origin: Tensor) -> Tensor:
        ball = self._settings.ball.bind(self._chain, self._radii)
        point = ball.coordinates(origin)
        return torch.stack([point, ball.to_boundary(point)], 1)

    def _queries(self, index: int, *, reporting: bool = True) -> Queries:
        row = torch.tensor([index], device=self._chain.images.device)
        chain = self._chain.rows(row)
        queries = Queries(
            chain, self._settings.ball.bind(chain, self._radii[index : index + 1]),
            self._settings.objective, row, n_queries=self._settings.n_queries,
            at_once=self._settings.max_rows, deadline=self._deadline,
            on_query=lambda n, best: self._report(index, n, best),
        )  # fmt: skip
        self._asked.append(queries)
        if reporting:
            self._report(index, 1, queries.best)
        return queries

    def _report(self, index: int, n: int, best: Best) -> None:
        self._n_asked += n
        self._damage[index] = best.value.cpu()[0]
        if self._on_step is not None:
            self._on_step(Step(
                iteration=self._n_asked, n_iterations=self._n * self._settings.n_queries,
                damage=self._damage.clone(),
            ))  # fmt: skip

    def _gathered(self, ended: Status) -> Finding:
        for index in range(len(self._asked), self._n):  # not begun before the interrupt
            self._queries(index, reporting=False)
        asked = self._asked
        perturbation = torch.cat([
            queries.landscape.ball.perturbation(queries.best.point).detach() for queries in asked
        ])  # fmt: skip
        output = torch.cat([queries.best.output for queries in asked])
        clean = torch.cat([queries.landscape.reference.clean for queries in asked])
        n_queries = torch.tensor([queries.n_asked for queries in asked])
        return Finding(
            perturbation=perturbation, domain=self._chain.domain, radius=self._radii,
            perturbation_norm=norms(perturbation).cpu(), error=norms(output - clean).cpu(),
            damage=torch.cat([queries.best.value for queries in asked]).cpu(),
            status=tuple(_status(queries, ended) for queries in asked),
            n_gradients=torch.zeros_like(n_queries), trace=_padded(asked),
            local_gain=torch.full((self._n,), torch.nan, dtype=torch.float64),
            reconstruction=output, clean=clean, seed=self._seed, method="no gradients",
            n_queries=n_queries,
        )  # fmt: skip


def _status(queries: Queries, ended: Status) -> Status:
    late = queries.out_of_time and ended is Status.FOUND
    return queries.best.statuses(Status.BUDGET_SPENT if late else ended)[0]


def _padded(asked: list[Queries]) -> Tensor:
    """``(B, n)`` the traces of all images, NaN after the last query of each."""
    traces = [queries.trace().cpu() for queries in asked]
    return torch.nn.utils.rnn.pad_sequence(traces, batch_first=True, padding_value=torch.nan)
