"""The worst-case probe: the smallest change of the input that changes the image most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from shaketable.checks import Check
from shaketable.errors import InputError
from shaketable.io import array_sha256
from shaketable.metrics import psnr
from shaketable.probes.certificates import solver_gap
from shaketable.probes.probe import (
    Array,
    Item,
    Method,
    OnProgress,
    Outcome,
    Record,
    Subject,
    Verdict,
    array,
    number,
    one_item_per_image,
)
from shaketable.probes.strength import strength_check
from shaketable.probes.worst_case.verdict import judge
from shaketable.problem import Problem
from shaketable.search import (
    BlackBox,
    Domain,
    Finding,
    Search,
    Status,
    Step,
    increasing_radii,
    random_perturbation,
    require_gradients,
    respond,
    worst_case_black_box_path,
    worst_case_path,
)
from shaketable.settings import require_number, require_whole


@dataclass(frozen=True, kw_only=True)
class WorstCase:
    """Search network and stable methods alike, at growing radii (Antun et al. 2020, Figs. 1, 3, 4).

    Every method is searched with its own worst case under the same budget; stable methods are also
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
        largest radius with the stable method's instead.

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

    name = "worst_case"

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

    def items(self, subject: Subject) -> tuple[Item, ...]:
        """One per image."""
        return one_item_per_image(f"{self.name}-{self.domain}", subject)

    def evidence(self, subject: Subject, seed: int) -> tuple[Check, ...]:
        """The configured search finds the instabilities of known size, see `strength_check`.

        Without gradients there is no such evidence.
        """
        if isinstance(self.search, BlackBox):
            return ()
        require_gradients(subject.problem)
        name = f"search strength ({self.domain} domain)"
        images = subject.images[:1]
        return (strength_check(subject.problem, images, self.domain, self.search, seed, name=name),)

    def measure(self, subject: Subject, item: Item, seed: int, on_progress: OnProgress) -> Outcome:
        """Search one image with every method."""
        image = subject.problem.prepare(subject.images[item.index : item.index + 1])
        records: list[Record] = []
        arrays: dict[str, Array] = {
            "image": array(image[0]),
            "radii": array(torch.tensor(self.radii)),
        }
        network_path: tuple[Finding, ...] = ()
        for index, method in enumerate(subject.methods):
            path = self._path(method, image, seed, index, len(subject.methods), on_progress)
            if method.role == "network":
                network_path = path
            result = _MethodResult(
                probe=self, method=method, image=image, path=path,
                given=() if method.role == "network" else network_path, seed=seed,
            )  # fmt: skip
            shared = {"probe": self.name, "item": item.key, "image": subject.image_ids[item.index]}
            records += [shared | record for record in result.records()]
            arrays |= result.arrays()
        return Outcome(records=tuple(records), arrays=arrays)

    def _path(
        self, method: Method, image: Tensor, seed: int, index: int, n: int, on_progress: OnProgress
    ) -> tuple[Finding, ...]:
        done = before = 0
        planned = self._most_steps() * len(self.radii)

        def report(step: Step) -> None:
            nonlocal done, before
            done += step.iteration - before if step.iteration > before else step.iteration
            before = step.iteration
            share = min(1.0, done / planned)
            on_progress(f"searching {method.name}", (index + share) / n)

        path = self._searched(method.problem, image, seed, report)
        if any(Status.INTERRUPTED in finding.status for finding in path):
            raise KeyboardInterrupt
        return path

    def _most_steps(self) -> int:
        """Steps that a search of one radius takes at most."""
        if isinstance(self.search, BlackBox):
            return self.search.n_queries
        return self.search.budget.n_gradients * self.search.budget.n_starts

    def _searched(
        self, problem: Problem, image: Tensor, seed: int, on_step: Callable[[Step], None]
    ) -> tuple[Finding, ...]:
        if isinstance(self.search, BlackBox):
            return worst_case_black_box_path(
                problem, image, radii=self.radii, domain=self.domain, search=self.search,
                seed=seed, on_step=on_step,
            )  # fmt: skip
        return worst_case_path(
            problem, image, radii=self.radii, domain=self.domain, search=self.search,
            seed=seed, on_step=on_step,
        )  # fmt: skip

    def verdict(
        self, subject: Subject, records: Sequence[Record], checks: Sequence[Check]
    ) -> Verdict:
        """Compare the network's damage with the limit or the stable method's, see `judge`."""
        mine = [record for record in records if record["domain"] == self.domain]
        return judge(subject, mine, checks, domain=self.domain, limit=self.limit)


