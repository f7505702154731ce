"""The margin: the smallest perturbation that was found to do a stated damage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from shaketable.chain import Domain
from shaketable.errors import InputError
from shaketable.metrics import psnr
from shaketable.problem import Problem
from shaketable.search.climbing import search_chain
from shaketable.search.engine import OnStep
from shaketable.search.finding import Finding, Status
from shaketable.search.first_point import Earlier
from shaketable.search.path import worst_case_path
from shaketable.search.search import Search
from shaketable.search.vectors import norms, per_image
from shaketable.search.worst_case import make_chain
from shaketable.settings import require_number, require_whole

Measure = Callable[[Tensor, Tensor, Tensor], Tensor]
"""``(reconstruction, clean reconstruction, truth)``, each ``(B, *image_shape)``, to ``(B,)``."""


def psnr_drop(reconstruction: Tensor, clean: Tensor, truth: Tensor) -> Tensor:
    """``(B,)`` how many dB of PSNR a perturbation costs."""
    return psnr(clean, truth) - psnr(reconstruction, truth)


def relative_change(reconstruction: Tensor, clean: Tensor, truth: Tensor) -> Tensor:  # noqa: ARG001
    """``(B,)`` ``‖f(A(x + r)) - f(A x)‖₂ / ‖f(A x)‖₂``."""
    difference = reconstruction - clean
    return norms(difference) / norms(clean)


@dataclass(frozen=True, kw_only=True)
class Margin:
    """The smallest radius at which a damage was found, image by image.

    Parameters
    ----------
    radius
        ``(B,)`` float64, relative; an upper bound of the true margin, since a better search may
        find the damage closer. Infinite where it was not found at any radius tried.
    below
        ``(B,)`` the largest radius below it at which the search did not find the damage; 0 where
        there is none.
    perturbation
        ``(B, ...)`` the perturbation that does the damage; zero where there is none.
    path
        The findings at the radii that were given, smallest first.
    n_gradients
        ``(B,)`` gradients spent in all.
    """

    radius: Tensor
    below: Tensor
    perturbation: Tensor
    path: tuple[Finding, ...]
    n_gradients: Tensor


def stability_margin(
    problem: Problem,
    images: Tensor,
    damage: Measure,
    at_least: float,
    *,
    radii: Sequence[float] = (0.0025, 0.005, 0.01, 0.02, 0.04, 0.08),
    n_bisections: int = 4,
    domain: Domain = "image",
    search: Search | None = None,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> Margin:
    """Find the smallest radius at which a damage appears.

    Searches a path over the radii, then bisects (geometrically) between the first radius with the
    damage and the one before it, every image on its own.

    Parameters
    ----------
    problem, images, domain, search, seed, on_step
        As in `worst_case_path`; the budget holds for every radius tried.
    damage
        `psnr_drop`, `relative_change`, or a function of your own.
    at_least
        How much damage counts, in the unit of the measure.
    radii
        Relative radii of the path, strictly increasing.
    n_bisections
        How often the interval is halved, in the logarithm of the radius.

    Returns
    -------
    Margin
        Radius, perturbation and the path.

    Raises
    ------
    InputError
        If the number of bisections is negative, if no damage above 0 is asked for, or as in
        `worst_case_path`.

    Examples
    --------
    >>> import torch
    >>> from shaketable import FourierMap, Problem
    >>> problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=lambda y, A: 2 * A.adjoint(y))
    >>> margin = stability_margin(problem, torch.rand(1, 8, 8), relative_change, 0.03, radii=(0.01, 0.1))
    >>> 0.03 <= round(float(margin.radius), 4) < 0.035  # the gain is 1 relative to the output
    True
    """
    require_whole("n_bisections", n_bisections, at_least=0)
    require_number("at_least, the damage to look for,", at_least, above=0)
    settings = search or Search()
    path = worst_case_path(
        problem, images, radii=radii, domain=domain, search=settings, seed=seed, on_step=on_step
    )
    bracket = _Bracket.of(path, tuple(map(float, radii)), damage, at_least, problem.prepare(images))
    chain = make_chain(problem, images, domain)
    known = replace(settings, local_start=False)
    if any(Status.INTERRUPTED in finding.status for finding in path):
        n_bisections = 0
    for step in range(n_bisections):
        if not bool(bracket.found.any()):
            break
        middle = bracket.middle()
        finding = search_chain(
            chain,
            middle,
            known,
            seed + len(radii) + step,
            on_step,
            Earlier(perturbation=bracket.perturbation),
        )
        bracket = bracket.halved(middle, finding, damage, at_least, chain.images)
        if Status.INTERRUPTED in finding.status:
            break
    return Margin(
        radius=torch.where(bracket.found, bracket.above, torch.inf), below=bracket.below,
        perturbation=bracket.perturbation, path=path, n_gradients=bracket.n_gradients,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class _Bracket:
    """Between which radii the damage appears, image by image."""

    below: Tensor
    above: Tensor
    found: Tensor
    perturbation: Tensor
    n_gradients: Tensor

    @classmethod
    def of(
        cls, path: tuple[Finding, ...], radii: tuple[float, ...], damage: Measure, at_least: float,
        truth: Tensor,
    ) -> _Bracket:  # fmt: skip
        n = len(truth)
        bracket = cls(
            below=torch.zeros(n, dtype=torch.float64), above=torch.zeros(n, dtype=torch.float64),
            found=torch.zeros(n, dtype=torch.bool),
            perturbation=torch.zeros_like(path[0].perturbation),
            n_gradients=torch.zeros(n, dtype=torch.int64),
        )  # fmt: skip
        for radius, finding in zip(radii, path, strict=False):
            here = _shows(finding, damage, at_least, truth) & ~bracket.found
            missing = ~here & ~bracket.found
            take = per_image(here.to(truth.device), finding.perturbation)
            bracket = cls(
                below=torch.where(missing, radius, bracket.below),
                above=torch.where(here, radius, bracket.above),
                found=bracket.found | here,
                perturbation=torch.where(take, finding.perturbation, bracket.perturbation),
                n_gradients=bracket.n_gradients + finding.n_gradients,
            )
        return bracket

    def middle(self) -> Tensor:
        """The geometric mean; half of the radius above where there is none below."""
        above = torch.where(self.found, self.above, 1.0)
        return torch.where(self.below > 0, (self.below * above).sqrt(), above / 2)

    def halved(
        self, middle: Tensor, finding: Finding, damage: Measure, at_least: float, truth: Tensor
    ) -> _Bracket:
        shows = _shows(finding, damage, at_least, truth) & self.found
        take = per_image(shows.to(truth.device), finding.perturbation)
        return _Bracket(
            below=torch.where(self.found & ~shows, middle, self.below),
            above=torch.where(shows, middle, self.above),
            found=self.found,
            perturbation=torch.where(take, finding.perturbation, self.perturbation),
            n_gradients=self.n_gradients + finding.n_gradients * self.found,
        )


def _shows(finding: Finding, damage: Measure, at_least: float, truth: Tensor) -> Tensor:
    """Whether the damage is there; output that is not finite counts as damage."""
    value = damage(finding.reconstruction, finding.clean, truth)
    if not isinstance(value, Tensor) or value.shape != (len(truth),) or value.is_complex():
        got = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise InputError(
            f"Expected one real damage per image ({len(truth)}), got {got}; the function is given "
            "batches and returns (B,)."
        )
    value = value.double().cpu()
    broke = torch.tensor([status is Status.NOT_FINITE for status in finding.status])
    return (value >= at_least) | broke
