"""The settings of a search that only asks for reconstructions."""

from __future__ import annotations

from dataclasses import dataclass, field

from shaketable.errors import InputError
from shaketable.search.ball import Ball
from shaketable.search.objectives import ErrorNorm, Objective
from shaketable.search.search import described


@dataclass(frozen=True, kw_only=True, eq=False)
class BlackBox:
    """How to search a reconstructor that gives no gradients.

    Parameters
    ----------
    objective
        What is maximised; the change of the reconstruction by default. It is differentiated, the
        reconstructor is not.
    ball
        What perturbations may look like; any of limited l2 norm by default. A mask or a subspace,
        such as `LowFrequencies` or `Span.of_differences`, makes the search easier and its lower bound
        one of that subspace.
    n_queries
        Reconstructions per image, the unperturbed one and all others.
    step
        Size of the differences that stand for derivatives, in radii.
    share
        Share of the directions, the most amplified ones, that are probed again after a first round.
    within
        Groups are probed together where this share of the energy of their responses does not overlap.
        Less probes more of them at once and mistakes more of one response for another's.
    n_round
        Queries between two attempts to move on.
    max_rows
        Reconstructions in one call; 1 for reconstructors that take one at a time.
    max_seconds
        Wall time after which the search ends with status "budget spent".
    max_bytes
        Memory for the model of an image, where its directions are not probed together.

    Raises
    ------
    InputError
        If a number is out of its range.

    Examples
    --------
    >>> BlackBox(n_queries=500).ball.norm
    'l2'
    """

    objective: Objective = field(default_factory=ErrorNorm)
    ball: Ball = field(default_factory=Ball)
    n_queries: int = 2000
    step: float = 0.1
    share: float = 1.0
    within: float = 0.85
    n_round: int = 30
    max_rows: int = 16
    max_seconds: float | None = None
    max_bytes: float = 1e9

    def __post_init__(self) -> None:
        if self.n_queries < 2 or self.n_round < 1 or self.max_rows < 1:
            raise InputError(
                "Expected at least two queries, rounds of one and calls of one, got "
                f"n_queries={self.n_queries}, n_round={self.n_round} and max_rows={self.max_rows}; "
                "raise them."
            )
        if not (0 < self.step <= 1 and 0 < self.share <= 1 and 0 < self.within <= 1):
            raise InputError(
                "Expected step, share and within in (0, 1], got "
                f"{self.step}, {self.share} and {self.within}; the defaults need no tuning."
            )
        if not self.max_bytes > 0:
            raise InputError(f"Expected max_bytes above 0, got {self.max_bytes}; 1e9 is usual.")
        if self.max_seconds is not None and not self.max_seconds > 0:
            raise InputError(
                f"Expected max_seconds above 0, got {self.max_seconds}; leave it out for no limit."
            )

    def __eq__(self, other: object) -> bool:
        """Equal where they describe themselves equally; tensors count by their hash."""
        return isinstance(other, BlackBox) and self.describe() == other.describe()

    def __hash__(self) -> int:
        return hash((self.n_queries, self.step, self.share, type(self.objective)))

    def describe(self) -> dict[str, object]:
        """Names and settings as plain data, for records."""
        return {"method": "no gradients", "settings": described(self)}
