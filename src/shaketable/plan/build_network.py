"""From ``network`` or ``networks`` of a plan to reconstructors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shaketable.errors import InputError
from shaketable.plan.locate import FieldPath, PlanFile
from shaketable.plan.reconstructors import load_reconstructor
from shaketable.plan.schema import NetworkSpec
from shaketable.plan.suggestion import suggestion
from shaketable.protocols import Reconstructor
from shaketable.settings import about

if TYPE_CHECKING:
    from shaketable.zoo import ZooNetwork


@dataclass(frozen=True, kw_only=True)
class BuiltNetwork:
    """A reconstructor under test, and the zoo's entry where it comes from there."""

    name: str
    reconstruct: Reconstructor
    differentiable: bool
    zoo: ZooNetwork | None = None


def build_network(plan: PlanFile, path: FieldPath, spec: NetworkSpec) -> BuiltNetwork:
    """Make a network of a plan, with its weights.

    Parameters
    ----------
    plan, path, spec
        The plan, where in it the network stands, and what it says there.

    Raises
    ------
    PlanError
        If it cannot be found, made or given its weights, or is no ``f(y, A)``.
    """
    with plan.at(*path):
        if spec.zoo is not None:
            network = _from_zoo(spec.zoo, spec.weights)
            return BuiltNetwork(
                name=spec.name or network.name, reconstruct=network.reconstruct,
                differentiable=spec.differentiable, zoo=network,
            )  # fmt: skip
        found = load_reconstructor(
            str(spec.object), Path(str(spec.folder)), spec.arguments,
            None if spec.weights is None else Path(spec.weights),
        )  # fmt: skip
    name = spec.name or str(spec.object).partition(":")[2]
    return BuiltNetwork(name=name, reconstruct=found, differentiable=spec.differentiable)


def _from_zoo(name: str, weights: str | None) -> ZooNetwork:
    from shaketable import zoo

    names = zoo.names()
    if name not in names:
        raise InputError(
            f"Expected one of {', '.join(names)}, got '{name}'; "
            f"{suggestion(name, names, 'name one of these.')}",
            field="zoo",
        )
    with about("zoo" if weights is None else "weights"):
        return zoo.load(name, weights=weights)
