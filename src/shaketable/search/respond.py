"""Evaluate a given perturbation, and draw random ones: the controls beside every worst case."""

from __future__ import annotations

import torch
from torch import Tensor

from shaketable.chain import Chain, Domain
from shaketable.problem import Problem
from shaketable.search.ball import Ball
from shaketable.search.radii import relative_radii
from shaketable.search.vectors import generators


def respond(problem: Problem, images: Tensor, perturbation: Tensor, *, domain: Domain) -> Tensor:
    """The reconstruction under a perturbation: ``f(A(x + r))`` or ``f(A x + e)``.

    Parameters
    ----------
    problem
        Forward map and reconstructor.
    images
        ``(B, *image_shape)``.
    perturbation
        ``(B, *image_shape)`` (image domain) or ``(B, *data_shape)`` (data domain); the latter is
        used at sampled positions only.
    domain
        Where it is added.

    Raises
    ------
    ShapeError, InputError
        If the perturbation has another shape, or is complex where images or data are real.

    Examples
    --------
    >>> import torch
    >>> from shaketable import FourierMap, Problem
    >>> problem = Problem(forward=FourierMap(torch.ones(4, 4)), reconstruct=lambda y, A: A.adjoint(y))
    >>> image = torch.ones(1, 4, 4)
    >>> bool(torch.allclose(respond(problem, image, image, domain="image").real, 2 * image))
    True
    """
    chain = Chain.of(problem, problem.prepare(images), domain)
    with torch.no_grad():
        return chain.reconstruct(chain.allowed(perturbation))


def random_perturbation(
    problem: Problem, images: Tensor, *, radius: float, domain: Domain, seed: int,
    ball: Ball | None = None,
) -> Tensor:  # fmt: skip
    """A random direction scaled to a relative radius, one per image.

    Parameters
    ----------
    problem, images, domain
        As in `respond`.
    radius
        Relative to ``‖x‖₂`` (image domain) or ``‖A x‖₂`` (data domain, sampled positions only).
    seed
        Seeds the draw.
    ball
        Of another shape than the l2 ball, if it is.

    Examples
    --------
    >>> import torch
    >>> from shaketable import FourierMap, Problem
    >>> problem = Problem(forward=FourierMap(torch.ones(4, 4)), reconstruct=lambda y, A: A.adjoint(y))
    >>> r = random_perturbation(problem, torch.ones(1, 4, 4), radius=0.5, domain="image", seed=0)
    >>> round(float(torch.linalg.vector_norm(r)), 4)
    2.0
    """
    chain = Chain.of(problem, problem.prepare(images), domain)
    sizes = relative_radii(chain, radius)
    bound = (ball or Ball()).bind(chain, sizes)
    return bound.perturbation(bound.random(generators(seed, len(images), "random")))
