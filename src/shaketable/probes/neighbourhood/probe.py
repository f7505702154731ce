"""The neighbourhood probe: is a worst case an isolated point? (Antun et al. 2020, Fig. 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from shaketable.checks import Check
from shaketable.errors import InputError
from shaketable.probes.neighbourhood.measure import measure
from shaketable.probes.neighbourhood.record import NeighbourhoodRecord
from shaketable.probes.neighbourhood.replay import replay
from shaketable.probes.neighbourhood.verdict import judge, scores
from shaketable.probes.probe import Case, Measured, Outcome, Scores, Verdict
from shaketable.probes.replaying import Replay, StoredCase
from shaketable.probes.strength import strength_check
from shaketable.problem import Problem
from shaketable.search import LARGEST_RADIUS, Search, require_gradients
from shaketable.settings import require_number, require_whole


@dataclass(frozen=True, kw_only=True)
class Neighbourhood:
    """Shake a worst case itself: add random data noise and see whether the artefact stays.

    With ``a = f(A(x + r)) - f(A x)`` and ``v = A* e`` scaled to ``‖v‖ = noise_ratio · ‖r‖``, e
    complex Gaussian data noise, a draw keeps the artefact where the share of it that is left,
    ``Re⟨a, f(A(x + r + v)) - f(A x)⟩ / ⟨a, a⟩``, is at least ``keeps``.

    Parameters
    ----------
    radius
        Relative radius of the worst case, image domain.
    search
        How to search it.
    noise_ratio
        Size of the noise relative to the worst case; the paper's is one quarter. With several, the
        same draws are scaled to each, and the verdict rests on the first.
    n_draws
        Draws per image and ratio, or one number for every ratio in their order.
    n_draws_stable
        Draws of the reference methods, where they are to have fewer than the network: the verdict rests
        on the network's share, and a reference method can take long.
    keeps
        Share of the artefact that a draw must keep to count.

    Examples
    --------
    >>> Neighbourhood().noise_ratio
    0.25
    """

    radius: float = 0.02
    search: Search = field(default_factory=Search)
    noise_ratio: float | Sequence[float] = 0.25
    n_draws: int | Sequence[int] = 20
    n_draws_stable: int | None = None
    keeps: float = 0.5

    name: ClassVar[str] = "neighbourhood"
    record_type: ClassVar[type[NeighbourhoodRecord]] = NeighbourhoodRecord

    def __post_init__(self) -> None:
        require_number("radius", self.radius, above=0, at_most=LARGEST_RADIUS)
        for ratio in self.noise_ratios:
            require_number("noise_ratio", ratio, above=0)
        for n in self.draws:
            require_whole("n_draws", n, at_least=1)
        if self.n_draws_stable is not None:
            require_whole("n_draws_stable", self.n_draws_stable, at_least=1)
        require_number("keeps", self.keeps, above=0, at_most=1)
        if not 0 < len(self.noise_ratios) == len(self.draws):
            raise InputError(
                "Expected one n_draws for all noise ratios, or one for each, got "
                f"{self.n_draws} for {self.noise_ratio}."
            )

    @property
    def noise_ratios(self) -> tuple[float, ...]:
        """The sizes of the noise relative to the worst case, the first one first."""
        one_or_more = self.noise_ratio
        return tuple(one_or_more) if isinstance(one_or_more, Sequence) else (one_or_more,)

    @property
    def draws(self) -> tuple[int, ...]:
        """The number of draws for every ratio."""
        one_or_more = self.n_draws
        if isinstance(one_or_more, Sequence):
            return tuple(one_or_more)
        return (one_or_more,) * len(self.noise_ratios)

    def describe(self) -> dict[str, object]:
        """Settings for the record."""
        ratios = list(self.noise_ratios)
        return {
            "radius": self.radius,
            "search": self.search.describe(),
            "noise_ratio": ratios if len(ratios) > 1 else ratios[0],
            "n_draws": list(self.n_draws) if isinstance(self.n_draws, Sequence) else self.n_draws,
            "n_draws_stable": self.n_draws_stable,
            "keeps": self.keeps,
        }

    def evidence(self, problem: Problem, images: Tensor, seed: int) -> tuple[Check, ...]:
        """The configured search finds the instabilities of known size, see `strength_check`."""
        name = "search strength (neighbourhood)"
        return (strength_check(problem, images[:1], "image", self.search, seed, name=name),)

    def require(self, problem: Problem) -> None:
        """A search with gradients needs a network that has them."""
        require_gradients(problem)

    def measure(self, case: Case) -> Outcome:
        """Shake the worst case of one method on one image."""
        few = self.n_draws_stable if case.method.role == "baseline" else None
        return measure(
            case, radius=self.radius, search=self.search, keeps=self.keeps,
            planned=[(ratio, few or n) for ratio, n in zip(self.noise_ratios, self.draws, strict=True)],
        )  # fmt: skip

    def verdict(self, measured: Measured[NeighbourhoodRecord]) -> Verdict:
        """Judge whether a ball around the worst case is bad, and worse than the reference method's."""
        return judge(measured, noise_ratio=self.noise_ratios[0], keeps=self.keeps)

    @staticmethod
    def scores(records: Sequence[NeighbourhoodRecord]) -> Scores:
        """The share of draws that keep the artefact, by image."""
        return scores(records)

    def replay(self, stored: StoredCase[NeighbourhoodRecord]) -> tuple[Replay, ...]:
        """Execute the stored worst case again; the noise is not stored and not drawn again."""
        return replay(stored)
