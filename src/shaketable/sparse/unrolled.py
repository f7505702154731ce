"""Solve a batch to its certificates, and differentiate exactly what was evaluated.

The image of a batch member is a fixed number of iterations, started at zero, followed by one
x-update; the number is where its certificate is reached. Its derivative is the derivative of these
very iterations, carried backwards (or forwards) through all of them: nothing is truncated and no
linear system is solved to a tolerance. The number of iterations itself is piecewise constant in the
data. Iterates are kept on the way; beyond `N_KEPT` of them every second one is dropped and the
backward pass computes the missing ones again (checkpointing), so memory stays bounded.

References
----------
Griewank and Walther, "Evaluating Derivatives" (2nd ed., 2008), chapters 3 and 12.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from shaketable.sparse.admm import Problem, Splitting
from shaketable.sparse.certificate import Certificate, certify
from shaketable.sparse.data_terms import State
from shaketable.sparse.threads import CACHE_BYTES, SHARED_CACHE_BYTES, n_bytes, on_threads

N_KEPT = 96
_FIRST_CHECK = 20


@dataclass(frozen=True, kw_only=True)
class Stopping:
    """When to stop.

    Parameters
    ----------
    gap
        The relative duality gap to reach.
    max_iterations
        The largest number of iterations.
    min_iterations
        The smallest; equal to the largest, the number is fixed and the image smooth in data and
        level, as far as no group crosses its threshold.
    """

    gap: float
    max_iterations: int
    min_iterations: int = _FIRST_CHECK


@dataclass(eq=False)
class Trajectory:
    """The states of one solve at every ``stride``-th iteration.

    ``kept[k]`` holds the batch rows still running at iteration ``k`` and their state.
    """

    problem: Problem
    keeps: bool
    stride: int = 1
    kept: dict[int, tuple[Tensor, State]] = field(default_factory=dict)
    n_iterations: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))

    def keep(self, iteration: int, rows: Tensor, state: State) -> None:
        """Take note of a state if it is due."""
        if not self.keeps or iteration % self.stride:
            return
        self.kept[iteration] = (rows, state)
        if len(self.kept) > N_KEPT:
            self.stride *= 2
            self.kept = {k: kept for k, kept in self.kept.items() if k % self.stride == 0}

    def backwards(self, splitting: Splitting) -> Iterator[tuple[int, Tensor, State]]:
        """Yield ``(iteration, rows, state)`` from the last iteration to the first."""
        n_all = int(self.n_iterations.max()) + 1
        for start in sorted(self.kept, reverse=True):
            rows, state = self.kept[start]
            problem, segment = self.problem.rows(rows), [state]
            for _ in range(start + 1, min(start + self.stride, n_all)):
                segment.append(splitting.advance(segment[-1], problem))
            for offset in range(len(segment) - 1, -1, -1):
                yield start + offset, rows, segment[offset]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """A solved batch in the scaled unit of the iteration.

    Parameters
    ----------
    planes
        ``(B, R, H, W)``: the image.
    primal, gap
        ``(B,)`` float64, as in `Certificate`.
    n_iterations
        ``(B,)`` int64.
    """

    planes: Tensor
    primal: Tensor
    gap: Tensor
    n_iterations: Tensor


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
    """What is solved on one thread: as many images as are fastest together, or the batch.

    Small images together save calls, which take as long as their arithmetic and wait for the other
    thread's; many or large ones together fall out of the caches, and then each costs more than
    alone. What splits the data passes through the thread's own cache in blocks (`quadratic`), and
    needs room in the shared one only.
    """
    n_images = len(problem.target)
    if n_images < 2 or not splitting.term.separate or problem.target.device.type != "cpu":
        return [problem]
    whole = splitting.start(problem.rows(torch.tensor([0])))
    fitting = min(CACHE_BYTES // n_bytes(whole[:1]), SHARED_CACHE_BYTES // n_bytes(whole))
    n_threads = torch.get_num_threads()
    # As many parts for every thread, so that none waits long for another.
    rounds = -(-n_images // (n_threads * max(1, fitting)))
    pieces = torch.tensor_split(torch.arange(n_images), min(n_images, rounds * n_threads))
    return [problem.rows(rows) for rows in pieces]


def _iterate(splitting: Splitting, stopping: Stopping, trajectory: Trajectory) -> Outcome:
    problem = trajectory.problem
    ended: list[tuple[Tensor, Outcome]] = []
    rows = torch.arange(len(problem.target), device=problem.target.device)
    due = torch.full_like(rows, min(stopping.min_iterations, stopping.max_iterations))
    state, iteration = splitting.start(problem), 0
    while rows.numel():
        trajectory.keep(iteration, rows, state)
        asked = due <= iteration
        if bool(asked.any()):
            # Most often it is all of them, and a slice copies nothing.
            some = slice(None) if bool(asked.all()) else asked
            certificate = certify(
                splitting, _rows_of(state, some), problem.rows(some), stopping.gap
            )
            ends = certificate.gap <= stopping.gap
            if iteration >= stopping.max_iterations:
                ends = torch.ones_like(ends)
            due[asked] = _next_checks(iteration, certificate.gap, stopping)
            if bool(ends.any()):
                ended.append((rows[asked][ends], _ended(certificate, ends, iteration)))
            del certificate  # large arrays go before the next ones are made
            goes_on = ~asked.masked_scatter(asked, ends)
            if not bool(goes_on.all()):
                rows, due = rows[goes_on], due[goes_on]
                state, problem = _rows_of(state, goes_on), problem.rows(goes_on)
        if rows.numel():
            state = splitting.advance(state, problem, over=not trajectory.keeps)
            iteration += 1
    outcome = _in_order(ended)
    trajectory.n_iterations = outcome.n_iterations
    return outcome


def _rows_of(state: State, index: Tensor | slice) -> State:
    return tuple(part[index] for part in state)


def _ended(certificate: Certificate, ends: Tensor, iteration: int) -> Outcome:
    """The images that reached their certificates."""
    planes = certificate.planes if bool(ends.all()) else certificate.planes[ends]
    return Outcome(
        planes=planes, primal=certificate.primal[ends], gap=certificate.gap[ends],
        n_iterations=torch.full_like(ends[ends], iteration, dtype=torch.int64),
    )  # fmt: skip


def _in_order(ended: list[tuple[Tensor, Outcome]]) -> Outcome:
    """All images as they came, from those that ended together."""
    if len(ended) == 1:
        return ended[0][1]
    order = torch.cat([rows for rows, _ in ended]).argsort()
    planes, primal, gap, n_iterations = (
        torch.cat([getattr(some, name) for _, some in ended])[order]
        for name in ("planes", "primal", "gap", "n_iterations")
    )
    return Outcome(planes=planes, primal=primal, gap=gap, n_iterations=n_iterations)


def _next_checks(iteration: int, gaps: Tensor, stopping: Stopping) -> Tensor:
    """When to look again at images whose gap is still too large.

    A check costs about ten iterations. The gap falls like the square of the iteration or faster, so
    the cube root does not overshoot by much.
    """
    growth = (gaps / stopping.gap).pow(1 / 3).clamp(1.15, 2.0)
    return (iteration * growth).ceil().clamp(max=stopping.max_iterations).to(torch.int64)


def _pull_back(
    splitting: Splitting, trajectory: Trajectory, planes: Tensor
) -> tuple[Tensor, Tensor]:
    """Cotangent of the image -> those of target and level, through every iteration."""
    problem = trajectory.problem
    at_state = splitting.start(problem)
    at_target, at_level = torch.zeros_like(problem.target), torch.zeros_like(problem.level)
    for iteration, rows, state in trajectory.backwards(splitting):
        some = problem.rows(rows)
        carried, at_some = splitting.advance_adjoint(state, some, _rows_of(at_state, rows))
        ends = trajectory.n_iterations[rows] == iteration
        if bool(ends.any()):
            # Nothing is carried into these rows yet: their chain begins with the x-update.
            first, at_ends = splitting.image_adjoint(
                _rows_of(state, ends), some.rows(ends), planes[rows[ends]]
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
                _rows_of(state, ends), problem.rows(ends),
                _rows_of(direction, ends), towards.rows(ends),
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
        outcomes = on_threads(lambda part: _iterate(splitting, stopping, part), parts)
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
