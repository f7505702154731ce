"""How plans write a search: its parts by name, or the fields of update and budget side by side.

``{method: sphere-ascent, n_gradients: 50, step: 0.8}`` and ``{update: {method: sphere-ascent, step:
0.8}, budget: {n_gradients: 50}}`` are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationInfo
from torch import Tensor

from shaketable.errors import InputError
from shaketable.plan.arrays import read_array
from shaketable.plan.choices import Choice
from shaketable.plan.derive import Written, data_of, declare, read_settings
from shaketable.plan.schema_base import said, unknown_field, unknown_name, wrong
from shaketable.search import (
    AdaptiveProjectedGradient,
    BlackBox,
    Budget,
    ErrorNorm,
    LargestPatchError,
    LowFrequencies,
    MomentumAscent,
    Objective,
    PenalisedError,
    ProjectedAdam,
    ProjectedGradient,
    Search,
    Span,
    SphereAscent,
    Subspace,
    Towards,
    Update,
)

OBJECTIVES = Choice.of(
    "type",
    {
        "error-norm": ErrorNorm,
        "largest-patch": LargestPatchError,
        "towards": Towards,
        "penalised-error": PenalisedError,
    },
)
UPDATES = Choice.of(
    "method",
    {
        "sphere-ascent": SphereAscent,
        "momentum-ascent": MomentumAscent,
        "projected-gradient": ProjectedGradient,
        "projected-adam": ProjectedAdam,
        "adaptive-projected-gradient": AdaptiveProjectedGradient,
    },
)
SUBSPACES = Choice.of("type", {"low-frequencies": LowFrequencies, "span": Span})
BLACK_BOX = "black-box"


@dataclass(frozen=True, kw_only=True)
class ArrayFile:
    """A file with an array, and which of its arrays it is."""

    file: Path
    key: str | None = None


class TensorForm:
    """A tensor from a file: ``mask.npy``, or ``{file: masks.npz, key: lesion}``."""

    def read(self, data: Any, info: ValidationInfo) -> Written[Tensor]:
        """The tensor; numbers with a point in single precision, as images are."""
        where = read_settings(ArrayFile, {"file": data} if isinstance(data, str) else data, info)
        try:
            array = read_array(where.value.file, where.value.key, "an array")
        except InputError as error:
            raise said(str(error), field="file") from error
        tensor = torch.from_numpy(array)
        if tensor.dtype == torch.float64 or tensor.dtype == torch.complex128:
            tensor = tensor.to(torch.complex64 if tensor.is_complex() else torch.float32)
        return Written(value=tensor, data=where.data)

    def tag(self, value: object) -> Mapping[str, str]:  # noqa: ARG002
        """There is one kind."""
        return {}


class SupportForm(TensorForm):
    """A mask from a file, or a subspace by its type."""

    def read(self, data: Any, info: ValidationInfo) -> Written[Any]:
        """The mask or subspace."""
        is_file = isinstance(data, str) or (isinstance(data, Mapping) and "type" not in data)
        return super().read(data, info) if is_file else SUBSPACES.read(data, info)

    def tag(self, value: object) -> Mapping[str, str]:
        """The type of a subspace."""
        return SUBSPACES.tag(value)


@dataclass(frozen=True, kw_only=True)
class SearchForm:
    """A search; where ``black_box``, also one without gradients."""

    black_box: bool

    def read(self, data: Any, info: ValidationInfo) -> Written[Any]:
        """The search, from its parts or from fields side by side."""
        if isinstance(data, str):
            data = {"method": data}
        if not isinstance(data, Mapping):
            return read_settings(Search, data, info)
        if self.black_box and data.get("method") == BLACK_BOX:
            settings = {key: value for key, value in data.items() if key != "method"}
            written = read_settings(BlackBox, settings, info)
            return Written(value=written.value, data={"method": BLACK_BOX, **written.data})
        return read_settings(Search, self._parts(data), info)

    def tag(self, value: object) -> Mapping[str, str]:
        """A search without gradients says so."""
        return {"method": BLACK_BOX} if isinstance(value, BlackBox) else {}

    def _parts(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Every field where it belongs: update, budget, objective."""
        beside = {key: value for key, value in data.items() if key not in _names(Search)}
        parts = {key: value for key, value in data.items() if key not in beside}
        base: dict[str, Any] = {}
        if "update" not in parts:
            name = beside.pop("method", "sphere-ascent")
            if name not in UPDATES.names():
                known = [*UPDATES.names(), *([BLACK_BOX] if self.black_box else [])]
                raise unknown_name("method", name, known)
            if name == "momentum-ascent":
                base = _published(beside.pop("published", None) or "deep-mri")
            parts["update"] = {"method": name}
        elif "method" in beside:
            raise wrong("either method or update in a search", "give one of the two")
        elif isinstance(parts["update"], str):
            parts["update"] = {"method": parts["update"]}
        return _merged(base, parts, beside)


def _published(name: str) -> dict[str, Any]:
    """The paper's search for one of its networks, as data."""
    try:
        search = Search.published(name)
    except InputError as error:
        raise said(str(error), field="published") from error
    return dict(data_of(search))


def _merged(
    base: Mapping[str, Any], parts: Mapping[str, Any], beside: Mapping[str, Any]
) -> dict[str, Any]:
    """The parts of a search, fields that stand beside them put in, over those of another search."""
    update = parts["update"]
    name = str(update.get("method")) if isinstance(update, Mapping) else ""
    own = {"update": _names(UPDATES.find(name)) if name in UPDATES.names() else []}
    own["budget"] = _names(Budget)
    own["objective"] = ["penalty"] if base and "objective" not in parts else []
    merged = {**base, **parts}
    for part, names in own.items():
        here = {key: beside[key] for key in names if beside.get(key) is not None}
        stated = parts.get(part, {})
        if isinstance(stated, Mapping) and (stated or here):
            merged[part] = {**base.get(part, {}), **stated, **here}
    known = {key for names in own.values() for key in names}
    for key in beside:
        if key not in known:
            published = ["published"] if base else []
            allowed = ["method", *published, *(key for names in own.values() for key in names)]
            raise unknown_field(key, [*allowed, *_names(Search)])
    return merged


def _names(kind: type) -> list[str]:
    return [field.name for field in fields(kind)]


declare(Tensor, TensorForm())
declare(Tensor | Subspace | None, SupportForm())
declare(Objective, OBJECTIVES)
declare(Update, UPDATES)
declare(Search, SearchForm(black_box=False))
declare(Search | BlackBox, SearchForm(black_box=True))
