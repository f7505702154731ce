"""What all probes share: what is tested, one measurement, its outcome, the verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from shaketable.chain import execute
from shaketable.checks import Check
from shaketable.errors import InputError, ShapeError
from shaketable.io import array_sha256
from shaketable.maps import RadonMap
from shaketable.problem import Problem
from shaketable.protocols import ForwardMap, Reconstructor
from shaketable.records import Record, Role, slug
from shaketable.statistics import Interval

_LONGEST_NAME = (
    200  # of an image and a method together: with a probe's name a file name has room for 255
)

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Mapping[str, Array]
R = TypeVar("R", bound=Record)
OnProgress = Callable[[str, float], None]
"""Called with what is being done and the finished share of the measurement."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """A reconstructor under test and the part it plays."""

    name: str
    role: Role
    problem: Problem

    def reconstruct(self, images: Tensor, forward: ForwardMap | None = None) -> Tensor:
        """``f(A x, A)`` without gradients, on the problem's map or another one."""
        return execute(self.problem, images, forward=forward).clean


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Everything that is tested: networks on one forward map, reference methods, images.

    Parameters
    ----------
    problems
        One per network, on the same forward map and kind of images.
    images
        ``(N, *image_shape)``.
    image_ids
        One name per image, unique.
    baselines
        Reference methods by name; the first is the one that verdicts compare with.

    Raises
    ------
    InputError
        If names are missing, repeated, or a reference method is called as a network.
    ShapeError
        If images are not two-dimensional.
    """

    problems: tuple[Problem, ...]
    images: Tensor
    image_ids: tuple[str, ...]
    baselines: Mapping[str, Reconstructor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.problems:
            raise InputError("Expected at least one problem, got none; give the network's.")
        if len(self.problem.forward.image_shape) != 2:
            raise ShapeError(
                "Expected a forward map of two-dimensional images for the probes, got image shape "
                f"{tuple(self.problem.forward.image_shape)}; give MatrixMap or NumpyMap "
                "image_shape=(H, W), (1, n) for signals.",
                got=tuple(self.problem.forward.image_shape),
            )
        if len(self.image_ids) != len(self.images):
            raise InputError(
                f"Expected one name per image ({len(self.images)}), got {len(self.image_ids)}; "
                "name every image once."
            )
        _require_distinct("image", self.image_ids)
        _require_distinct("network", [problem.name for problem in self.problems])
        for problem in self.problems:
            if problem.name in self.baselines:
                raise InputError(
                    "Expected a reference method with a name of its own, got "
                    f"{problem.name!r} for both; rename one of them."
                )
        names = [problem.name for problem in self.problems]
        _require_distinct("method", [*names, *self.baselines])
        self._require_short_names()
        self._require_alike()

    def _require_short_names(self) -> None:
        image = max((len(slug(name)) for name in self.image_ids), default=0)
        if image > _LONGEST_NAME:
            raise InputError(
                f"Expected image names of at most {_LONGEST_NAME} characters, got one of {image}; "
                "files are named after them, so shorten them."
            )
        longest = sorted(len(slug(method.name)) for method in self.methods)[-2:]
        if image + sum(longest) > _LONGEST_NAME + 20:
            raise InputError(
                f"Expected names of image and methods of at most {_LONGEST_NAME + 20} characters "
                f"together, got {image + sum(longest)}; files are named after them, so shorten them."
            )

    def _require_alike(self) -> None:
        """All networks are measured on the same data, so that their numbers can be compared."""
        first = self.problem
        for other in self.problems[1:]:
            if not self._on_one_map(other):
                raise InputError(
                    f"Expected all networks on one forward map, got another one for {other.name!r}; "
                    "pass the same map object, or make runs of their own and compare them."
                )
            if other.real != first.real:
                raise InputError(
                    f"Expected all networks on one kind of images, got real={other.real} for "
                    f"{other.name!r} and real={first.real} for {first.name!r}; make runs of their own."
                )

    def _on_one_map(self, other: Problem) -> bool:
        """Whether a map is the first network's, or answers the first image as that does."""
        ours, theirs = self.problem.forward, other.forward
        if ours is theirs:
            return True
        if tuple(ours.data_shape) != tuple(theirs.data_shape):
            return False
        with torch.no_grad():
            a, b = ours(self.images[:1]), theirs(self.images[:1])
        return float(torch.linalg.vector_norm(a - b)) <= 1e-6 * float(torch.linalg.vector_norm(a))

    @property
    def problem(self) -> Problem:
        """The first network's."""
        return self.problems[0]

    @property
    def methods(self) -> tuple[Method, ...]:
        """The networks first, then the reference methods on the same forward map."""
        networks = (Method(name=p.name, role="network", problem=p) for p in self.problems)
        return (*networks, *(self._reference(name) for name in self.baselines))

    def _reference(self, name: str) -> Method:
        first = self.problem
        problem = Problem(
            forward=first.forward, reconstruct=self.baselines[name], real=first.real, name=name,
            units=first.units,
        )  # fmt: skip
        return Method(name=name, role="baseline", problem=problem)

    @property
    def primary_baseline(self) -> str | None:
        """The reference method that verdicts compare with."""
        return next(iter(self.baselines), None)


