"""The certificate of a reference method at the data it was evaluated on."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from shaketable.problem import Problem


def solver_gap(problem: Problem, data: Tensor) -> float | None:
    """Relative gap that the reconstructor's own certificate states; None where it has none.

    Parameters
    ----------
    problem
        A reconstructor with a method ``solve(data, forward)`` whose result has ``gap`` ``(B,)``
        gives one.
    data
        ``(1, *data_shape)``.
    """
    solve: Any = getattr(problem.reconstruct, "solve", None)
    if solve is None:
        return None
    with torch.no_grad():
        gap = float(solve(data, problem.forward).gap.max())
    return gap if gap == gap and gap != float("inf") else None