@dataclass(frozen=True, kw_only=True)
class _MethodResult:
    """One method's searches on one image, and the controls beside them."""

    probe: WorstCase
    method: Method
    image: Tensor
    path: tuple[Finding, ...]
    given: tuple[Finding, ...]
    seed: int

    def records(self) -> list[Record]:
        return [self._record(index, finding) for index, finding in enumerate(self.path)]

    def _record(self, index: int, finding: Finding) -> Record:
        clean_norm = float(torch.linalg.vector_norm(finding.clean))
        record: Record = {
            "method": self.method.name,
            "role": self.method.role,
            "domain": finding.domain,
            "radius": float(finding.radius[0]),
            "perturbation_norm": number(finding.perturbation_norm[0]),
            "error": number(finding.error[0]),
            "amplification": number(finding.amplification[0]),
            "relative_error": number(finding.error[0] / clean_norm) if clean_norm > 0 else None,
            "random_amplification": self._random_amplification(index),
            "local_gain": number(finding.local_gain[0]),
            "clean_psnr": number(psnr(finding.clean, self.image)[0]),
            "perturbed_psnr": number(psnr(finding.reconstruction, self.image)[0]),
            "status": str(finding.status[0]),
            "search": finding.method,
            "n_gradients": int(finding.n_gradients[0]),
            "n_queries": None if finding.n_queries is None else int(finding.n_queries[0]),
            "seed": finding.seed,
            "replay_sha256": array_sha256(array(finding.perturbation[0])),
        }
        if self.method.role == "baseline":
            error = float(torch.linalg.vector_norm(self._given[index] - finding.clean))
            norm = float(self.given[index].perturbation_norm[0])
            record["given_network_error"] = number(error)
            record["given_network_amplification"] = number(error / norm) if norm > 0 else None
            data = _perturbed_data(self.method, self.image, finding)
            record["solver_gap"] = solver_gap(self.method.problem, data)
        return record

    @cached_property
    def _random(self) -> list[list[tuple[Tensor, Tensor]]]:
        """Per radius, random perturbations of that size with the reconstructions they give."""
        problem, domain = self.method.problem, self.probe.domain
        result = []
        for radius in self.probe.radii:
            draws = []
            for draw in range(self.probe.n_random):
                perturbation = random_perturbation(
                    problem, self.image, radius=radius, domain=domain, seed=self.seed + draw
                )
                output = respond(problem, self.image, perturbation, domain=domain)
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

    @cached_property
    def _given(self) -> list[Tensor]:
        """Reconstructions under the network's perturbations."""
        return [
            respond(self.method.problem, self.image, finding.perturbation, domain=self.probe.domain)
            for finding in self.given
        ]

    def arrays(self) -> dict[str, Array]:
        base = f"methods/{self.method.name}"
        perturbations = torch.stack([finding.perturbation[0] for finding in self.path])
        pictures = perturbations
        if self.probe.domain == "data":
            with torch.no_grad():
                pictures = self.method.problem.forward.adjoint(perturbations)
        result = {
            f"{base}/clean": array(self.path[0].clean[0]),
            f"{base}/perturbation": array(perturbations),
            f"{base}/perturbation_image": array(pictures),
            f"{base}/perturbed": array(torch.stack([f.reconstruction[0] for f in self.path])),
            f"{base}/random": array(torch.stack([draws[0][1][0] for draws in self._random])),
        }
        if self.given:
            given = torch.stack([output[0] for output in self._given])
            result[f"{base}/given_network"] = array(given)
        return result


def _perturbed_data(method: Method, image: Tensor, finding: Finding) -> Tensor:
    A = method.problem.forward
    with torch.no_grad():
        if finding.domain == "image":
            return A(image + finding.perturbation)
        return A(image) + finding.perturbation
