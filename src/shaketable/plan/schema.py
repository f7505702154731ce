"""What a plan file may say. Everything here is plain data; `load.py` makes objects of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, model_validator

from shaketable.devices import require_device
from shaketable.plan.build_map import MAPS
from shaketable.plan.build_probes import probe_names, read_probes
from shaketable.plan.derive import AS_WRITTEN
from shaketable.plan.locate import FieldPath
from shaketable.plan.methods import DEFAULT_METHODS, METHODS, name_methods
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
    absent,
    checked,
    said,
    unknown_name,
    wrong,
)


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


def _require_probe(name: str) -> str:
    if name not in probe_names():
        raise unknown_name("", name, probe_names())
    return name


def _as_list(data: Any) -> Any:
    return [data] if isinstance(data, str) else data


ProbeName = Annotated[str, AfterValidator(_require_probe)]
MapField = Annotated[Any, PlainValidator(MAPS.read), AS_WRITTEN]
MethodField = Annotated[Any, PlainValidator(METHODS.read), AS_WRITTEN]
Methods = Annotated[dict[MethodName, MethodField], BeforeValidator(name_methods)]
Device = Annotated[str, checked(require_device)]
Devices = Annotated[list[Device], Field(min_length=1), BeforeValidator(_as_list)]


class PlanSpec(Spec):
    """A whole plan."""

    network: NetworkSpec | None = None
    networks: Annotated[list[NetworkSpec], Field(min_length=1)] | None = None
    map: MapField | None = None
    images: ImagesSpec
    baselines: Methods
    probes: Annotated[Any, PlainValidator(read_probes)]
    not_applicable: Annotated[dict[ProbeName, Text], Field(min_length=1)] | None = None
    seed: Seed = 0
    device: Devices | None = None
    workers: Count | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_reference(cls, data: Any) -> Any:
        """Without ``baselines`` there is total variation."""
        if isinstance(data, Mapping) and data.get("baselines") is None:
            return {**data, "baselines": DEFAULT_METHODS}
        return data

    @model_validator(mode="after")
    def _run_or_not(self) -> PlanSpec:
        if self.network is None and self.networks is None:
            raise absent("network")
        if self.network is not None and self.networks is not None:
            sentence = "Expected either network or networks, got both; give one of the two."
            raise said(sentence, field="networks")
        both = [name for name in self.not_applicable or {} if name in self.probes.model_fields_set]
        if both:
            raise wrong(f"{both[0]} in one of probes and not_applicable", "choose one of them")
        return self

    def all_networks(self) -> dict[FieldPath, NetworkSpec]:
        """Every network by its place in the plan."""
        if self.network is not None:
            return {("network",): self.network}
        return {("networks", index): each for index, each in enumerate(self.networks or ())}
