"""What all probes share: the subject under test, items of work, outcomes, verdicts."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from shaketable.checks import Check
from shaketable.errors import InputError, ShapeError
from shaketable.io import array_sha256
from shaketable.maps import RadonMap
from shaketable.problem import Problem
from shaketable.protocols import ForwardMap, Reconstructor
from shaketable.records import slug
from shaketable.statistics import Interval

_LONGEST_NAME = 200  # with a probe's name and an ending a file name has room for 255

Role = Literal["network", "baseline"]
Record = dict[str, Any]
Array = np.ndarray[Any, np.dtype[Any]]
OnProgress = Callable[[str, float], None]
"""Called with what is being done and the finished share of the item."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """A reconstructor under test and the part it plays."""

    name: str
    role: Role
    problem: Problem

    def reconstruct(self, images: Tensor, forward: ForwardMap | None = None) -> Tensor:
        """``f(A x, A)`` without gradients, on the problem's map or another one."""
        A = self.problem.forward if forward is None else forward
        with torch.no_grad():
            return self.problem.reconstruct(A(images), A)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Everything that is tested: the network's problem, stable methods beside it, images.

    Parameters
    ----------
    problem
        Forward map and network.
    images
        ``(N, *image_shape)``.
    image_ids
        One name per image, unique.
    baselines
        Stable methods by name; the first is the one that verdicts compare with.

    Raises
    ------
    InputError
        If names are missing, repeated, or a baseline is called as the network.
    ShapeError
        If images are not two-dimensional.
    """

    problem: Problem
    images: Tensor
    image_ids: tuple[str, ...]
    baselines: Mapping[str, Reconstructor] = field(default_factory=dict)

    def __post_init__(self) -> None:
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
        slugs = [slug(name) for name in self.image_ids]
        if len(set(slugs)) != len(slugs):
            raise InputError(
                f"Expected image names that differ in their letters and digits, got "
                f"{', '.join(self.image_ids)}; rename those that are alike."
            )
        longest = max(slugs, key=len, default="")
        if len(longest) > _LONGEST_NAME:
            raise InputError(
                f"Expected image names of at most {_LONGEST_NAME} characters, got one of {len(longest)}; "
                "files are named after them, so shorten them."
            )
        if self.problem.name in self.baselines:
            raise InputError(
                f"Expected a stable method with a name of its own, got {self.problem.name!r} for both; "
                "rename one of them."
            )

    @property
    def methods(self) -> tuple[Method, ...]:
        """The network first, then the baselines on the same forward map."""
        network = Method(name=self.problem.name, role="network", problem=self.problem)
        return (
            network,
            *(
                Method(
                    name=name,
                    role="baseline",
                    problem=Problem(
                        forward=self.problem.forward,
                        reconstruct=reconstruct,
                        real=self.problem.real,
                        name=name,
                        units=self.problem.units,
                    ),
                )
                for name, reconstruct in self.baselines.items()
            ),
        )

    @property
    def primary_baseline(self) -> str | None:
        """The baseline that verdicts compare with."""
        return next(iter(self.baselines), None)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One unit of work: it is done or not done, has a key of its own and a seed made from it."""

    key: str
    index: int

    def seed(self, seed: int) -> int:
        """A seed that depends on the run's seed and the key alone."""
        digest = hashlib.sha256(f"{seed}/{self.key}".encode()).digest()
        return int.from_bytes(digest[:6], "big")


def one_item_per_image(prefix: str, subject: Subject) -> tuple[Item, ...]:
    """The items of a probe whose unit of work is an image."""
    return tuple(
        Item(key=f"{prefix}-{slug(image)}", index=index)
        for index, image in enumerate(subject.image_ids)
    )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What measuring one item gives: rows for the records, arrays for the pictures."""

    records: tuple[Record, ...]
    arrays: dict[str, Array]


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
    """

    probe: str
    verdict: VerdictWord
    statement: str
    measure: str
    estimate: float | None = None
    interval: tuple[float, float] | None = None
    n_images: int = 0
    domain: str = ""


class Probe(Protocol):
    """One kind of test. A new probe implements these and is listed in `probes/__init__.py`."""

    @property
    def name(self) -> str:
        """Its name in records."""
        ...

    def describe(self) -> dict[str, object]:
        """Its settings, for the record."""
        ...

    def items(self, subject: Subject) -> tuple[Item, ...]:
        """The units of work."""
        ...

    def evidence(self, subject: Subject, seed: int) -> tuple[Check, ...]:
        """Checks that show that this probe can find what it looks for."""
        ...

    def measure(self, subject: Subject, item: Item, seed: int, on_progress: OnProgress) -> Outcome:
        """Do one item. ``seed`` is the item's own."""
        ...

    def verdict(
        self, subject: Subject, records: Sequence[Record], checks: Sequence[Check]
    ) -> Verdict:
        """Judge this probe's records."""
        ...


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
