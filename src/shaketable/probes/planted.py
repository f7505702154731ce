"""Evidence that a search can find things: an instability planted where its size is known."""

from __future__ import annotations

import torch
from torch import Tensor

from shaketable.checks import Check
from shaketable.problem import Problem
from shaketable.protocols import ForwardMap
from shaketable.search import Domain, Update, random_perturbation, worst_case

_GAIN = 10.0
_LIMIT = 0.9


def planted_check(
    problem: Problem, images: Tensor, domain: Domain, search: Update, seed: int
) -> Check:
    """Let the configured search look for a rank-one instability hidden at a random direction.

    The reconstructor is ``f(y) = A*y + gain · ⟨p, y⟩ q`` with ``‖p‖ = ‖q‖ = 1`` and q orthogonal
    to nothing in particular, on the problem's own forward map. Its largest amplification in the
    data domain, restricted to sampled positions, is at least ``sqrt(gain² - 1) - 1`` and found by
    power iteration to rounding; the search must reach 90 % of it.

    Parameters
    ----------
    problem
        Its map, image kind and shape are used, not its reconstructor.
    images
        ``(1, *image_shape)``.
    domain, search, seed
        As the probe uses them.
    """
    image = problem.prepare(images[:1])
    A = problem.forward
    with torch.no_grad():
        data = A(image)
        p = random_perturbation(problem, image, radius=1.0, domain="data", seed=seed + 1)
        p = p / torch.linalg.vector_norm(p)
        q = random_perturbation(problem, image, radius=1.0, domain="image", seed=seed + 2)
        q = q / torch.linalg.vector_norm(q)

    def reconstruct(y: Tensor, forward: ForwardMap) -> Tensor:
        weight = (p.conj() * y).flatten(1).sum(1)
        weight = weight.real if problem.real else weight
        base = forward.adjoint(y)
        base = base.real if problem.real and base.is_complex() else base
        output: Tensor = base + _GAIN * weight.view(-1, *[1] * (q.ndim - 1)) * q
        return output

    planted = Problem(forward=A, reconstruct=reconstruct, real=problem.real, name="planted")
    finding = worst_case(planted, image, radius=0.01, domain=domain, search=search, seed=seed)
    with torch.no_grad():
        like = image if domain == "image" else data
        known = _largest_gain(planted, like, domain, seed)
    share = float(finding.amplification[0]) / known
    passed = share >= _LIMIT
    return Check(
        name=f"search strength ({domain} domain)",
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


def _largest_gain(problem: Problem, like: Tensor, domain: Domain, seed: int) -> float:
    """Largest singular value of the linear map perturbation -> image, by power iteration."""
    A = problem.forward

    def apply(r: Tensor) -> Tensor:
        if domain == "image":
            return problem.reconstruct(A(r), A)
        return problem.reconstruct(r if A.sampled is None else r * A.sampled.to(r.device), A)

    generator = torch.Generator().manual_seed(seed)
    vector = torch.randn(like.shape, generator=generator, dtype=like.dtype).to(like.device)
    gain = 0.0
    for _ in range(200):
        vector = vector / torch.linalg.vector_norm(vector)
        with torch.enable_grad():
            variable = vector.detach().requires_grad_()
            output = apply(variable)
            (vector,) = torch.autograd.grad((output.detach().conj() * output).real.sum(), variable)
        gain = float(torch.linalg.vector_norm(output.detach()))
    return gain
