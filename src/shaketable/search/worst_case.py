"""The search engine: climb the error inside a ball, keep the best point, say how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.problem import Problem
from shaketable.search.ball import Ball, generators, norms, per_image
from shaketable.search.finding import Domain, Finding, Status
from shaketable.search.updates import SphereAscent, State, Update


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a search reports after every gradient: how far it is and the best error per image."""

    iteration: int
    n_iterations: int
    error: Tensor


OnStep = Callable[[Step], None]


def worst_case(
    problem: Problem,
    images: Tensor,
    *,
    radius: float | Sequence[float] | Tensor = 0.02,
    domain: Domain = "image",
    search: Update | None = None,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> Finding:
    """Search the small perturbation that changes the reconstruction most.

    Maximises ``‖f(A(x + r)) - f(A x)‖₂`` subject to ``‖r‖₂ <= radius · ‖x‖₂`` (image domain), or
    ``‖f(y + e) - f(y)‖₂`` subject to ``‖e‖₂ <= radius · ‖y‖₂`` with e only where data were sampled
    (data domain); Antun et al. 2020, Eq. 2, as a constrained problem. What is found is a lower
    bound on the worst case.

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
        How to move and how long; `SphereAscent` with 100 gradients by default.
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
    images, sizes = _validate(problem, images, radius)
    ball = Ball.relative(problem, images, domain, sizes)
    return _search(ball, sizes, search or SphereAscent(), seed, None, on_step)


def worst_case_path(
    problem: Problem,
    images: Tensor,
    *,
    radii: Sequence[float] = (0.01, 0.02, 0.04),
    domain: Domain = "image",
    search: Update | None = None,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> tuple[Finding, ...]:
    """Worst cases of growing size, each continued from the one before: r1 < r2 < r3 of the paper.

    Parameters
    ----------
    problem, images, domain, search, seed, on_step
        As in `worst_case`; the budget of ``search`` holds for every radius.
    radii
        Relative radii, strictly increasing.

    Returns
    -------
    tuple of Finding
        One per radius.

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
    if len(radii) == 0 or any(b <= a for a, b in pairwise(radii)):
        raise InputError(f"Expected strictly increasing radii, got {tuple(radii)}; sort them.")
    update = search or SphereAscent()
    path: list[Finding] = []
    origin: Tensor | None = None
    for index, radius in enumerate(radii):
        prepared, sizes = _validate(problem, images, radius)
        ball = Ball.relative(problem, prepared, domain, sizes)
        finding = _search(ball, sizes, update, seed + index, origin, on_step)
        path.append(finding)
        if Status.INTERRUPTED in finding.status:
            break
        origin = finding.perturbation
    return tuple(path)


def require_gradients(problem: Problem) -> None:
    """Raise an `InputError` for black boxes, which a gradient search cannot climb."""
    if not problem.differentiable:
        raise InputError(
            "Expected a reconstructor that torch can differentiate, got one declared "
            "differentiable=False; a black box has no gradient: leave out the probes that search."
        )


def _validate(
    problem: Problem, images: Tensor, radius: float | Sequence[float] | Tensor
) -> tuple[Tensor, Tensor]:
    require_gradients(problem)
    images = problem.prepare(images)
    sizes = torch.as_tensor(radius, dtype=torch.float64).cpu()
    if sizes.ndim > 1 or (sizes.ndim == 1 and len(sizes) != len(images)):
        raise InputError(
            f"Expected one radius or one per image ({len(images)}), got shape {tuple(sizes.shape)}."
        )
    sizes = sizes.expand(len(images)) if sizes.ndim == 0 else sizes
    if not bool(((sizes > 0) & torch.isfinite(sizes)).all()):
        raise InputError(
            f"Expected positive relative radii, got {sizes.tolist()}; 0.02 means 2 % of the norm."
        )
    return images, sizes


class _Best:
    """The best point of every image so far, what it does, and what is needed to judge the end."""

    def __init__(self, ball: Ball, clean: Tensor) -> None:
        like = ball.images if ball.domain == "image" else ball.data
        n = len(ball.images)
        self.point = torch.zeros_like(like)
        self.output = clean.clone()
        self.error = torch.zeros(n, dtype=torch.float64)
        self.trace: list[Tensor] = []
        self.finite = torch.isfinite(norms(clean)).cpu()
        self.moved = torch.zeros(n, dtype=torch.bool)
        self.sloped = torch.zeros(n, dtype=torch.bool)

    def see(self, point: Tensor, output: Tensor, error: Tensor, slope: Tensor | None) -> None:
        """Take a point into account; ``slope`` is the gradient's norm where it was taken."""
        finite = torch.isfinite(error)
        if slope is not None:
            self.trace.append(torch.where(self.finite, error, torch.nan))
            finite &= torch.isfinite(slope)
            self.sloped |= slope > 0
        self.moved |= norms(point).cpu() > 0
        # a point that breaks the network is a counterexample of its own: keep it
        broke = self.finite & ~finite
        better = (self.finite & finite & (error > self.error)) | broke
        self.finite &= finite
        choose = per_image(better.double(), point) > 0
        self.point = torch.where(choose, point, self.point)
        choose = per_image(better.double(), output) > 0
        self.output = torch.where(choose, output.to(self.output.dtype), self.output)
        self.error = torch.where(better, error, self.error)

    def statuses(self, ended: Status) -> tuple[Status, ...]:
        """The status of every image, given how the loop ended."""
        result: list[Status] = []
        for finite, moved, sloped, error in zip(
            self.finite.tolist(), self.moved.tolist(), self.sloped.tolist(),
            self.error.tolist(), strict=True,
        ):  # fmt: skip
            if ended is Status.INTERRUPTED:  # first, so that callers see the interrupt
                result.append(ended)
            elif not finite:
                result.append(Status.NOT_FINITE)
            elif moved and error == 0:
                result.append(Status.NO_RESPONSE)
            elif not sloped:
                result.append(Status.STUCK)
            else:
                result.append(ended)
        return tuple(result)


def _search(
    ball: Ball,
    radius: Tensor,
    update: Update,
    seed: int,
    origin: Tensor | None,
    on_step: OnStep | None,
) -> Finding:
    """All starts of one search; Ctrl-C ends it with what was found."""
    with torch.no_grad():
        clean = ball.reconstruct()
    best = _Best(ball, clean)
    deadline = None if update.max_seconds is None else time.monotonic() + update.max_seconds
    ended = Status.FOUND
    try:
        for start in range(update.n_starts):
            first = origin if start == 0 else None
            seeds = generators(seed, len(ball.images), f"start {start}")
            if not _climb(ball, clean, update, update.start(ball, seeds, first), best, deadline,
                          on_step):  # fmt: skip
                ended = Status.BUDGET_SPENT
                break
    except KeyboardInterrupt:
        ended = Status.INTERRUPTED
    n_gradients = torch.full((len(ball.images),), len(best.trace), dtype=torch.int64)
    trace = torch.stack(best.trace, 1) if best.trace else torch.zeros(len(clean), 0).double()
    return Finding(
        perturbation=ball.restrict(best.point), domain=ball.domain, radius=radius,
        perturbation_norm=norms(ball.restrict(best.point)).cpu(), error=best.error,
        status=best.statuses(ended), n_gradients=n_gradients, trace=trace,
        reconstruction=best.output, clean=clean, seed=seed,
    )  # fmt: skip


def _climb(
    ball: Ball, clean: Tensor, update: Update, state: State, best: _Best,
    deadline: float | None, on_step: OnStep | None,
) -> bool:  # fmt: skip
    """One start; False when the time ran out before the update's schedule ended."""
    for iteration in range(update.n_gradients):
        if deadline is not None and time.monotonic() > deadline:
            return False
        state = _inside(ball, state)
        output, error, gradient = _evaluate(ball, clean, state.point)
        best.see(state.point, output, error, norms(gradient).cpu())
        if on_step is not None:
            on_step(Step(iteration=len(best.trace), n_iterations=update.n_gradients * update.n_starts,
                         error=best.error))  # fmt: skip
        if not bool(best.finite.any()):
            return True
        moving = per_image(best.finite.double(), gradient) > 0
        gradient = torch.where(moving, gradient, torch.zeros_like(gradient))
        state = update.advance(ball, state, gradient, iteration)
    state = _inside(ball, state)
    with torch.no_grad():
        output = ball.reconstruct(state.point)
    best.see(state.point, output, norms(output - clean).cpu(), None)
    return True


def _inside(ball: Ball, state: State) -> State:
    """Whatever an update returns, what counts lies in the ball and on the sampled positions."""
    return replace(state, point=ball.project(ball.restrict(state.point)))


def _evaluate(ball: Ball, clean: Tensor, point: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Output, error ``(B,)`` and gradient of the squared error at a point."""
    variable = point.detach().requires_grad_()
    output = ball.reconstruct(variable)
    difference = output - clean
    squared = (difference.conj() * difference).real.sum()
    if not squared.requires_grad:  # nothing of the chain depends on the perturbation
        return output.detach(), norms(difference).cpu(), torch.zeros_like(point)
    (gradient,) = torch.autograd.grad(squared, variable)
    return output.detach(), norms(difference).cpu(), gradient
