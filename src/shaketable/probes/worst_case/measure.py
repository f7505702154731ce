"""Measure one method on one image: search it at growing radii, and the controls beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from shaketable.files import array_sha256
from shaketable.metrics import psnr
from shaketable.probes.certificates import solver_gap
from shaketable.probes.probe import Array, Case, Outcome, array, number
from shaketable.probes.worst_case.record import WorstCaseRecord
from shaketable.search import (
    BlackBox,
    Domain,
    Finding,
    Search,
    Status,
    Step,
    random_perturbation,
    respond,
    worst_case_black_box_path,
    worst_case_path,
)


def measure(
    case: Case, *, radii: tuple[float, ...], domain: Domain, search: Search | BlackBox,
    n_random: int,
) -> Outcome:  # fmt: skip
    """Search, evaluate random perturbations of the same sizes, and record both.

    Parameters
    ----------
    case
        The method and the image.
    radii, domain, search, n_random
        As `shaketable.WorstCase` has them.

    Raises
    ------
    KeyboardInterrupt
        If the search was interrupted.
    """
    path = _searched(case, radii, domain, search, _reporter(case, search, len(radii)))
    if any(Status.INTERRUPTED in finding.status for finding in path):
        raise KeyboardInterrupt
    result = _Result(case=case, path=path, radii=radii, domain=domain, n_random=n_random)
    records = tuple(result.record(index, finding) for index, finding in enumerate(path))
    return Outcome(records=records, arrays=result.arrays())


def _reporter(case: Case, search: Search | BlackBox, n_radii: int) -> Callable[[Step], None]:
    """Turns the steps of the searches of all radii into one finished share."""
    most = (
        search.n_queries
        if isinstance(search, BlackBox)
        else search.budget.n_gradients * search.budget.n_starts
    )
    planned = most * n_radii
    done = before = 0

    def report(step: Step) -> None:
        nonlocal done, before
        done += step.iteration - before if step.iteration > before else step.iteration
        before = step.iteration
        case.on_progress(f"searching {case.method.name}", min(1.0, done / planned))

    return report


def _searched(
    case: Case, radii: tuple[float, ...], domain: Domain, search: Search | BlackBox,
    on_step: Callable[[Step], None],
) -> tuple[Finding, ...]:  # fmt: skip
    problem = case.method.problem
    if isinstance(search, BlackBox):
        return worst_case_black_box_path(
            problem, case.image, radii=radii, domain=domain, search=search, seed=case.seed,
            on_step=on_step,
        )  # fmt: skip
    return worst_case_path(
        problem, case.image, radii=radii, domain=domain, search=search, seed=case.seed,
        on_step=on_step,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Result:
    """The searches of one method on one image, and the controls beside them."""

    case: Case
    path: tuple[Finding, ...]
    radii: tuple[float, ...]
    domain: Domain
    n_random: int

    def record(self, index: int, finding: Finding) -> WorstCaseRecord:
        clean_norm = float(torch.linalg.vector_norm(finding.clean))
        return WorstCaseRecord(
            domain=finding.domain,
            radius=float(finding.radius[0]),
            perturbation_norm=number(finding.perturbation_norm[0]),
            error=number(finding.error[0]),
            amplification=number(finding.amplification[0]),
            relative_error=number(finding.error[0] / clean_norm) if clean_norm > 0 else None,
            random_amplification=self._random_amplification(index),
            local_gain=number(finding.local_gain[0]),
            clean_psnr=number(psnr(finding.clean, self.case.image)[0]),
            perturbed_psnr=number(psnr(finding.reconstruction, self.case.image)[0]),
            status=str(finding.status[0]),
            search=finding.method,
            n_gradients=int(finding.n_gradients[0]),
            n_queries=None if finding.n_queries is None else int(finding.n_queries[0]),
            seed=finding.seed,
            replay_sha256=array_sha256(array(finding.perturbation[0])),
            solver_gap=solver_gap(self.case.method.problem, self._perturbed_data(finding)),
        )

    @cached_property
    def _random(self) -> list[list[tuple[Tensor, Tensor]]]:
        """Per radius, random perturbations of that size with the reconstructions they give."""
        problem, image = self.case.method.problem, self.case.image
        result = []
        for radius in self.radii:
            draws = []
            for draw in range(self.n_random):
                perturbation = random_perturbation(
                    problem, image, radius=radius, domain=self.domain, seed=self.case.seed + draw
                )
                output = respond(problem, image, perturbation, domain=self.domain)
                draws.append((perturbation, output))
            result.append(draws)
        return result

    def _random_amplification(self, index: int) -> float | None:
        clean = self.path[index].clean
        ratios = [
            float(torch.linalg.vector_norm(output - clean) / torch.linalg.vector_norm(perturbation))
            for perturbation, output in self._random[index]
        ]
        return number(sum(ratios) / len(ratios))

    def _perturbed_data(self, finding: Finding) -> Tensor:
        A = self.case.method.problem.forward
        with torch.no_grad():
            if finding.domain == "image":
                return A(self.case.image + finding.perturbation)
            return A(self.case.image) + finding.perturbation

    def arrays(self) -> dict[str, Array]:
        base = f"methods/{self.case.method.name}"
        perturbations = torch.stack([finding.perturbation[0] for finding in self.path])
        pictures = perturbations
        if self.domain == "data":
            with torch.no_grad():
                pictures = self.case.method.problem.forward.adjoint(perturbations)
        return {
            "image": array(self.case.image[0]),
            "radii": array(torch.tensor(self.radii)),
            f"{base}/clean": array(self.path[0].clean[0]),
            f"{base}/perturbation": array(perturbations),
            f"{base}/perturbation_image": array(pictures),
            f"{base}/perturbed": array(torch.stack([f.reconstruction[0] for f in self.path])),
            f"{base}/random": array(torch.stack([draws[0][1][0] for draws in self._random])),
        }
