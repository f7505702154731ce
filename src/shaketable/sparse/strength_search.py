"""Search the strength ``λ`` whose solution leaves a given residual: the noise level.

In two stages. The first is rough and uses certificates: the logarithm of the residual is nearly
linear in that of the strength, so secants there, kept inside a bracket, are quick. What it ends with
decides the splitting and the number of iterations. With both fixed the residual is a smooth function
of strength and data, and the second stage finds its root to the last digits. So the strength found
has a derivative (`shaketable.sparse.roots`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from shaketable.protocols import ForwardMap
from shaketable.sparse.method import LARGEST_STRENGTH, SparseMethod
from shaketable.sparse.roots import find_root
from shaketable.sparse.solution import Solution

_N_TRIED = 40
_ROUGH = 0.02
_NEARLY_FLAT = 4.0
"""Times the longer side: a strength that leaves hardly more than what the penalty does not see."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundStrength:
    """The strength that was found, and what has to stay fixed for its derivative.

    Parameters
    ----------
    method
        The method whose splitting is used.
    strength
        ``λ`` in its relative unit.
    n_iterations, n_in_all
        Those of one solution, and those of all.
    reached
        Whether the residual reaches the noise level; else the largest strength leaves less.
    """

    method: SparseMethod
    strength: float
    n_iterations: int
    n_in_all: int
    reached: bool = True

    def solve(self, strength: Tensor, data: Tensor, forward: ForwardMap) -> Solution:
        """At a strength nearby, with the same splitting and number of iterations."""
        return self.method.solve(data, forward, strength=strength, n_iterations=self.n_iterations)


def find_strength(
    method: SparseMethod, data: Tensor, forward: ForwardMap, noise: float
) -> FoundStrength:
    """Find the strength whose residual is the noise level, for one image.

    Parameters
    ----------
    method
        Its strength is where the search starts, and its gap that of the solutions.
    data
        ``(1, *data_shape)``.
    forward
        The forward map.
    noise
        ``σ / ‖y‖₂``.
    """
    rough, n_in_all, reached = _rough_strength(method, data, forward, noise)
    # Rounded, so that neighbouring data have the same splitting.
    rounded = replace(method, strength=2.0 ** (round(4 * math.log2(rough)) / 4))
    first = rounded.solve(data, forward, strength=_like(rough, data))
    n_iterations = min(math.ceil(1.1 * int(first.n_iterations)), method.max_iterations)
    found = FoundStrength(
        method=rounded, strength=rough, n_iterations=n_iterations,
        n_in_all=n_in_all + n_iterations, reached=reached,
    )  # fmt: skip
    return _refined(found, data, forward, noise) if reached else found


def relative_residual(image: Tensor, data: Tensor, forward: ForwardMap) -> Tensor:
    """``(B,)``: ``‖A x - y‖ / ‖y‖`` over sampled positions; 0 for data of zeros."""
    if forward.sampled is not None:
        data = data * forward.sampled.to(data.device)
    norm = torch.linalg.vector_norm(data.flatten(1), dim=1)
    residual: Tensor = torch.linalg.vector_norm((forward(image) - data).flatten(1), dim=1)
    relative: Tensor = residual / torch.where(norm > 0, norm, 1)
    return relative


def _rough_strength(
    method: SparseMethod, data: Tensor, forward: ForwardMap, noise: float
) -> tuple[float, int, bool]:
    """A strength whose residual is within `_ROUGH` of the noise level, and the iterations.

    And whether there is one: images that the penalty does not see may fit well enough.
    """
    strength, n_in_all = method.strength, 0
    largest = min(_NEARLY_FLAT * max(forward.image_shape), LARGEST_STRENGTH)
    tried: list[tuple[float, float]] = []
    for _ in range(_N_TRIED):
        solution = replace(method, strength=strength).solve(data, forward)
        n_in_all += int(solution.n_iterations)
        residual = float(relative_residual(solution.image, data, forward))
        flat = method.null_space_part(solution.image)
        # Clearly, because the flat image of other iterations is another one.
        if float(relative_residual(flat, data, forward)) <= (1 - 1e-3) * noise:
            return strength, n_in_all, False
        if abs(residual / noise - 1) <= _ROUGH or residual == 0:
            break
        if residual < noise and strength == largest:
            return strength, n_in_all, False
        tried.append((strength, residual))
        strength = _next_strength(tried, noise, largest)
    return strength, n_in_all, True


def _next_strength(tried: list[tuple[float, float]], noise: float, largest: float) -> float:
    """A secant of the logarithms of strengths and their residuals, inside the last bracket."""
    logarithms = [(math.log(strength), math.log(max(r, 1e-12))) for strength, r in tried[-2:]]
    (*before, (here, value)), exponent = logarithms, 1.0
    for earlier, its_value in before:
        # The residual is nearly a power of the strength.
        exponent = min(max((value - its_value) / (here - earlier), 0.1), 2.0)
    step = (math.log(noise) - value) / exponent
    following = min(tried[-1][0] * math.exp(min(max(step, -2.3), 2.3)), largest)
    below = [strength for strength, residual in tried if residual < noise]
    above = [strength for strength, residual in tried if residual >= noise]
    if below and above and not below[-1] < following < above[-1]:
        return math.sqrt(below[-1] * above[-1])
    return following


def _refined(
    found: FoundStrength, data: Tensor, forward: ForwardMap, noise: float
) -> FoundStrength:
    """To the last digits, with the splitting and the number of iterations fixed."""
    # Images on the way need no proof.
    unproven = replace(found, method=replace(found.method, gap=1e9))

    def distance(logarithm: float) -> float:
        image = unproven.solve(_like(math.exp(logarithm), data), data, forward).image
        residual = float(relative_residual(image, data, forward))
        return math.log(max(residual, 1e-300) / noise)

    digits = 1e-11 if data.real.dtype == torch.float64 else 1e-5
    logarithm, n_tried = find_root(distance, math.log(found.strength), digits)
    n_in_all = found.n_in_all + n_tried * found.n_iterations
    return replace(found, strength=math.exp(logarithm), n_in_all=n_in_all)


def _like(number: float, data: Tensor) -> Tensor:
    return torch.tensor(number, dtype=data.real.dtype, device=data.device)
