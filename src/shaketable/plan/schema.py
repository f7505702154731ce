"""What a plan file may say. Everything here is plain data; `load.py` makes objects of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from shaketable.plan.schema_base import (
    Arguments,
    Count,
    MethodName,
    ObjectName,
    Rate,
    Seed,
    Shape,
    Slices,
    Spec,
    Text,
    wrong,
)
from shaketable.plan.schema_maps import MapField
from shaketable.plan.schema_methods import BaselineSpec, name_methods
from shaketable.plan.schema_probes import ProbesSpec


class NetworkSpec(Spec):
    """The network under test: one of the zoo, or an object of one's own."""

    zoo: Text | None = None
    object: ObjectName | None = None
    arguments: Arguments = Field(default={})
    folder: Text | None = None
    weights: Text | None = None
    name: MethodName | None = None
    differentiable: bool = True

    @model_validator(mode="after")
    def _one_of_two(self) -> NetworkSpec:
        if (self.zoo is None) == (self.object is None):
            raise wrong("either zoo or object in network", "give one of the two")
        if self.zoo is not None and (self.arguments or self.folder):
            raise wrong("arguments and folder only beside object", "a zoo network needs neither")
        return self


class InsertSpec(Spec):
    """Details that are inserted into every image before anything is tested."""

    details: Annotated[list[Text], Field(min_length=1)]
    contrast: Rate = 0.3
    size: Count | None = None


def _subjects(value: object) -> object:
    labels = (
        isinstance(value, dict)
        and value
        and all(isinstance(text, str) and text for pair in value.items() for text in pair)
    )
    if not (labels or value == "folder"):
        raise wrong(
            "'folder', or texts as labels by image id, file name or pattern",
            "write for example {'patient1*': A}",
        )
    return value


Subjects = Annotated[Any, BeforeValidator(_subjects)]


class ImagesSpec(Spec):
    """The images: a file or folder, those that come with the zoo network, or generated ones."""

    zoo: Literal["test"] | None = None
    phantoms: Literal["ellipses"] | None = None
    seed: Seed | None = None
    path: Text | None = None
    slices: Slices | None = None
    axis: Literal[0, 1, 2] | None = None
    key: Text | None = None
    shape: Shape | None = None
    scale: Literal["max", "hounsfield"] | None = None
    subjects: Subjects | None = None
    count: Count | None = None
    insert: InsertSpec | None = None
    real: bool = False
    units: str = ""

    @model_validator(mode="after")
    def _one_of_three(self) -> ImagesSpec:
        if [self.zoo, self.path, self.phantoms].count(None) != 2:
            raise wrong("one of path, zoo and phantoms in images", "give one of the three")
        if self.phantoms is not None:
            self._require_phantom_fields()
        elif self.seed is not None:
            raise wrong("seed only beside phantoms", "files are not random")
        of_files = ("slices", "axis", "key", "shape", "scale", "subjects")
        extra = [n for n in of_files if getattr(self, n) is not None]
        if self.zoo is not None and extra:
            raise wrong(
                f"{extra[0]} only beside path", "the zoo's images come ready; count takes fewer"
            )
        return self

    def _require_phantom_fields(self) -> None:
        if self.shape is None or self.count is None:
            raise wrong("shape and count beside phantoms", "say how large and how many they are")
        of_files = ("slices", "axis", "key", "scale", "subjects")
        extra = [n for n in of_files if getattr(self, n) is not None]
        if extra:
            raise wrong(f"{extra[0]} only beside path", "phantoms come ready")


ProbeName = Literal["worst_case", "structural", "sampling", "neighbourhood"]

Baselines = Annotated[dict[MethodName, BaselineSpec], BeforeValidator(name_methods)]


class PlanSpec(Spec):
    """A whole plan."""

    network: NetworkSpec
    map: MapField | None = None
    images: ImagesSpec
    baselines: Baselines | None = None
    probes: ProbesSpec
    not_applicable: Annotated[dict[ProbeName, Text], Field(min_length=1)] | None = None
    seed: Seed = 0

    @model_validator(mode="after")
    def _run_or_not(self) -> PlanSpec:
        both = [name for name in self.not_applicable or {} if name in self.probes.model_fields_set]
        if both:
            raise wrong(f"{both[0]} in one of probes and not_applicable", "choose one of them")
        return self
