"""Settings become fields of plans, and come back from them as they were."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shaketable import registry, sparse
from shaketable.errors import InputError, PlanError
from shaketable.maps import FourierMap
from shaketable.plan import LoadedPlan, load_plan, plan_from
from shaketable.plan.build_map import MAPS
from shaketable.plan.derive import Around, as_field, data_of, read_settings
from shaketable.plan.maps import patterns
from shaketable.plan.maps.fourier import FourierSettings
from shaketable.plan.maps.multi_coil import BirdcageCoils, MultiCoilSettings
from shaketable.plan.maps.radon import RadonSettings
from shaketable.plan.methods import METHODS
from shaketable.plan.searches import OBJECTIVES, UPDATES
from shaketable.probes import Neighbourhood, Structural, WorstCase
from shaketable.search import (
    AdaptiveProjectedGradient,
    Ball,
    BlackBox,
    Budget,
    ErrorNorm,
    LargestPatchError,
    LowFrequencies,
    MomentumAscent,
    PenalisedError,
    ProjectedAdam,
    ProjectedGradient,
    Search,
    SphereAscent,
    Towards,
)
from tests.helpers.small_plan import SIZE, write_small_plan

AROUND = Around(folder=Path("/"))


def read_back(kind: type, value: object) -> Any:
    """Settings that went through the text of a plan."""
    text = yaml.safe_dump(data_of(value))
    reader = as_field(lambda data, info: read_settings(kind, data, info))
    data = yaml.safe_load(text)
    written = TypeAdapter(reader).validate_python(data, context=AROUND)
    assert written.data == data, "a plan that was written out says the same once more"
    return written.value


shares = st.floats(0.01, 0.99)
positive = st.floats(1e-6, 1e6)
counts = st.integers(1, 10**6)
against = st.sampled_from(["clean", "truth"])
budgets = st.builds(
    Budget, n_gradients=counts, n_starts=counts, plateau=shares, max_rows=st.none() | counts,
    max_seconds=st.none() | positive, checkpoint=st.booleans(),
)  # fmt: skip
updates = st.one_of(
    st.builds(
        SphereAscent, step=positive, step_continued=positive, momentum=st.tuples(shares, shares),
        overshoot=st.floats(1, 5),
    ),
    st.builds(MomentumAscent, rate=positive, momentum=shares, start_size=positive),
    st.builds(ProjectedGradient, step=positive),
    st.builds(ProjectedAdam, rate=positive, decay=st.tuples(shares, shares)),
    st.builds(AdaptiveProjectedGradient, step=positive, share=shares),
)  # fmt: skip
objectives = st.one_of(
    st.builds(ErrorNorm, against=against),
    st.builds(LargestPatchError, size=counts, against=against),
    st.builds(PenalisedError, penalty=positive, against=against),
)
smooth = st.builds(LowFrequencies, image_shape=st.just((32, 24)), n=st.integers(1, 24))
balls = st.builds(Ball, norm=st.sampled_from(["l2", "linf"])) | st.builds(Ball, support=smooth)
searches = st.builds(
    Search, objective=objectives, ball=balls, update=updates, budget=budgets,
    local_start=st.booleans(),
)  # fmt: skip
black_boxes = st.builds(
    BlackBox, objective=objectives, ball=balls, n_queries=st.integers(2, 10**6), step=shares,
    share=shares, within=shares, n_round=counts, max_rows=counts, max_bytes=positive,
    max_seconds=st.none() | positive,
)  # fmt: skip
radii = st.lists(st.floats(1e-6, 10), min_size=1, max_size=4, unique=True).map(sorted).map(tuple)
probes = st.one_of(
    st.builds(
        WorstCase, radii=radii, domain=st.sampled_from(["image", "data"]), n_random=counts,
        search=searches | black_boxes, limit=st.none() | positive,
    ),
    st.builds(
        Structural, details=st.just(("heart", "text:A")), contrast=shares,
        size=st.none() | st.integers(5, 50),
    ),
    st.builds(
        Neighbourhood, radius=shares, search=searches, noise_ratio=positive, n_draws=counts,
        n_draws_stable=st.none() | counts, keeps=shares,
    ),
    st.builds(
        Neighbourhood, noise_ratio=st.tuples(positive, positive), n_draws=st.tuples(counts, counts)
    ),
)  # fmt: skip
values = st.sampled_from(["complex", "ri", "real"])
solver = {"strength": st.floats(1e-6, 1e3), "values": values, "gap": positive,
          "max_iterations": counts, "rule": st.text("abc: #'\n")}  # fmt: skip
convex = st.one_of(
    st.builds(sparse.TotalVariation, isotropic=st.booleans(), **solver),
    st.builds(sparse.WaveletL1, levels=st.integers(1, 5), wavelet=st.just("db2"),
              translation_invariant=st.booleans(), **solver),
    st.builds(sparse.TotalGeneralizedVariation, balance=positive, **solver),
    st.builds(sparse.Shearlets, levels=st.just((0, 2)), **solver),
)  # fmt: skip
methods = st.one_of(
    convex,
    st.builds(sparse.ReweightedShearlets, variation=st.sampled_from(["tv", "tgv"]), share=positive,
              levels=st.just((0, 1)), n_reweightings=st.integers(0, 5), **solver),
    st.builds(sparse.BasisPursuitDenoising, noise=shares, levels=st.integers(1, 4), values=values,
              gap=positive, max_iterations=counts),
    st.builds(sparse.AtNoiseLevel, method=convex, noise=shares, gap=positive),
)  # fmt: skip
views = st.builds(patterns.EquispacedViews, n_views=st.integers(1, 500), even=st.just((10, 50)))
lines = st.builds(
    patterns.CartesianVariableDensity, rate=shares, seed=st.integers(0, 2**63 - 1),
    acceleration=st.none() | st.floats(1, 9), n_center=st.integers(0, 9),
)  # fmt: skip
maps = st.one_of(
    st.builds(FourierSettings, sampling=lines | st.builds(patterns.RadialLines, rate=shares)),
    st.builds(FourierSettings, mask=st.just(Path("/m.npy")), key=st.none() | st.just("k"),
              centred=st.booleans()),
    st.builds(MultiCoilSettings, sampling=lines,
              coils=st.builds(BirdcageCoils, n_coils=st.integers(1, 9))),
    st.builds(RadonSettings, sampling=views, n_detectors=st.none() | st.integers(1, 99)),
)  # fmt: skip


@settings(deadline=None)
@given(probes)
def test_probes_come_back_from_a_plan_as_they_were(probe: Any) -> None:
    assert read_back(type(probe), probe) == probe


@settings(deadline=None)
@given(methods | maps)
def test_methods_and_maps_come_back_from_a_plan_as_they_were(made: Any) -> None:
    assert read_back(type(made), made) == made


@settings(deadline=None)
@given(searches)
def test_fields_side_by_side_mean_the_same_as_parts(search: Search) -> None:
    parts = data_of(search)
    flat = {**parts.pop("update"), **parts.pop("budget"), **parts}
    stated = WorstCase(search=search)
    written = TypeAdapter(as_field(lambda data, info: read_settings(WorstCase, data, info)))
    assert written.validate_python({"search": flat}, context=AROUND).value == stated


def test_every_update_and_objective_of_the_library_can_be_named() -> None:
    named = {UPDATES.find(name) for name in UPDATES.names()}
    assert named == {type(update) for update in (
        SphereAscent(), MomentumAscent(), ProjectedGradient(), ProjectedAdam(),
        AdaptiveProjectedGradient(),
    )}  # fmt: skip
    assert {OBJECTIVES.find(name) for name in OBJECTIVES.names()} == {
        ErrorNorm, LargestPatchError, Towards, PenalisedError,
    }  # fmt: skip
    every = {getattr(sparse, name) for name in sparse.__all__}
    callables = {kind for kind in every if isinstance(kind, type) and "__call__" in dir(kind)}
    ours = {METHODS.find(name) for name in registry.OURS["shaketable.methods"]}
    assert {kind for kind in callables if hasattr(kind, "solve")} - {sparse.SparseMethod} <= ours


@dataclass(frozen=True, kw_only=True)
class Vibration:
    """A setting inside settings."""

    frequency: float = 50.0
    axes: tuple[int, int] = (0, 1)


@dataclass(frozen=True, kw_only=True)
class Tremor:
    """A probe of somebody else's."""

    amplitude: float
    kinds: Sequence[Literal["sine", "saw"]] = ("sine",)
    vibration: Vibration = field(default_factory=Vibration)
    weights: Mapping[str, float] = field(default_factory=dict)
    table: Path | None = None
    search: Search = field(default_factory=Search)
    baseline: sparse.SparseMethod | None = None

    name = "tremor"

    def __post_init__(self) -> None:
        if self.amplitude > 1:
            raise InputError(
                f"Expected an amplitude of at most 1, got {self.amplitude}; shrink it."
            )

    def describe(self) -> dict[str, object]:
        return {"amplitude": self.amplitude}


