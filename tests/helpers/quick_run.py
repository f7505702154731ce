"""A run that takes no time: one detail in two images, a network with one planted instability."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from shaketable import Budget, Plan, Problem, Search, Structural, run
from shaketable.protocols import Reconstructor
from shaketable.runs import Run
from tests.helpers import networks

SEARCH = Search(budget=Budget(n_gradients=4))
BASELINES = {"zero-filled": networks.zero_filled}
QUICK = Plan(probes=(Structural(details=("heart",)),), baselines=BASELINES)


def network_problem(reconstruct: Reconstructor | None = None, **settings: Any) -> Problem:
    """The network, or another reconstructor, on half of the rows."""
    return Problem(
        forward=networks.fourier(),
        reconstruct=reconstruct
        or networks.Unstable(networks.fourier(), networks.images(1), gain=4.0),
        name="net",
        **settings,
    )


def quick(
    out: Path,
    *,
    plan: Plan = QUICK,
    images: Tensor | None = None,
    problem: Problem | None = None,
    **settings: Any,
) -> Run:
    """Run it, with what is given in place of the usual."""
    images = networks.images(2) if images is None else images
    return run(problem or network_problem(), images, plan, out=out, **settings)
