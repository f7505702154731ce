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

from shaketable.sparse.admm import Splitting
from shaketable.sparse.certificate import Certificate, certify
from shaketable.sparse.penalties import to_complex, to_planes

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
    """

    gap: float
    max_iterations: int


@dataclass(eq=False)
class Trajectory:
    """The iterates ``v`` of one solve at every ``stride``-th iteration.

    ``kept[k]`` holds the batch rows still running at iteration ``k`` and their ``v``.
    """

    target: Tensor
    keeps: bool
    stride: int = 1
    kept: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)
    n_iterations: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))

    def keep(self, iteration: int, rows: Tensor, v: Tensor) -> None:
        """Take note of an iterate if it is due."""
        if not self.keeps or iteration % self.stride:
            return
        self.kept[iteration] = (rows, v)
        if len(self.kept) > N_KEPT:
            self.stride *= 2
            self.kept = {k: kept for k, kept in self.kept.items() if k % self.stride == 0}

    def backwards(self, splitting: Splitting) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Yield ``(iteration, rows, v)`` from the last iteration to the first."""
        n_all = int(self.n_iterations.max()) + 1
        for start in sorted(self.kept, reverse=True):
            rows, v = self.kept[start]
            segment = [v]
            for _ in range(start + 1, min(start + self.stride, n_all)):
                segment.append(splitting.advance(segment[-1], self.target[rows]))
            for offset in range(len(segment) - 1, -1, -1):
                yield start + offset, rows, segment[offset]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """A solved batch in the scaled unit of the iteration.

    Parameters
    ----------
    image
        ``(B, H, W)`` complex.
    primal, gap
        ``(B,)`` float64, as in `Certificate`.
    n_iterations
        ``(B,)`` int64.
    """

    image: Tensor
    primal: Tensor
    gap: Tensor
    n_iterations: Tensor


def solve(splitting: Splitting, target: Tensor, stopping: Stopping) -> Outcome:
    """Iterate every image until its own certificate is reached; differentiable in the target.

    Parameters
    ----------
    splitting
        The iteration.
    target
        ``(B, H, W)`` complex k-space the data term compares with.
    stopping
        When to stop.
    """
    keeps = torch.is_grad_enabled() and target.requires_grad
    trajectory = Trajectory(target=target.detach(), keeps=keeps)
    image, primal, gap, n_iterations = _Solve.apply(  # type: ignore[no-untyped-call]
        target, splitting, stopping, trajectory
    )
    return Outcome(image=image, primal=primal, gap=gap, n_iterations=n_iterations)


def _iterate(splitting: Splitting, stopping: Stopping, trajectory: Trajectory) -> Outcome:
    target = trajectory.target
    outcome = _empty_outcome(target)
    rows = torch.arange(target.shape[0], device=target.device)
    due = torch.full_like(rows, min(_FIRST_CHECK, stopping.max_iterations))
    v, iteration = splitting.start(target), 0
    while rows.numel():
        trajectory.keep(iteration, rows, v)
        asked = due <= iteration
        if bool(asked.any()):
            certificate = certify(splitting, v[asked], target[asked], stopping.gap)
            ends = certificate.gap <= stopping.gap
            if iteration >= stopping.max_iterations:
                ends = torch.ones_like(ends)
            due[asked] = _next_checks(iteration, certificate.gap, stopping)
            _write(outcome, rows[asked][ends], certificate, ends, iteration)
            goes_on = ~asked.masked_scatter(asked, ends)
            if not bool(goes_on.all()):
                rows, due, v, target = (part[goes_on] for part in (rows, due, v, target))
        if rows.numel():
            v = splitting.advance(v, target)
            iteration += 1
    trajectory.n_iterations = outcome.n_iterations
    return outcome


def _empty_outcome(target: Tensor) -> Outcome:
    batch = target.shape[0]
    return Outcome(
        image=torch.zeros_like(target),
        primal=torch.zeros(batch, dtype=torch.float64, device=target.device),
        gap=torch.zeros(batch, dtype=torch.float64, device=target.device),
        n_iterations=torch.zeros(batch, dtype=torch.int64, device=target.device),
    )


def _write(
    outcome: Outcome, rows: Tensor, certificate: Certificate, ends: Tensor, iteration: int
) -> None:
    outcome.image[rows] = to_complex(certificate.planes[ends])
    outcome.primal[rows] = certificate.primal[ends]
    outcome.gap[rows] = certificate.gap[ends]
    outcome.n_iterations[rows] = iteration


def _next_checks(iteration: int, gaps: Tensor, stopping: Stopping) -> Tensor:
    """When to look again at images whose gap is still too large.

    A check costs about ten iterations. The gap falls like the cube of the iteration at first and
    more slowly later, so the cube root does not overshoot by much.
    """
    growth = (gaps / stopping.gap).pow(1 / 3).clamp(1.15, 2.0)
    return (iteration * growth).ceil().clamp(max=stopping.max_iterations).to(torch.int64)


def _pull_back(splitting: Splitting, trajectory: Trajectory, cotangent: Tensor) -> Tensor:
    """Cotangent of the image -> cotangent of the target, through every iteration."""
    planes = to_planes(cotangent, splitting.minimiser.values)
    at_v = torch.zeros_like(splitting.start(trajectory.target))
    at_target = torch.zeros_like(trajectory.target)
    for iteration, rows, v in trajectory.backwards(splitting):
        carried, for_target = splitting.advance_adjoint(v, at_v[rows])
        ends = trajectory.n_iterations[rows] == iteration
        if bool(ends.any()):
            # Nothing is carried into these rows yet: their chain begins with the x-update.
            carried[ends], for_target[ends] = splitting.image_adjoint(v[ends], planes[rows[ends]])
        at_v[rows] = carried
        at_target[rows] += for_target
    return at_target


def _push_forward(splitting: Splitting, trajectory: Trajectory, direction: Tensor) -> Tensor:
    """Direction of the target -> directional derivative of the image."""
    target = trajectory.target
    v = splitting.start(target)
    v_direction = torch.zeros_like(v)
    result = torch.zeros_like(target)
    for iteration in range(int(trajectory.n_iterations.max()) + 1):
        ends = trajectory.n_iterations == iteration
        if bool(ends.any()):
            planes = splitting.image_tangent(v[ends], v_direction[ends], direction[ends])
            result[ends] = to_complex(planes)
        v_direction = splitting.advance_tangent(v, v_direction, direction)
        v = splitting.advance(v, target)
    return result


class _Solve(torch.autograd.Function):
    @staticmethod
    def forward(
        target: Tensor, splitting: Splitting, stopping: Stopping, trajectory: Trajectory
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        trajectory.target = target.detach()
        outcome = _iterate(splitting, stopping, trajectory)
        return outcome.image, outcome.primal, outcome.gap, outcome.n_iterations

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        _, ctx.splitting, _, ctx.trajectory = inputs
        ctx.mark_non_differentiable(*output[1:])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor, None, None, None]:
        at_target = _pull_back(ctx.splitting, ctx.trajectory, cotangents[0])
        return at_target, None, None, None

    @staticmethod
    def jvp(ctx: Any, *directions: Any) -> tuple[Tensor, None, None, None]:
        image = _push_forward(ctx.splitting, ctx.trajectory, directions[0])
        return image, None, None, None