def _require_distinct(what: str, names: Sequence[str]) -> None:
    slugs = [slug(name) for name in names]
    if len(set(slugs)) != len(slugs):
        raise InputError(
            f"Expected {what} names that differ in their letters and digits, got "
            f"{', '.join(names)}; rename those that are alike."
        )


@dataclass(frozen=True, kw_only=True)
class Case:
    """One measurement: a method on an image.

    Parameters
    ----------
    method
        The reconstructor, on its forward map.
    image
        ``(1, H, W)``, of the problem's kind.
    seed
        Of this probe on this image; all methods have the same.
    on_progress
        To be called while it lasts.
    """

    method: Method
    image: Tensor
    seed: int
    on_progress: OnProgress


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a measurement gives: records, and arrays for the pictures and for replaying."""

    records: tuple[Any, ...]
    arrays: Arrays


VerdictWord = Literal["unstable", "stable", "inconclusive"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a probe's records say, in three values.

    Parameters
    ----------
    probe, domain
        What was tested; the domain is empty where there is none.
    verdict
        ``inconclusive`` whenever the numbers do not carry one of the other two.
    statement
        One sentence with the numbers it rests on.
    measure
        What ``estimate`` is.
    estimate, interval
        The number compared, with its confidence interval; None where it could not be had.
    n_images
        Images that the estimate rests on.
    network
        The network that is judged; filled in by the run.
    """

    probe: str
    verdict: VerdictWord
    statement: str
    measure: str
    estimate: float | None = None
    interval: tuple[float, float] | None = None
    n_images: int = 0
    domain: str = ""
    network: str = ""


@dataclass(frozen=True, kw_only=True)
class Measured(Generic[R]):
    """What was measured of one network, and of the reference methods beside it.

    Parameters
    ----------
    network
        The network that is judged.
    reference
        The reference method that verdicts compare with; None where there is none.
    records
        Of both and of the other reference methods, in the order of the images.
    evidence
        The checks that this probe's search has passed or failed.
    """

    network: str
    reference: str | None
    records: tuple[R, ...]
    evidence: tuple[Check, ...] = ()

    def of(self, method: str | None) -> list[R]:
        """The records of one method."""
        return [record for record in self.records if record.method == method]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """One number per image, by which two networks are compared on the same images.

    Parameters
    ----------
    values
        By image.
    measure
        What they are, in words.
    kind
        Whether two networks are compared by the ratio or by the difference of their numbers.
    worse
        Which numbers are worse.
    domain
        Where there are two.
    """

    values: Mapping[str, float]
    measure: str
    kind: Literal["ratio", "difference"]
    worse: Literal["larger", "smaller"]
    domain: str = ""