@dataclass(frozen=True, kw_only=True)
class Damped:
    """A reference method of somebody else's, whose settings have the name of the tag."""

    damping: float = 0.5
    method: str = "slow"

    def __call__(self, data: torch.Tensor, forward: FourierMap, /) -> torch.Tensor:
        return self.damping * forward.adjoint(data)


@dataclass(frozen=True, kw_only=True)
class Band:
    """A map of somebody else's."""

    width: int = 8

    def build(self, shape: tuple[int, int]) -> FourierMap:
        if self.width > shape[0]:
            raise InputError(f"Expected at most {shape[0]}, got {self.width}.", field="width")
        mask = torch.zeros(shape)
        mask[: self.width] = 1
        return FourierMap(mask)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    found = EntryPoints(
        EntryPoint(name=name, value=f"{__name__}:{value}", group=f"shaketable.{group}")
        for name, value, group in (
            ("tremor", "Tremor", "probes"), ("damped", "Damped", "methods"), ("band", "Band", "maps"),
        )
    )  # fmt: skip
    monkeypatch.setattr(registry, "entry_points", lambda group: found.select(group=group))
    return tmp_path


def load(folder: Path, changes: dict[str, Any]) -> LoadedPlan:
    return load_plan(write_small_plan(folder, changes))


TREMOR = {
    "amplitude": 0.5, "kinds": ["saw", "sine"], "vibration": {"axes": [1, 0]},
    "weights": {"a": 2}, "table": "t.csv", "search": {"n_gradients": 3},
    "baseline": {"method": "shearlets", "levels": [0]},
}  # fmt: skip


