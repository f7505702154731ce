"""Starting points from a surrogate: a reconstructor with gradients on the same forward map."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from shaketable.chain import Chain
from shaketable.problem import Problem
from shaketable.protocols import Reconstructor
from shaketable.search.black_box.settings import BlackBox
from shaketable.search.climbing import search_chain
from shaketable.search.finding import Status
from shaketable.search.search import Search
from shaketable.search.worst_case import require_gradients


def transferred(
    chain: Chain, radii: Tensor, settings: BlackBox, surrogate: Problem | Reconstructor | None,
    seed: int,
) -> Tensor:  # fmt: skip
    """``(B, s, ...)`` coordinates of the surrogate's own worst cases; s = 0 without a surrogate.

    The same objective is searched in the same ball, with the default budget of gradients.

    Raises
    ------
    InputError
        If the surrogate is declared not to be differentiable.
    """
    ball = settings.ball.bind(chain, radii)
    if surrogate is None:
        return ball.template[:, None][:, :0]
    if not isinstance(surrogate, Problem):
        surrogate = replace(chain.problem, reconstruct=surrogate, differentiable=True)
    require_gradients(surrogate)
    shaken = Chain.of(surrogate, chain.images, chain.domain)
    search = Search(objective=settings.objective, ball=settings.ball)
    finding = search_chain(shaken, radii, search, seed, None)
    if Status.INTERRUPTED in finding.status:
        raise KeyboardInterrupt
    return ball.coordinates(finding.perturbation)[:, None].detach()
