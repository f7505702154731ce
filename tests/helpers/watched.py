"""Probes that say what they measured, methods that hide what they compute, networks on small images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from shaketable import BlackBox, Plan, Problem, Structural, WorstCase
from shaketable.checks import Check
from shaketable.probes import Case, Outcome
from shaketable.protocols import ForwardMap, Reconstructor
from tests.helpers import networks

SIZE = 24
FORWARD = networks.fourier(size=SIZE)
# Without gradients there is no evidence of a search, which costs seconds.
SEARCH = BlackBox(n_queries=6)


def images(n: int) -> Tensor:
    """``(n, 24, 24)``."""
    return networks.images(n, size=SIZE)


def problem(gain: float = 4.0, *, name: str = "net") -> Problem:
    """A network with a hidden pattern that it amplifies."""
    reconstruct = networks.Unstable(FORWARD, images(1), gain=gain)
    return Problem(forward=FORWARD, reconstruct=reconstruct, name=name)


@dataclass(frozen=True, kw_only=True)
class WatchedWorstCase(WorstCase):
    """Notes whom it searches, and under whose perturbation it puts whom."""

    measured: ClassVar[list[str]] = []

    def measure(self, case: Case) -> Outcome:
        """Search, and say so."""
        self.measured.append(case.method.name)
        return super().measure(case)

    def given(self, case: Case, theirs: Outcome) -> Outcome:
        """Reconstruct, and say so."""
        self.measured.append(f"{case.method.name} under {theirs.records[0].method}")
        return super().given(case, theirs)


@dataclass(frozen=True, kw_only=True)
class Unproven(WorstCase):
    """A search with gradients that is not asked for evidence, which costs seconds."""

    def evidence(self, problem: Problem, images: Tensor, seed: int) -> tuple[Check, ...]:
        """None."""
        return ()


@dataclass(frozen=True, kw_only=True)
class WatchedStructural(Structural):
    """Notes whom it measures."""

    measured: ClassVar[list[str]] = WatchedWorstCase.measured

    def measure(self, case: Case) -> Outcome:
        """Insert, and say so."""
        self.measured.append(case.method.name)
        return super().measure(case)


def plan(baselines: Mapping[str, Reconstructor] | None = None, **settings: Any) -> Plan:
    """Worst cases and one detail, beside one reference method."""
    settings = {"radii": (0.01, 0.02), "search": SEARCH, "n_random": 1} | settings
    return Plan(
        probes=(WatchedWorstCase(**settings), WatchedStructural(details=("heart",))),
        baselines={"zero-filled": networks.zero_filled} if baselines is None else baselines,
    )


def noted() -> Sequence[str]:
    """What was measured since this was asked last."""
    found = tuple(WatchedWorstCase.measured)
    WatchedWorstCase.measured.clear()
    return found


class Counted:
    """Another reconstructor, with the number of its calls, which is no part of its content."""

    calls = 0

    def __init__(self, reconstruct: Reconstructor) -> None:
        self.reconstruct = reconstruct

    def __getstate__(self) -> dict[str, object]:
        return {"reconstruct": self.reconstruct}

    def __call__(self, y: Tensor, A: ForwardMap) -> Tensor:
        self.calls += 1
        return self.reconstruct(y, A)


class Hidden:
    """A factor that no hash can see."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __getstate__(self) -> dict[str, object]:
        return {}

    def __call__(self, y: Tensor, A: ForwardMap) -> Tensor:
        return self.factor * A.adjoint(y)


class Weighted(torch.nn.Module):
    """``w · A* y`` with a weight."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(weight))

    def forward(self, y: Tensor, A: ForwardMap) -> Tensor:
        return self.weight * A.adjoint(y)
