"""How plans write a search: its parts by name, or the fields of update and budget side by side.

``{method: sphere-ascent, n_gradients: 50, step: 0.8}`` and ``{update: {method: sphere-ascent, step:
0.8}, budget: {n_gradients: 50}}`` are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationInfo
from torch import Tensor

from shaketable import search as searching
from shaketable.errors import InputError
from shaketable.plan.arrays import read_array
from shaketable.plan.choices import Choice
from shaketable.plan.derive import Written, data_of, declare, read_settings
from shaketable.plan.schema_base import said, unknown_field, unknown_name, wrong
from shaketable.search import BlackBox, Budget, Search

OBJECTIVES = Choice.of(
    "type",
    {
        "error-norm": searching.ErrorNorm,
        "largest-patch": searching.LargestPatchError,
        "towards": searching.Towards,
        "penalised-error": searching.PenalisedError,
    },
)
UPDATES = Choice.of(
    "method",
    {
        "sphere-ascent": searching.SphereAscent,
        "momentum-ascent": searching.MomentumAscent,
        "projected-gradient": searching.ProjectedGradient,
        "projected-adam": searching.ProjectedAdam,
        "adaptive-projected-gradient": searching.AdaptiveProjectedGradient,
    },
)
SUBSPACES = Choice.of("type", {"low-frequencies": searching.LowFrequencies, "span": searching.Span})
BLACK_BOX = Choice.of("method", {"black-box": BlackBox})


@dataclass(frozen=True, kw_only=True)
class ArrayFile:
    """A file with an array, and which of its arrays it is."""

    file: Path
    key: str | None = None


def _read_tensor(data: Any, info: ValidationInfo) -> Written:
    """A tensor from a file; numbers with a point in single precision, as images are."""
    where = read_settings(ArrayFile, {"file": data} if isinstance(data, str) else data, info)
    try:
        tensor = torch.from_numpy(read_array(where.value.file, where.value.key, "an array"))
    except InputError as error:
        raise said(str(error), field="file") from error
    if tensor.dtype in (torch.float64, torch.complex128):
        tensor = tensor.to(torch.complex64 if tensor.is_complex() else torch.float32)
    return Written(value=tensor, data=where.data)


def _read_support(data: Any, info: ValidationInfo) -> Written:
    """A subspace by its type, or a mask from a file."""
    subspace = isinstance(data, Mapping) and "type" in data
    return SUBSPACES.read(data, info) if subspace else _read_tensor(data, info)


def _read_search(black_box: bool, data: Any, info: ValidationInfo) -> Written:
    """A search, from its parts or from fields side by side; with gradients or without."""
    data = {"method": data} if isinstance(data, str) else data
    if not isinstance(data, Mapping):
        return read_settings(Search, data, info)
    if black_box and data.get("method") == "black-box":
        return BLACK_BOX.read(data, info)
    return read_settings(Search, _parts(data, BLACK_BOX.names() if black_box else ()), info)


def _parts(data: Mapping[str, Any], others: Iterable[str]) -> dict[str, Any]:
    """Every field where it belongs: update, budget, objective."""
    beside = {key: value for key, value in data.items() if key not in _names(Search)}
    parts = {key: value for key, value in data.items() if key not in beside}
    base: dict[str, Any] = {}
    if "update" not in parts:
        name = beside.pop("method", "sphere-ascent")
        known = [*UPDATES.names(), *others]
        if name not in known:
            raise unknown_name("method", name, known)
        if name == "momentum-ascent":
            base = _published(beside.pop("published", None) or "deep-mri")
        parts["update"] = {"method": name}
    elif "method" in beside:
        raise wrong("either method or update in a search", "give one of the two")
    elif isinstance(parts["update"], str):
        parts["update"] = {"method": parts["update"]}
    return _merged(base, parts, beside)


def _published(name: object) -> dict[str, Any]:
    """The paper's search for one of its networks, as data."""
    try:
        search = Search.published(str(name))
    except InputError as error:
        raise said(str(error), field="published") from error
    return dict(data_of(search))


def _merged(
    base: Mapping[str, Any], parts: dict[str, Any], beside: Mapping[str, Any]
) -> dict[str, Any]:
    """The parts of a search, fields that stand beside them put in, over those of another search."""
    update = parts["update"]
    name = str(update.get("method")) if isinstance(update, Mapping) else ""
    own = {
        "update": _names(UPDATES.find(name)) if name in UPDATES.names() else [],
        "budget": _names(Budget),
    }
    if base and "objective" not in parts:
        own["objective"] = ["penalty"]
    merged = {**base, **parts}
    for part, names in own.items():
        here = {key: beside[key] for key in names if beside.get(key) is not None}
        stated = parts.get(part, {})
        if isinstance(stated, Mapping) and (stated or here):
            merged[part] = {**base.get(part, {}), **stated, **here}
    allowed = [key for names in own.values() for key in names]
    for key in beside:
        if key not in allowed:
            raise unknown_field(
                key, ["method", *(["published"] if base else []), *allowed, *_names(Search)]
            )
    return merged


def _names(kind: type) -> list[str]:
    return [field.name for field in fields(kind)]


declare(Tensor, _read_tensor)
declare(Tensor | searching.Subspace | None, _read_support, SUBSPACES.tag)
declare(searching.Objective, OBJECTIVES.read, OBJECTIVES.tag)
declare(searching.Update, UPDATES.read, UPDATES.tag)
declare(Search, partial(_read_search, False))
declare(Search | BlackBox, partial(_read_search, True), BLACK_BOX.tag)
