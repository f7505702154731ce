"""Worst cases of growing size, without gradients."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from shaketable.chain import Chain, Domain
from shaketable.problem import Problem
from shaketable.protocols import Reconstructor
from shaketable.search.black_box.settings import BlackBox
from shaketable.search.black_box.verb import search_images
from shaketable.search.engine import OnStep
from shaketable.search.finding import Finding, Status
from shaketable.search.radii import increasing_radii, relative_radii


def worst_case_black_box_path(
    problem: Problem,
    images: Tensor,
    *,
    radii: Sequence[float] = (0.01, 0.02, 0.04),
    domain: Domain = "image",
    search: BlackBox | None = None,
    surrogate: Problem | Reconstructor | None = None,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> tuple[Finding, ...]:
    """Worst cases of growing size by asking only, each started from the one before it.

    The perturbation of a smaller radius is a candidate as it is, and scaled up, so damage does not
    fall with the radius.

    Parameters
    ----------
    problem, images, domain, search, surrogate, seed, on_step
        As in `worst_case_black_box`; the budget of ``search`` holds for every radius.
    radii
        Relative radii, strictly increasing.

    Returns
    -------
    tuple of Finding
        One per radius; fewer where the search was interrupted.

    Raises
    ------
    InputError
        If the radii do not increase, or as in `worst_case_black_box`.

    Examples
    --------
    >>> import torch
    >>> from shaketable import FourierMap, Problem
    >>> problem = Problem(forward=FourierMap(torch.ones(4, 4)), reconstruct=lambda y, A: A.adjoint(y))
    >>> path = worst_case_black_box_path(
    ...     problem, torch.rand(1, 4, 4), radii=(0.01, 0.02), search=BlackBox(n_queries=10)
    ... )
    >>> bool(path[0].error < path[1].error)
    True
    """
    every = increasing_radii(radii)
    chain = Chain.of(problem, problem.prepare(images), domain)
    settings = search or BlackBox()
    path: list[Finding] = []
    for index, radius in enumerate(every):
        size = relative_radii(chain, radius)
        origin = path[-1].perturbation if path else None
        path.append(search_images(
            chain, size, settings, surrogate, seed + index, on_step, origin=origin
        ))  # fmt: skip
        if Status.INTERRUPTED in path[-1].status:
            break
    return tuple(path)