def test_what_another_package_brings_is_a_field_like_ours(folder: Path) -> None:
    changes = {
        "probes": {"tremor": TREMOR}, "baselines": {"damped": {"damping": 0.1, "of": "fast"}},
        "map": {"type": "band", "width": 4}, "not_applicable": {"sampling": "no pattern"},
    }  # fmt: skip
    loaded = load(folder, changes)
    for each in (loaded, plan_from(loaded.plan.source)):
        assert each.plan.probes == (
            Tremor(
                amplitude=0.5, kinds=("saw", "sine"), vibration=Vibration(axes=(1, 0)),
                weights={"a": 2.0}, table=folder / "t.csv",
                search=Search(budget=Budget(n_gradients=3)), baseline=sparse.Shearlets(levels=(0,)),
            ),
        )  # fmt: skip
        assert each.plan.baselines == {"damped": Damped(damping=0.1, method="fast")}
        assert each.problem.forward.rate == 4 / SIZE


@pytest.mark.parametrize(
    ("changes", "where", "sentence"),
    [
        ({"probes": {"tremor": TREMOR | {"amplitud": 1}}}, "probes.tremor.amplitud",
         "did you mean 'amplitude'"),
        ({"probes": {"tremor": {}}}, "probes.tremor.amplitude", "Expected the field 'amplitude'"),
        ({"probes": {"tremor": TREMOR | {"kinds": ["sin"]}}}, "probes.tremor.kinds.0", "'sine'"),
        ({"probes": {"tremor": TREMOR | {"amplitude": 2}}}, "probes.tremor", "at most 1, got 2"),
        ({"probes": {"tremor": TREMOR | {"vibration": {"axes": [1]}}}},
         "probes.tremor.vibration.axes", "at least 2 entries"),
        ({"probes": {"tremo": TREMOR}}, "probes.tremo", "did you mean 'tremor'"),
        ({"map": {"type": "band", "width": 64}}, "map.width", "at most 32, got 64"),
        ({"baselines": {"dampd": {}}}, "baselines.dampd", "did you mean 'damped'"),
    ],
)  # fmt: skip
def test_mistakes_in_it_are_told_like_ours(
    folder: Path, changes: dict[str, Any], where: str, sentence: str
) -> None:
    with pytest.raises(PlanError, match=sentence) as error:
        load(folder, changes)
    assert error.value.field == where
    assert error.value.line is not None


def test_a_type_that_no_plan_can_state_is_named() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Odd:
        thing: complex = 0j

    with pytest.raises(ValidationError, match=r"fields of Odd that a plan can state.*complex"):
        read_back(Odd, {})


