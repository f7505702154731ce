"""From ``network`` and ``baselines`` of a plan to reconstructors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from shaketable.errors import InputError
from shaketable.plan import schema_methods as specs
from shaketable.plan.locate import FieldPath, PlanFile
from shaketable.plan.mistakes import suggestion
from shaketable.plan.objects import call_with, find_object, takes_two
from shaketable.plan.schema import NetworkSpec
from shaketable.plan.weights import put_weights, read_weights
from shaketable.protocols import ForwardMap, Reconstructor
from shaketable.sparse import (
    AtNoiseLevel,
    BasisPursuitDenoising,
    ReweightedShearlets,
    Shearlets,
    SparseMethod,
    TotalGeneralizedVariation,
    TotalVariation,
    WaveletL1,
)

if TYPE_CHECKING:
    from shaketable.zoo import ZooNetwork

SparseReconstructor = SparseMethod | BasisPursuitDenoising | AtNoiseLevel
Kind = TypeVar("Kind", SparseMethod, BasisPursuitDenoising)


@dataclass(frozen=True, kw_only=True)
class BuiltNetwork:
    """The reconstructor under test, and the zoo's entry where it comes from there."""

    name: str
    reconstruct: Reconstructor
    zoo: ZooNetwork | None = None


def build_network(plan: PlanFile, spec: NetworkSpec) -> BuiltNetwork:
    """Make the network of a plan, with its weights.

    Raises
    ------
    PlanError
        If it cannot be found, made or given its weights, or is no ``f(y, A)``.
    """
    if spec.zoo is not None:
        network = _from_zoo(plan, spec.zoo, spec.weights)
        return BuiltNetwork(
            name=spec.name or network.name, reconstruct=network.reconstruct, zoo=network
        )
    found = build_object(
        plan, ("network",), str(spec.object), Path(str(spec.folder)), spec.arguments, spec.weights
    )
    name = spec.name or str(spec.object).partition(":")[2]
    return BuiltNetwork(name=name, reconstruct=found)


def _from_zoo(plan: PlanFile, name: str, weights: str | None) -> ZooNetwork:
    from shaketable import zoo

    names = zoo.names()
    if name not in names:
        raise plan.error(
            ("network", "zoo"),
            f"Expected one of {', '.join(names)}, got '{name}'; "
            f"{suggestion(name, names, 'name one of these.')}",
        )
    with plan.at("network", "zoo" if weights is None else "weights"):
        return zoo.load(name, weights=weights)


def build_object(
    plan: PlanFile,
    path: FieldPath,
    name: str,
    folder: Path,
    arguments: Mapping[str, Any],
    weights: str | None,
) -> Reconstructor:
    """Import a reconstructor ``f(y, A)``: a function, a module, or a class that is made here.

    Raises
    ------
    PlanError
        As for `build_network`.
    """
    # Networks without weights are random: the same ones must come back when a run is replayed.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found = _made(plan, path, name, folder, arguments)
    with plan.at(*path, "object"):
        _require_reconstructor(found, name)
    if weights is not None:
        with plan.at(*path, "weights"):
            if not isinstance(found, nn.Module):
                raise InputError(
                    f"Expected a torch module to put weights into, got {type(found).__name__} "
                    f"'{name}'; remove the field weights or name the module."
                )
            put_weights(found, read_weights(Path(weights)), Path(weights))
            found.eval()
    reconstruct: Reconstructor = found
    return reconstruct


def _made(
    plan: PlanFile, path: FieldPath, name: str, folder: Path, arguments: Mapping[str, Any]
) -> Any:
    """The object that a plan names; a class is made into an instance, in evaluation mode."""
    with plan.at(*path, "object"):
        found = find_object(name, folder)
    if isinstance(found, type):
        with plan.at(*path, "arguments" if arguments else "object"):
            found = call_with(found, name, arguments)
        return found.eval() if isinstance(found, nn.Module) else found
    if arguments:
        raise plan.error(
            (*path, "arguments"),
            f"Expected a class to give the arguments to, got {type(found).__name__} '{name}'; "
            "remove the field arguments or name a class.",
        )
    return found


def _require_reconstructor(found: Any, name: str) -> None:
    if not callable(found):
        raise InputError(
            f"Expected a callable f(y, A) from '{name}', got {type(found).__name__}; "
            "name a function or a torch module."
        )
    if not takes_two(found.forward if isinstance(found, nn.Module) else found):
        raise InputError(
            f"Expected a callable f(y, A) from '{name}', got one that does not take two "
            "arguments; wrap it: def f(y, A): return network(A.adjoint(y))."
        )


def build_baselines(
    plan: PlanFile,
    given: Mapping[str, specs.BaselineSpec] | None,
    forward: ForwardMap,
    image: Tensor,
    *,
    real: bool,
) -> dict[str, Reconstructor]:
    """Make the stable methods and let each solve one step on the first image.

    Without ``baselines`` in the plan there is total variation, where images are two-dimensional.

    Parameters
    ----------
    plan, given
        The plan and its field ``baselines``.
    forward
        The forward map.
    image
        ``(1, H, W)``.
    real
        Images are real.

    Raises
    ------
    PlanError
        If a setting is impossible or the method does not work on this map.
    """
    if given is None:
        default = specs.TotalVariationSpec(method="total-variation")
        given = {"total-variation": default} if len(forward.image_shape) == 2 else {}
    result: dict[str, Reconstructor] = {}
    for name, spec in given.items():
        if isinstance(spec, specs.ObjectMethod):
            result[name] = build_object(
                plan, ("baselines", name), spec.object, Path(str(spec.folder)), spec.arguments,
                spec.weights,
            )  # fmt: skip
            continue
        with plan.at("baselines", name):
            method = _sparse_method(spec, real=real)
            with torch.no_grad():
                _one_step(method).solve(forward(image), forward)
            result[name] = method
    return result


def _sparse_method(spec: specs.SparseSpec, *, real: bool) -> SparseReconstructor:
    if isinstance(spec, specs.AtNoiseLevelSpec):
        method = _with_settings(_KINDS[spec.of.method], spec.of, real=real)
        return AtNoiseLevel(method=method, noise=spec.noise, gap=spec.gap)
    if isinstance(spec, specs.BasisPursuitDenoisingSpec):
        return _with_settings(BasisPursuitDenoising, spec, real=real)
    return _with_settings(_KINDS[spec.method], spec, real=real)


def _with_settings(kind: type[Kind], spec: specs.SparseSpec, *, real: bool) -> Kind:
    settings = {field.name: getattr(spec, field.name) for field in fields(kind)}
    settings["values"] = settings["values"] or ("real" if real else "complex")
    return kind(**settings)


def _one_step(method: SparseReconstructor) -> SparseReconstructor:
    if isinstance(method, AtNoiseLevel):
        return replace(method, method=replace(method.method, max_iterations=1))
    return replace(method, max_iterations=1)


_KINDS: dict[str, type[SparseMethod]] = {
    "total-variation": TotalVariation,
    "wavelet-l1": WaveletL1,
    "total-generalized-variation": TotalGeneralizedVariation,
    "shearlets": Shearlets,
    "reweighted-shearlets": ReweightedShearlets,
}
