"""Search the worst case of one radius."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from shaketable.chain import Chain, Domain
from shaketable.errors import InputError
from shaketable.problem import Problem
from shaketable.search.climbing import search_chain
from shaketable.search.engine import OnStep
from shaketable.search.finding import Finding
from shaketable.search.radii import relative_radii
from shaketable.search.search import Search


def worst_case(
    problem: Problem,
    images: Tensor,
    *,
    radius: float | Sequence[float] | Tensor = 0.02,
    domain: Domain = "image",
    search: Search | None = None,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> Finding:
    """Search the small perturbation that changes the reconstruction most.

    Maximises ``‖f(A(x + r)) - f(A x)‖₂`` subject to ``‖r‖₂ <= radius · ‖x‖₂`` (image domain), or
    ``‖f(y + e) - f(y)‖₂`` subject to ``‖e‖₂ <= radius · ‖y‖₂`` with e only where data were sampled
    (data domain); Antun et al. 2020, Eq. 2, as a constrained problem. Other objectives and balls are
    chosen with ``search``. What is found is a lower bound on the worst case.

    Parameters
    ----------
    problem
        Forward map and reconstructor.
    images
        ``(B, *image_shape)``.
    radius
        Relative radius, one for all images or one each.
    domain
        Where the perturbation is added.
    search
        Objective, ball, update and budget; `Search` with 100 gradients by default.
    seed
        Seeds the random starts, per image.
    on_step
        Called after every gradient.

    Returns
    -------
    Finding
        Perturbation, error, amplification and status per image.

    Raises
    ------
    ShapeError, InputError
        If images, radius or domain do not fit, or the reconstructor is a black box.

    Examples
    --------
    >>> import torch
    >>> from shaketable import FourierMap, Problem
    >>> A = FourierMap(torch.ones(8, 8))
    >>> problem = Problem(forward=A, reconstruct=lambda y, A: 3 * A.adjoint(y))
    >>> finding = worst_case(problem, torch.rand(1, 8, 8), radius=0.01)
    >>> round(float(finding.amplification), 3), str(finding.status[0])
    (3.0, 'found')
    """
    chain = make_chain(problem, images, domain)
    return search_chain(chain, relative_radii(chain, radius), search or Search(), seed, on_step)


def require_gradients(problem: Problem) -> None:
    """Raise an `InputError` for black boxes, which a gradient search cannot climb."""
    if not problem.differentiable:
        raise InputError(
            "Expected a reconstructor that torch can differentiate, got one declared "
            "differentiable=False; a black box has no gradient: use worst_case_black_box, or leave "
            "out the probes that search."
        )


def make_chain(problem: Problem, images: Tensor, domain: Domain) -> Chain:
    """The chain of images that a gradient can climb."""
    require_gradients(problem)
    return Chain.of(problem, problem.prepare(images), domain)
