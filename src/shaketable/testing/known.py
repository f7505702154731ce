"""A problem whose worst case is known, and how much of it a perturbation reaches."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.chain import Chain
from shaketable.errors import InputError
from shaketable.problem import Problem
from shaketable.search import Ball, Domain, respond
from shaketable.search.vectors import norms

_ROUNDING = 1e-4  # by which a perturbation may exceed the ball


@dataclass(frozen=True, kw_only=True, eq=False)
class KnownProblem:
    """A problem with the largest error that a perturbation of a given size can cause.

    Parameters
    ----------
    name
        What reports call it.
    sentence
        What makes it difficult, for people.
    problem
        Forward map and a reconstructor made for the purpose.
    images
        ``(B, *image_shape)``.
    radius, domain, ball
        The set of perturbations, as in `shaketable.worst_case` and `shaketable.Search`.
    answer
        ``(B,)`` float64: ``max ‖f(A(x + r)) - f(A x)‖₂`` over the ball, or the same with e.
    worst
        ``(B, ...)`` a perturbation that attains it.
    reach
        Share of the answer from which on it counts as found.
    led_to
        Something that follows gradients from a random start is led to the answer. Where it is not,
        no budget helps, and not finding it says nothing about how well a search climbs.

    Examples
    --------
    >>> import torch
    >>> from shaketable import FourierMap
    >>> from shaketable.testing import Site, rank_one
    >>> problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=lambda y, A: A.adjoint(y))
    >>> known = rank_one(Site.of(problem, torch.rand(1, 8, 8)))
    >>> round(float(known.share(known.worst)), 3)
    1.0
    """

    name: str
    sentence: str
    problem: Problem
    images: Tensor
    radius: float
    domain: Domain
    ball: Ball
    answer: Tensor
    worst: Tensor
    reach: float = 0.9
    led_to: bool = True

    def share(self, perturbation: Tensor) -> Tensor:
        """Share of the answer that perturbations reach, whoever found them: ``(B,)`` float64.

        Parameters
        ----------
        perturbation
            ``(B, ...)`` in the domain of the problem; used at sampled positions only.

        Raises
        ------
        InputError
            If one is larger than the ball.
        """
        chain = Chain.of(self.problem, self.images, self.domain)
        radii = torch.full((len(self.images),), self.radius, dtype=torch.float64)
        bound = self.ball.bind(chain, radii)
        size = bound.norms(bound.coordinates(perturbation))
        if not bool((size <= bound.size * (1 + _ROUNDING)).all()):
            raise InputError(
                f"Expected perturbations of norm at most {bound.size.tolist()}, got {size.tolist()}; "
                "scale them down."
            )
        output = respond(self.problem, self.images, perturbation, domain=self.domain)
        with torch.no_grad():
            clean = chain.reconstruct()
        return (norms(output - clean) / self.answer.to(output.device)).cpu()
