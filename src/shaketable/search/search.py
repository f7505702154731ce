"""The settings of a search: objective, ball, update, budget. Each is chosen on its own."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from hashlib import sha256
from typing import Any

import torch

from shaketable.errors import InputError
from shaketable.search.ball import Ball
from shaketable.search.budget import Budget
from shaketable.search.objectives import Against, ErrorNorm, Objective, PenalisedError
from shaketable.search.updates import MomentumAscent, SphereAscent, Update


@dataclass(frozen=True, kw_only=True, eq=False)
class Search:
    """How to search a worst case.

    Parameters
    ----------
    objective
        What is maximised; the change of the reconstruction by default.
    ball
        What perturbations may look like; any of limited l2 norm by default.
    update
        How to move.
    budget
        How long.
    local_start
        Spend the first seven gradients on the direction that is amplified most at r = 0, which gives
        `Finding.local_gain`. The search starts from it where the reconstructor is nearly linear up
        to the radius, or with one of several starts; else at random. Budgets of fewer than 12
        gradients go without.

    Examples
    --------
    >>> Search(budget=Budget(n_gradients=20)).update.step
    0.8
    >>> Search.published("deep-mri").budget.n_gradients
    6000
    """

    objective: Objective = field(default_factory=ErrorNorm)
    ball: Ball = field(default_factory=Ball)
    update: Update[Any] = field(default_factory=SphereAscent)
    budget: Budget = field(default_factory=Budget)
    local_start: bool = True

    @classmethod
    def published(cls, network: str) -> Search:
        """The paper's search with its settings for one of its networks.

        Raises
        ------
        InputError
            If the paper states no settings for that name.
        """
        if network not in _PUBLISHED:
            raise InputError(
                f"Expected one of {', '.join(_PUBLISHED)}, got {network!r}; the paper states settings "
                "for these networks only."
            )
        penalty, start_size, rate, n_gradients, against = _PUBLISHED[network]
        return cls(
            objective=PenalisedError(penalty=penalty, against=against),
            update=MomentumAscent(rate=rate, start_size=start_size),
            budget=Budget(n_gradients=n_gradients, plateau=0),
            local_start=False,
        )

    def __eq__(self, other: object) -> bool:
        """Searches are equal where they describe themselves equally; tensors count by their hash."""
        return isinstance(other, Search) and self.describe() == other.describe()

    def __hash__(self) -> int:
        return hash((self.budget, self.local_start, type(self.update), type(self.objective)))

    def describe(self) -> dict[str, object]:
        """Names and settings as plain data, for records; tensors by shape and hash."""
        return {
            "objective": described(self.objective),
            "ball": described(self.ball),
            "update": described(self.update),
            "budget": described(self.budget),
            "local_start": self.local_start,
        }


# network: (lambda, tau, eta, iterations, p) as published
_PUBLISHED: dict[str, tuple[float, float, float, int, Against]] = {
    "automap": (0.1, 1e-5, 1e-3, 24, "truth"),
    "deep-mri": (1e-3, 1e-2, 1e-2, 6000, "clean"),
    "mri-vn": (1.0, 1e-3, 5e-3, 25, "clean"),
    "med-50": (20.0, 5e-3, 5e-3, 100, "clean"),
}


def described(value: object) -> object:
    """Settings as plain data: names, numbers, tensors by shape and hash."""
    if isinstance(value, torch.Tensor):
        data = value.detach().cpu().contiguous()
        digest = sha256(data.numpy().tobytes()).hexdigest()
        return {"shape": list(data.shape), "dtype": str(data.dtype), "sha256": digest}
    if is_dataclass(value) and not isinstance(value, type):
        settings = {f.name: described(getattr(value, f.name)) for f in fields(value)}
        return {"name": type(value).__name__, **settings}
    if isinstance(value, tuple | list):
        return [described(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return type(value).__name__
