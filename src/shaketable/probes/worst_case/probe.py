"""The worst-case probe: the smallest change of the input that changes the image most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from shaketable.checks import Check
from shaketable.errors import InputError
from shaketable.probes.probe import Case, Measured, Outcome, Scores, Verdict
from shaketable.probes.replaying import Replay, StoredCase
from shaketable.probes.strength import strength_check
from shaketable.probes.worst_case.given import measure_given, with_given
from shaketable.probes.worst_case.measure import measure
from shaketable.probes.worst_case.record import Given, WorstCaseRecord
from shaketable.probes.worst_case.replay import replay
from shaketable.probes.worst_case.verdict import judge, scores
from shaketable.problem import Problem
from shaketable.search import BlackBox, Domain, Search, increasing_radii, require_gradients
from shaketable.settings import require_number, require_whole


@dataclass(frozen=True, kw_only=True)
class WorstCase:
    """Search network and reference methods alike, at growing radii (Antun et al. 2020, Figs. 1, 3, 4).

    Every method is searched with its own worst case under the same budget; reference methods are also
    given the network's perturbation, and all are given random perturbations of equal size.

    Parameters
    ----------
    radii
        Relative radii, increasing.
    domain
        ``"image"`` or ``"data"``.
    search
        How to search: with gradients, or, where there are none, with a `BlackBox`. What is found
        without gradients is a weaker lower bound and never makes a network stable.
    n_random
        Random perturbations of equal size per radius.
    limit
        Largest amplification that is accepted, at any radius; None compares the damage at the
        largest radius with the reference method's instead.

    Examples
    --------
    >>> WorstCase(radii=(0.01, 0.02)).name
    'worst_case'
    """

    radii: tuple[float, ...] = (0.01, 0.02, 0.04)
    domain: Domain = "image"
    search: Search | BlackBox = field(default_factory=Search)
    n_random: int = 4
    limit: float | None = None

    name: ClassVar[str] = "worst_case"
    record_type: ClassVar[type[WorstCaseRecord]] = WorstCaseRecord
    given_type: ClassVar[type[Given]] = Given

    def __post_init__(self) -> None:
        if self.domain not in ("image", "data"):
            raise InputError(
                f"Expected domain 'image' or 'data', got {self.domain!r}; choose one of them."
            )
        object.__setattr__(self, "radii", increasing_radii(self.radii))
        if not isinstance(self.search, Search | BlackBox):
            raise InputError(
                f"Expected a Search or a BlackBox, got {type(self.search).__name__}; leave it out for "
                "the default."
            )
        if self.limit is not None:
            require_number("limit", self.limit, above=0)
        require_whole("n_random", self.n_random, at_least=1)

    def describe(self) -> dict[str, object]:
        """Settings for the record."""
        return {
            "radii": list(self.radii),
            "domain": self.domain,
            "search": self.search.describe(),
            "n_random": self.n_random,
            "limit": self.limit,
        }

    def evidence(self, problem: Problem, images: Tensor, seed: int) -> tuple[Check, ...]:
        """The configured search finds the instabilities of known size, see `strength_check`.

        Without gradients there is no such evidence.
        """
        if isinstance(self.search, BlackBox):
            return ()
        name = f"search strength ({self.domain} domain)"
        return (strength_check(problem, images[:1], self.domain, self.search, seed, name=name),)

    def require(self, problem: Problem) -> None:
        """A search with gradients needs a network that has them."""
        if not isinstance(self.search, BlackBox):
            require_gradients(problem)

    def measure(self, case: Case) -> Outcome:
        """Search one method on one image."""
        return measure(
            case, radii=self.radii, domain=self.domain, search=self.search, n_random=self.n_random
        )

    def given(self, case: Case, theirs: Outcome) -> Outcome:
        """A reference method under the perturbations that were found for a network."""
        return measure_given(case, theirs, domain=self.domain)

    def with_given(
        self, records: Sequence[WorstCaseRecord], given: Mapping[str, Sequence[Given]]
    ) -> list[WorstCaseRecord]:
        """A reference method's records, with what it was given by each network in them."""
        return with_given(records, given)

    def verdict(self, measured: Measured[WorstCaseRecord]) -> Verdict:
        """Compare the network's damage with the limit or the reference method's, see `judge`."""
        return judge(measured, domain=self.domain, limit=self.limit)

    def scores(self, records: Sequence[WorstCaseRecord]) -> Scores:
        """The amplification at the largest radius, by image."""
        return scores(records, domain=self.domain)

    def replay(self, stored: StoredCase[WorstCaseRecord]) -> tuple[Replay, ...]:
        """Execute every stored perturbation again."""
        return replay(stored)
