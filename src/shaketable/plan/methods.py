"""From ``baselines`` of a plan to reference methods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.plan.choices import Choice
from shaketable.plan.derive import Written, declare
from shaketable.plan.locate import PlanFile
from shaketable.plan.objects import require_object_name
from shaketable.plan.reconstructors import load_reconstructor
from shaketable.protocols import ForwardMap, Reconstructor
from shaketable.registry import find, registered
from shaketable.sparse import AtNoiseLevel, ReweightedShearlets, SparseMethod

METHODS = Choice.registered("method", "shaketable.methods")
DEFAULT_METHODS = {"total-variation": {"method": "total-variation"}}


@dataclass(frozen=True, kw_only=True)
class ObjectMethod:
    """A reference method of one's own: any callable ``g(y, A)``.

    Parameters
    ----------
    object
        ``package.module:name``.
    arguments
        For the class, where it is one.
    folder
        Where modules are looked for first.
    weights
        A file of weights for a torch module.
    """

    object: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    folder: Path = Path()
    weights: Path | None = None

    def __post_init__(self) -> None:
        require_object_name(self.object)

    def load(self) -> Reconstructor:
        """Import it."""
        return load_reconstructor(self.object, self.folder, self.arguments, self.weights)


def name_methods(data: Any) -> Any:
    """Fill in ``method`` where the name of a reference method, or its object, already says it."""
    if not isinstance(data, Mapping):
        return data
    named = {}
    for name, settings in data.items():
        settings = {} if settings is None else settings
        if isinstance(settings, Mapping) and "method" not in settings:
            settings = {"method": "object" if "object" in settings else name, **settings}
        named[name] = settings
    return named


def build_methods(
    plan: PlanFile, given: Mapping[str, Written], forward: ForwardMap, image: Tensor
) -> dict[str, Reconstructor]:
    """Make the reference methods and let each solve one step on the first image.

    Parameters
    ----------
    plan, given
        The plan and its field ``baselines``.
    forward
        The forward map.
    image
        ``(1, H, W)``.

    Raises
    ------
    PlanError
        If a setting is impossible or the method does not work on this map.
    """
    result: dict[str, Reconstructor] = {}
    for name, written in given.items():
        with plan.at("baselines", name):
            result[name] = _loaded(written.value)
            solve = getattr(_one_step(result[name]), "solve", None)
            if solve is not None:
                with torch.no_grad():
                    solve(forward(image), forward)
    return result


def _loaded(method: Any) -> Reconstructor:
    if isinstance(method, ObjectMethod):
        return method.load()
    if not callable(method):
        raise InputError(
            f"Expected a reference method that can be called as g(y, A), got {type(method).__name__}; "
            "give its class a __call__."
        )
    reconstruct: Reconstructor = method
    return reconstruct


def _one_step(method: Any) -> Any:
    """The method with one iteration; what has none to count is tried when a run is checked."""
    if isinstance(method, AtNoiseLevel):
        return replace(method, method=_one_step(method.method))
    counts = "max_iterations" in getattr(method, "__dataclass_fields__", ())
    return replace(method, max_iterations=1) if counts else None


def _convex() -> Iterator[str]:
    """Names of the methods that can be brought to a noise level."""
    for name in registered("shaketable.methods"):
        kind = find("shaketable.methods", name)
        if issubclass(kind, SparseMethod) and not issubclass(kind, ReweightedShearlets):
            yield name


CONVEX = Choice(key="method", names=_convex, find=partial(find, "shaketable.methods"))
declare(SparseMethod, CONVEX.read, CONVEX.tag)
