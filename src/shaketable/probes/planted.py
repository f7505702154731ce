"""Evidence that a search can find things: an instability planted where its size is known."""

from __future__ import annotations

import torch
from torch import Tensor

from shaketable.checks import Check
from shaketable.problem import Problem
from shaketable.protocols import ForwardMap
from shaketable.search import Domain, Search, random_perturbation, worst_case

_GAIN = 10.0
_LIMIT = 0.9
_SETTLED = 1e-6  # relative change of the gain at which power iteration ends


def planted_check(
    problem: Problem,
    images: Tensor,
    domain: Domain,
    search: Search,
    seed: int,
    *,
    name: str,
) -> Check:
    """Let the configured search look for a rank-one instability hidden at a random direction.

    The reconstructor is ``f(y) = A*y + g ⟨p, y⟩ q`` on the problem's own forward map, with random
    p and q of norm one and g such that what is planted is ten times the largest amplification of
    ``A*`` (data domain) or ``A*A`` (image domain). It is linear, so its largest amplification is
    known from power iteration to rounding; the search must reach 90 % of it.

    Parameters
    ----------
    problem
        Its map, image kind and shape are used, not its reconstructor.
    images
        ``(1, *image_shape)``.
    domain, search, seed
        As the probe uses them.
    name
        What the check is called.
    """
    image = problem.prepare(images[:1])
    planted = _plant(problem, image, domain, seed)
    finding = worst_case(planted, image, radius=0.01, domain=domain, search=search, seed=seed)
    share = float(finding.amplification[0]) / _largest_gain(planted, image, domain, seed)
    passed = share >= _LIMIT
    return Check(
        name=name,
        value=share,
        limit=_LIMIT,
        passed=passed,
        sentence=f"The configured search found {share:.1%} of an instability planted in a linear "
        "reconstructor at a random direction."
        if passed
        else f"Expected the configured search to find at least {_LIMIT:.0%} of a planted "
        f"instability, got {share:.1%}; raise n_gradients: a search this weak cannot call "
        "anything stable.",
    )


def _plant(problem: Problem, image: Tensor, domain: Domain, seed: int) -> Problem:
    """The problem's map with a linear reconstructor that hides one large singular value."""
    A = problem.forward

    def adjoint(y: Tensor, forward: ForwardMap) -> Tensor:
        base = forward.adjoint(y)
        return base.real if problem.real and base.is_complex() else base

    plain = Problem(forward=A, reconstruct=adjoint, real=problem.real, name="adjoint")
    p = random_perturbation(problem, image, radius=1.0, domain="data", seed=seed + 1)
    p = p / torch.linalg.vector_norm(p)
    q = random_perturbation(problem, image, radius=1.0, domain="image", seed=seed + 2)
    q = q / torch.linalg.vector_norm(q)
    with torch.no_grad():
        reach = 1.0 if domain == "data" else float(torch.linalg.vector_norm(adjoint(p, A)))
    gain = _GAIN * _largest_gain(plain, image, domain, seed, n_iterations=10) / reach

    def reconstruct(y: Tensor, forward: ForwardMap) -> Tensor:
        weight = (p.conj() * y).flatten(1).sum(1)
        weight = weight.real if problem.real else weight
        output: Tensor = adjoint(y, forward) + gain * weight.view(-1, *[1] * (q.ndim - 1)) * q
        return output

    return Problem(forward=A, reconstruct=reconstruct, real=problem.real, name="planted")


def _largest_gain(
    problem: Problem, image: Tensor, domain: Domain, seed: int, *, n_iterations: int = 200
) -> float:
    """Largest singular value of the linear map perturbation -> image, by power iteration."""
    A = problem.forward
    with torch.no_grad():
        like = image if domain == "image" else A(image)

    def apply(r: Tensor) -> Tensor:
        if domain == "image":
            return problem.reconstruct(A(r), A)
        return problem.reconstruct(r if A.sampled is None else r * A.sampled.to(r.device), A)

    generator = torch.Generator().manual_seed(seed)
    vector = torch.randn(like.shape, generator=generator, dtype=like.dtype).to(like.device)
    gain, before = 0.0, -1.0
    for _ in range(n_iterations):
        if abs(gain - before) <= _SETTLED * gain:
            break
        vector = vector / torch.linalg.vector_norm(vector)
        with torch.enable_grad():
            variable = vector.detach().requires_grad_()
            output = apply(variable)
            (vector,) = torch.autograd.grad((output.detach().conj() * output).real.sum(), variable)
        gain, before = float(torch.linalg.vector_norm(output.detach())), gain
    return gain