class Probe(Protocol):
    """One kind of test: settings, as a frozen dataclass, that can measure and judge.

    What a probe may have besides stands in `Searching`, `Giving`, `Scoring` and `Replayable`; one that
    raises `version` (1 where it is not stated) has its stored results measured anew.
    """

    @property
    def name(self) -> str:
        """Its name in records and plans."""
        ...

    @property
    def record_type(self) -> type[Any]:
        """The type of its records, a subclass of `Record`."""
        ...

    def measure(self, case: Case) -> Outcome:
        """Measure one method on one image."""
        ...

    def verdict(self, measured: Measured[Any]) -> Verdict:
        """Judge the records of one network."""
        ...


@runtime_checkable
class Searching(Protocol):
    """A probe that shows that its search can find what it looks for."""

    def evidence(self, problem: Problem, images: Tensor, seed: int) -> tuple[Check, ...]:
        """Checks on the problem's map and the first image, whatever the reconstructor."""
        ...


@runtime_checkable
class Giving(Protocol):
    """A probe that gives what it found for a network to every reference method."""

    @property
    def given_type(self) -> type[Any]:
        """The type of the records of what is given; it has a field ``network``."""
        ...

    def given(self, case: Case, theirs: Outcome) -> Outcome:
        """Measure a reference method under what was found for a network.

        Its records are of the type `given_type`, which has a field ``network`` that the run fills in.
        """
        ...

    def with_given(self, records: Sequence[Any], given: Mapping[str, Sequence[Any]]) -> list[Any]:
        """A reference method's records with what it was given, by network, in them."""
        ...


@runtime_checkable
class Scoring(Protocol):
    """A probe by which two networks can be compared, image by image."""

    @staticmethod
    def scores(records: Sequence[Any]) -> Scores:
        """The numbers of one network, from its records in one domain alone."""
        ...


def key_of(probe: Probe) -> str:
    """A probe's name, with its domain where a plan may run it in several.

    Examples
    --------
    >>> from shaketable.probes import WorstCase
    >>> key_of(WorstCase(domain="data"))
    'worst_case-data'
    """
    domain = getattr(probe, "domain", "")
    return f"{probe.name}-{domain}" if domain else probe.name


def version_of(probe: Probe) -> int:
    """The version of a probe's numbers."""
    return int(getattr(probe, "version", 1))


def describe_probe(probe: Probe) -> dict[str, Any]:
    """A probe's settings as plain data: what it says itself, else its fields."""
    from shaketable.search.search import described

    own = getattr(probe, "describe", None)
    if callable(own):
        return dict(own())
    settings = described(probe)
    return {k: v for k, v in settings.items() if k != "name"} if isinstance(settings, dict) else {}


def number(value: float | Tensor) -> float | None:
    """A JSON number: None where it is not finite."""
    value = float(value)
    return value if math.isfinite(value) else None


def array(x: Tensor) -> Array:
    """A tensor as stored: NumPy, single precision, on the CPU."""
    x = x.detach().cpu()
    return x.to(torch.complex64 if x.is_complex() else torch.float32).numpy()


def sampled_sha256(forward: ForwardMap) -> str | None:
    """Hash of a map's sampled positions, or of its angles; None where there is nothing to choose."""
    sampled = forward.angles if isinstance(forward, RadonMap) else forward.sampled
    return None if sampled is None else array_sha256(sampled.detach().cpu().numpy())


def percent(value: float) -> str:
    """A relative size in words: ``0.02`` -> ``2 %``."""
    return f"{100 * value:.3g} %"


def plain(value: float) -> str:
    """A number as a sentence shows it: ``4.3``, ``120``, ``1,234``."""
    return f"{value:,.0f}" if 100 <= abs(value) < 1e7 else f"{value:.2g}"


def support(interval: Interval, show: Callable[[float], str]) -> str:
    """What an estimate over images rests on: ``95 % interval 1.2 to 3.4, 5 images``."""
    n_images = "1 image" if interval.n == 1 else f"{interval.n} images"
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return f"{n_images}, too few for an interval"
    bounds = f"{show(interval.low)} to {show(interval.high)}"
    return f"{percent(interval.confidence)} interval {bounds}, {n_images}"
