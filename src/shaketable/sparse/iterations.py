"""Iterate a batch, image by image to its certificate, and keep what a derivative needs of the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from shaketable.sparse.admm import Problem, Splitting
from shaketable.sparse.certificate import certify
from shaketable.sparse.data_terms import State

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

    Parameters
    ----------
    problem
        What was solved.
    keeps
        Whether states are kept; not where nobody asks for a derivative.
    stride
        Doubled whenever more than `N_KEPT` states would be kept.
    kept
        ``kept[k]``: the batch rows still running at iteration ``k``, and their state.
    n_iterations
        ``(B,)`` int64, once it is solved.
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


def iterate(splitting: Splitting, stopping: Stopping, trajectory: Trajectory) -> Outcome:
    """Iterate every image until its own certificate is reached; then it leaves the batch.

    Parameters
    ----------
    splitting
        The iteration.
    stopping
        When to stop.
    trajectory
        Of a problem; takes note of the states on the way.
    """
    problem = trajectory.problem
    ended: list[tuple[Tensor, Outcome]] = []
    # Which images of the batch are still iterated, and when each is looked at next.
    rows = torch.arange(len(problem.target), device=problem.target.device)
    due = torch.full_like(rows, min(stopping.min_iterations, stopping.max_iterations))
    state, iteration = splitting.start(problem), 0
    while rows.numel():
        trajectory.keep(iteration, rows, state)
        asked = due <= iteration
        if bool(asked.any()):
            # Most often it is all of them, and a slice copies nothing.
            some = slice(None) if bool(asked.all()) else asked
            ends, outcome, due[asked] = _checked(
                splitting, rows_of(state, some), problem.rows(some), iteration, stopping
            )
            if bool(ends.any()):
                ended.append((rows[asked][ends], outcome))
            goes_on = ~asked.masked_scatter(asked, ends)
            if not bool(goes_on.all()):
                rows, due = rows[goes_on], due[goes_on]
                state, problem = rows_of(state, goes_on), problem.rows(goes_on)
        if rows.numel():
            state = splitting.advance(state, problem, in_place=not trajectory.keeps)
            iteration += 1
    outcome = _in_order(ended)
    trajectory.n_iterations = outcome.n_iterations
    return outcome


def rows_of(state: State, index: Tensor | slice) -> State:
    """The state of some images of a batch."""
    return tuple(part[index] for part in state)


def _checked(
    splitting: Splitting, state: State, problem: Problem, iteration: int, stopping: Stopping
) -> tuple[Tensor, Outcome, Tensor]:
    """``(B,)``: which images end here; the outcome of these; when to look at the others again."""
    certificate = certify(splitting, state, problem, stopping.gap)
    ends = certificate.gap <= stopping.gap
    if iteration >= stopping.max_iterations:
        ends = torch.ones_like(ends)
    planes = certificate.planes if bool(ends.all()) else certificate.planes[ends]
    outcome = Outcome(
        planes=planes, primal=certificate.primal[ends], gap=certificate.gap[ends],
        n_iterations=torch.full_like(ends[ends], iteration, dtype=torch.int64),
    )  # fmt: skip
    return ends, outcome, _next_checks(iteration, certificate.gap, stopping)


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
