"""How strong a search is: what share it finds of each known answer, and at what cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from shaketable.maps import FourierMap
from shaketable.problem import Problem
from shaketable.protocols import ForwardMap
from shaketable.search import (
    Ball,
    Budget,
    Domain,
    ErrorNorm,
    Objective,
    PenalisedError,
    Search,
    Status,
    Update,
    worst_case,
)
from shaketable.testing.known import KnownProblem
from shaketable.testing.plants import known_problems

MOST_GRADIENTS = 500
"""What a search may spend on one plant, per start, when it is tested."""


class SearchSettings(Protocol):
    """What a search that can be tested has: the fields of `shaketable.Search`."""

    @property
    def objective(self) -> Objective:
        """What it climbs."""
        ...

    @property
    def ball(self) -> Ball:
        """Where."""
        ...

    @property
    def update(self) -> Update[Any]:
        """How it moves."""
        ...

    @property
    def budget(self) -> Budget:
        """How long."""
        ...

    @property
    def local_start(self) -> bool:
        """Whether it starts from the direction that is amplified most at r = 0."""
        ...


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One search of one known problem.

    Parameters
    ----------
    name, sentence, reach, led_to
        Of the `KnownProblem`.
    share
        Share of the answer that was found, the smallest over its images.
    found
        ``share >= reach``.
    n_gradients
        Gradients per image, the most over its images.
    """

    name: str
    sentence: str
    reach: float
    led_to: bool
    share: float
    found: bool
    n_gradients: int


@dataclass(frozen=True, kw_only=True)
class StrengthReport:
    """What a search found of all plants.

    Parameters
    ----------
    trials
        One per plant.
    note
        What was changed of the search to test it; empty for nothing.
    """

    trials: tuple[Trial, ...]
    note: str = ""

    @property
    def required(self) -> tuple[Trial, ...]:
        """Trials on plants that gradients lead to from every start."""
        return tuple(trial for trial in self.trials if trial.led_to)

    @property
    def passed(self) -> bool:
        """Every plant that gradients lead to was found."""
        return all(trial.found for trial in self.required)

    @property
    def share(self) -> float:
        """The smallest share found of a plant that gradients lead to."""
        return min(trial.share for trial in self.required)

    @property
    def missed(self) -> tuple[str, ...]:
        """Names of all plants that were not found."""
        return tuple(trial.name for trial in self.trials if not trial.found)

    def __str__(self) -> str:
        """A table, a line per plant."""
        width = max(len(trial.name) for trial in self.trials)
        lines = [f"{'planted':<{width}}  {'found':>6}  {'gradients':>9}"]
        for trial in self.trials:
            word = "" if trial.found else "  not found"
            lines.append(
                f"{trial.name:<{width}}  {trial.share:>6.1%}  {trial.n_gradients:>9}{word}"
            )
        return "\n".join([*lines, *([self.note] if self.note else [])])


def strength(
    search: SearchSettings | None = None, problem: Problem | None = None,
    images: Tensor | None = None, *, domain: Domain = "image", seed: int = 0,
) -> StrengthReport:  # fmt: skip
    """Let a search look for everything whose worst case is known.

    The plants lie on the problem's own map and first image, in the search's own ball, see
    `known_problems`. Answers are known for errors in the l2 norm inside l2 balls. So a search in
    l-infinity is tested in l2, and objectives other than the plain and the paper's penalised error
    are replaced by the plain one: tested is how the search moves, and for how long. At most
    `MOST_GRADIENTS` are spent per plant and start.

    Parameters
    ----------
    search
        `shaketable.Search` or anything with the same fields; the default search if not given.
    problem, images
        A map and ``(B, *image_shape)``, of which the first image is used; a small Fourier map with
        a smooth complex image if not given. The reconstructor plays no part.
    domain
        Where perturbations are added.
    seed
        Seeds plants and search.

    Raises
    ------
    InputError, ShapeError
        If map, image and ball do not fit together.
    KeyboardInterrupt
        After Ctrl-C.

    Examples
    --------
    >>> report = strength()
    >>> report.passed, report.missed[-1]
    (True, 'behind a dead zone')
    >>> strength(Search(budget=Budget(n_gradients=1))).passed
    False
    """
    if problem is None or images is None:
        problem, images = _own_problem() if problem is None else (problem, _smooth(problem))
    tested, note = _tested(search or Search())
    plants = known_problems(problem, images, domain=domain, ball=tested.ball, seed=seed)
    return StrengthReport(trials=tuple(_trial(known, tested, seed) for known in plants), note=note)


def _trial(known: KnownProblem, search: Search, seed: int) -> Trial:
    finding = worst_case(
        known.problem, known.images, radius=known.radius, domain=known.domain, search=search,
        seed=seed,
    )  # fmt: skip
    if Status.INTERRUPTED in finding.status:
        raise KeyboardInterrupt
    share = float((finding.error / known.answer).nan_to_num(0.0).min())
    return Trial(
        name=known.name, sentence=known.sentence, reach=known.reach, led_to=known.led_to, share=share,
        found=share >= known.reach, n_gradients=int(finding.n_gradients.max()),
    )  # fmt: skip


def _tested(search: SearchSettings) -> tuple[Search, str]:
    """The search as it is tested, and what that changes."""
    changes = []
    objective, ball, budget = search.objective, search.ball, search.budget
    plain = isinstance(objective, ErrorNorm) and objective.region is None
    if not (plain or isinstance(objective, PenalisedError)):
        objective = ErrorNorm()
        changes.append("with the plain error as objective")
    if ball.norm != "l2":
        ball = replace(ball, norm="l2")
        changes.append("in the l2 norm")
    if budget.n_gradients > MOST_GRADIENTS:
        budget = replace(budget, n_gradients=MOST_GRADIENTS)
        changes.append(f"with {MOST_GRADIENTS:,} gradients")
    tested = Search(objective=objective, ball=ball, update=search.update, budget=budget,
                    local_start=search.local_start)  # fmt: skip
    return tested, f"Tested {', '.join(changes)}." if changes else ""


def _own_problem() -> tuple[Problem, Tensor]:
    """32 x 32, every third row of k-space and eight rows in its centre."""
    rows = torch.zeros(32, dtype=torch.bool)
    rows[::3] = True
    rows[:4] = rows[-4:] = True

    def zero_filled(y: Tensor, A: ForwardMap) -> Tensor:
        return A.adjoint(y)

    forward = FourierMap(rows[:, None].expand(32, 32))
    problem = Problem(forward=forward, reconstruct=zero_filled, name="zero-filled")
    return problem, _smooth(problem)


def _smooth(problem: Problem) -> Tensor:
    """A bright blob."""
    image = torch.ones(())
    for length in problem.forward.image_shape:
        line = torch.linspace(-1, 1, length) if length > 1 else torch.zeros(1)
        image = image[..., None] * torch.exp(-2 * line**2)
    return image[None]
