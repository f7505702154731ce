"""Solve a batch to its certificates, and differentiate exactly what was evaluated.

The image of a batch member is a fixed number of iterations, started at zero, followed by one
x-update; the number is where its certificate is reached. Its derivative is the derivative of these
very iterations, carried backwards (or forwards) through all of them: nothing is truncated and no
linear system is solved to a tolerance. The number of iterations itself is piecewise constant in the
data. Iterates are kept on the way; beyond `iterations.N_KEPT` of them every second one is dropped and
the backward pass computes the missing ones again (checkpointing), so memory stays bounded.

References
----------
Griewank and Walther, "Evaluating Derivatives" (2nd ed., 2008), chapters 3 and 12.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from shaketable.sparse.admm import Problem, Splitting
from shaketable.sparse.iterations import Outcome, Stopping, Trajectory, iterate, rows_of
from shaketable.sparse.threads import SHARED_CACHE_BYTES, on_threads


def solve(splitting: Splitting, problem: Problem, stopping: Stopping) -> Outcome:
    """Iterate every image until its own certificate is reached; differentiable in the problem.

    Parameters
    ----------
    splitting
        The iteration.
    problem
        The targets and the levels of a batch.
    stopping
        When to stop.
    """
    watched = problem.target.requires_grad or problem.level.requires_grad
    keeps = torch.is_grad_enabled() and watched
    planes, primal, gap, n_iterations, _ = _Solve.apply(  # type: ignore[no-untyped-call]
        problem.target, problem.level, splitting, stopping, keeps
    )
    return Outcome(planes=planes, primal=primal, gap=gap, n_iterations=n_iterations)


def _parts(splitting: Splitting, problem: Problem) -> list[Problem]:
    """What is solved on one thread: as many images as the shared cache holds, or the batch.

    Images together save calls, which take as long as the arithmetic of a small one. Data of many
    coils are the exception: few images of them fill the cache, and the memory.
    """
    n_images = len(problem.target)
    if n_images < 2 or not splitting.term.parallel or problem.target.device.type != "cpu":
        return [problem]
    state = splitting.start(problem.rows(torch.tensor([0])))
    fitting = SHARED_CACHE_BYTES // sum(part.nbytes for part in state)
    n_threads = torch.get_num_threads()
    # As many parts for every thread, so that none waits long for another.
    rounds = -(-n_images // (n_threads * max(1, fitting)))
    pieces = torch.tensor_split(torch.arange(n_images), min(n_images, rounds * n_threads))
    return [problem.rows(rows) for rows in pieces]


def _pull_back(
    splitting: Splitting, trajectory: Trajectory, planes: Tensor
) -> tuple[Tensor, Tensor]:
    """Cotangent of the image -> those of target and level, through every iteration."""
    problem = trajectory.problem
    at_state = splitting.start(problem)
    at_target, at_level = torch.zeros_like(problem.target), torch.zeros_like(problem.level)
    for iteration, rows, state in trajectory.backwards(splitting):
        some = problem.rows(rows)
        carried, at_some = splitting.advance_adjoint(state, some, rows_of(at_state, rows))
        ends = trajectory.n_iterations[rows] == iteration
        if bool(ends.any()):
            # Nothing is carried into these rows yet: their chain begins with the x-update.
            first, at_ends = splitting.image_adjoint(
                rows_of(state, ends), some.rows(ends), planes[rows[ends]]
            )
            for part, new in zip(carried, first, strict=True):
                part[ends] = new
            at_some.target[ends], at_some.level[ends] = at_ends.target, at_ends.level
        for whole, part in zip(at_state, carried, strict=True):
            whole[rows] = part
        at_target[rows] += at_some.target
        at_level[rows] += at_some.level
    return at_target, at_level


def _push_forward(splitting: Splitting, trajectory: Trajectory, towards: Problem) -> Tensor:
    """Direction of the problem -> directional derivative of the image."""
    problem = trajectory.problem
    state = splitting.start(problem)
    direction = splitting.start(problem)
    result = splitting.image(state, problem)
    for iteration in range(int(trajectory.n_iterations.max()) + 1):
        ends = trajectory.n_iterations == iteration
        if bool(ends.any()):
            result[ends] = splitting.image_tangent(
                rows_of(state, ends), problem.rows(ends),
                rows_of(direction, ends), towards.rows(ends),
            )  # fmt: skip
        direction = splitting.advance_tangent(state, problem, direction, towards)
        state = splitting.advance(state, problem)
    return result


class _Solve(torch.autograd.Function):
    @staticmethod
    def forward(
        target: Tensor,
        level: Tensor,
        splitting: Splitting,
        stopping: Stopping,
        keeps: bool,
    ) -> tuple[Any, ...]:
        problem = Problem(target=target.detach(), level=level.detach())
        parts = [Trajectory(problem=some, keeps=keeps) for some in _parts(splitting, problem)]
        outcomes = on_threads(lambda part: iterate(splitting, stopping, part), parts)
        names = ("planes", "primal", "gap", "n_iterations")
        whole = [torch.cat([getattr(one, name) for one in outcomes]) for name in names]
        return *whole, parts

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
        ctx.splitting, ctx.parts = inputs[2], output[-1]
        ctx.mark_non_differentiable(*output[1:-1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        pairs = list(zip(ctx.parts, _split(ctx.parts, cotangents[0]), strict=True))
        pulled = on_threads(lambda pair: _pull_back(ctx.splitting, *pair), pairs)
        at_target, at_level = (torch.cat(parts) for parts in zip(*pulled, strict=True))
        return at_target, at_level, None, None, None

    @staticmethod
    def jvp(ctx: Any, *directions: Any) -> tuple[Tensor, None, None, None, None]:
        parts: list[Trajectory] = ctx.parts
        target, level = (
            [torch.zeros_like(getattr(part.problem, name)) for part in parts]
            if given is None
            else _split(parts, given)
            for name, given in zip(("target", "level"), directions[:2], strict=True)
        )
        towards = [Problem(target=t, level=v) for t, v in zip(target, level, strict=True)]
        pairs = list(zip(parts, towards, strict=True))
        pushed = on_threads(lambda pair: _push_forward(ctx.splitting, *pair), pairs)
        return torch.cat(pushed), None, None, None, None


def _split(parts: list[Trajectory], whole: Tensor) -> tuple[Tensor, ...]:
    """The rows of each part."""
    return torch.split(whole, [len(part.problem.target) for part in parts])