def test_every_part_of_a_search_can_be_chosen(folder: Path) -> None:
    region = np.zeros((SIZE, SIZE), dtype=bool)
    region[4:9, 4:9] = True
    structure = np.full((SIZE, SIZE), 0.1)
    np.savez(folder / "masks.npz", lesion=region, other=~region)
    np.save(folder / "structure.npy", structure)
    search = {
        "update": {"method": "projected-adam", "rate": 0.2},
        "objective": {
            "type": "towards", "structure": "structure.npy",
            "region": {"file": "masks.npz", "key": "lesion"},
        },
        "ball": {"support": {"file": "masks.npz", "key": "other"}},
        "budget": {"n_starts": 2}, "n_gradients": 5, "local_start": False,
    }  # fmt: skip
    loaded = load(folder, {"probes.worst_case.search": search})
    expected = Search(
        update=ProjectedAdam(rate=0.2), local_start=False,
        objective=Towards(structure=torch.full((SIZE, SIZE), 0.1), region=torch.from_numpy(region)),
        ball=Ball(support=torch.from_numpy(~region)), budget=Budget(n_gradients=5, n_starts=2),
    )  # fmt: skip
    for each in (loaded, plan_from(loaded.plan.source)):
        [probe] = each.plan.probes
        assert isinstance(probe, WorstCase)
        assert probe.search == expected


@pytest.mark.parametrize(
    ("search", "where", "sentence"),
    [
        ({"method": "sphere-ascent", "update": "projected-adam"}, "search", "either method or update"),
        ({"method": "sphere-ascent", "rate": 1}, "search.rate", "step, step_continued"),
        ({"update": {"method": "projected-adam", "rat": 1}}, "search.update.rat", "'rate'"),
        ({"method": ["sphere-ascent"]}, "search.method", "Expected one of sphere-ascent"),
        ({"objective": "largest"}, "search.objective", "did you mean 'largest-patch'"),
        ({"objective": {"type": "largest-patch", "size": 64}}, "search.objective", "at least 64"),
        ({"objective": {"type": "towards", "structure": "s.npy"}}, "search.objective", r"\(32, 32\)"),
        ({"objective": {"type": "error-norm", "region": {"file": "n.npy"}}},
         "search.objective.region.file", "did you mean 's.npy'"),
        ({"ball": {"support": "s.npy"}}, "search.ball.support", "boolean"),
        ({"ball": {"norm": "l1"}}, "search.ball.norm", "did you mean 'l2'"),
        ({"budget": {"plateau": 2}}, "search.budget.plateau", "a plateau in"),
        ({"plateau": 2}, "search.plateau", "a plateau in"),
        ({"step": -1, "overshoot": 2}, "search.step", "steps above 0"),
        ({"method": "black-box", "n_queries": 1}, "search.n_queries", "two queries"),
    ],
)  # fmt: skip
def test_mistakes_in_a_search_point_to_their_field(
    folder: Path, search: dict[str, Any], where: str, sentence: str
) -> None:
    np.save(folder / "s.npy", np.ones((4, 4)))
    with pytest.raises(PlanError, match=sentence) as error:
        load(folder, {"probes.worst_case.search": search})
    assert error.value.field.removeprefix("probes.worst_case.") == where


@pytest.mark.parametrize(
    ("changes", "where", "sentence"),
    [
        ({"seed": 2**63}, "seed", "a whole number of at most 9223372036854775807"),
        ({"seed": 10**400}, "seed", "a whole number of at most"),
        ({"probes.worst_case.radii": [1e-30]}, "probes.worst_case.radii.0", "single precision"),
        ({"probes.worst_case.radii": [0.1, -0.2]}, "probes.worst_case.radii.1", "above 0"),
        ({"probes.worst_case.radii": [10**400]}, "probes.worst_case.radii.0", "a number"),
        ({"probes.worst_case.n_random": 10**30}, "probes.worst_case.n_random", "at most"),
        ({"map.sampling.seed": -1}, "map.sampling.seed", "at least 0"),
        ({"map.sampling.n_center": -1}, "map.sampling.n_center", "at least 0"),
        ({"map.sampling.acceleration": 0.5}, "map.sampling.acceleration", "at least 1"),
        ({"probes": {"structural": {"size": 10**9}}}, "probes.structural", "fits into memory"),
        ({"images": {"phantoms": "ellipses", "shape": [10**6, 10**6], "count": 1}}, "images",
         "fits into memory"),
    ],
)  # fmt: skip
def test_absurd_numbers_get_a_sentence(
    folder: Path, changes: dict[str, Any], where: str, sentence: str
) -> None:
    with pytest.raises(PlanError, match=sentence) as error:
        load(folder, changes)
    assert error.value.field == where


def test_all_names_of_maps_stand_for_settings_that_build() -> None:
    for name in registry.OURS["shaketable.maps"]:
        kind = MAPS.find(name)
        assert hasattr(kind, "build")
        assert fields(kind) is not None
