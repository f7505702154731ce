from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from shaketable.details import composite, make_details
from shaketable.errors import PlanError
from shaketable.maps import FourierMap, MatrixMap, sampling
from shaketable.plan import LoadedPlan, check_plan, load_plan, plan_from
from shaketable.probes import Neighbourhood, Sampling, Structural, WorstCase
from shaketable.search import BlackBox, Budget, MomentumAscent, Search
from shaketable.sparse import (
    AtNoiseLevel,
    BasisPursuitDenoising,
    ReweightedShearlets,
    Shearlets,
    TotalGeneralizedVariation,
    TotalVariation,
    WaveletL1,
)
from tests.helpers.small_plan import SIZE, phantoms, plan_with, write_small_plan

EVERYTHING = {
    "network.name": "my network",
    "images": {"path": "images.npy", "slices": "0:2", "scale": "max", "units": "a. u."},
    "baselines": {
        "wavelet-l1": {"levels": 2},
        "tv": {"method": "total-variation", "strength": 0.02},
    },
    "probes": {
        "worst_case": [
            {"radii": [0.01], "search": {"n_gradients": 3, "n_starts": 2}, "limit": 4},
            {
                "radii": [0.02, 0.03],
                "domain": "data",
                "search": {"method": "momentum-ascent", "published": "deep-mri", "n_gradients": 9},
            },
        ],
        "structural": {"details": ["heart", "text:A B"], "contrast": 0.2, "size": 6},
        "sampling": {"rates": [0.3, 0.8]},
        "neighbourhood": {"radius": 0.05, "n_draws": 3},
    },
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def load(folder: Path, changes: dict[str, Any] | None = None) -> LoadedPlan:
    return load_plan(write_small_plan(folder, changes))


def test_a_probe_can_be_called_not_applicable(folder: Path) -> None:
    reason = {"not_applicable": {"sampling": "its samples are fixed"}}
    loaded = load(folder, {"probes": {"structural": {"details": ["heart"], "size": 6}}, **reason})
    assert loaded.plan.not_applicable == reason["not_applicable"]
    assert loaded.plan.describe()["not_applicable"] == reason["not_applicable"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"structural": "a reason"}, "structural in one of probes and not_applicable"),
        ({"sampling": ""}, "not_applicable"),
        ({"rates": "a reason"}, "not_applicable"),
        ({}, "not_applicable"),
    ],
)
def test_what_is_not_applicable_is_checked(
    folder: Path, said: dict[str, str], expected: str
) -> None:
    changes = {"probes": {"structural": {"details": ["heart"], "size": 6}}, "not_applicable": said}
    with pytest.raises(PlanError, match=expected):
        load(folder, changes)


def same(one: LoadedPlan, other: LoadedPlan) -> None:
    """Both plans mean the same objects, down to weights, masks and pixels."""
    assert one.plan.describe() == other.plan.describe()
    assert (one.image_ids, one.seed) == (other.image_ids, other.seed)
    assert torch.equal(one.images, other.images)
    first, second = one.problem, other.problem
    assert (first.name, first.real, first.units, first.differentiable) == (
        second.name, second.real, second.units, second.differentiable,
    )  # fmt: skip
    data = first.forward(one.images)
    assert torch.equal(data, second.forward(other.images))
    with torch.no_grad():
        assert torch.equal(
            first.reconstruct(data, first.forward), second.reconstruct(data, second.forward)
        )


def test_a_plan_becomes_the_objects_it_names(folder: Path) -> None:
    loaded = load(folder, EVERYTHING)
    assert loaded.problem.name == "my network"
    assert loaded.problem.units == "a. u."
    assert isinstance(loaded.problem.reconstruct, torch.nn.Module)
    assert loaded.problem.reconstruct.first.out_channels == 4
    assert not loaded.problem.reconstruct.training
    assert loaded.seed == 3
    assert loaded.image_ids == ("images-000", "images-001")
    expected = phantoms() / phantoms().max(axis=(1, 2), keepdims=True)
    assert np.allclose(loaded.images.numpy(), expected, atol=1e-6)
    assert loaded.images.dtype == torch.complex64
    assert list(loaded.plan.baselines) == ["wavelet-l1", "tv"]
    assert loaded.plan.baselines["wavelet-l1"] == WaveletL1(levels=2)
    assert loaded.plan.baselines["tv"] == TotalVariation(strength=0.02)


def test_probes_have_the_settings_of_the_plan(folder: Path) -> None:
    image, data, structural, more, shaken = load(folder, EVERYTHING).plan.probes
    assert image == WorstCase(
        radii=(0.01,), search=Search(budget=Budget(n_gradients=3, n_starts=2)), limit=4
    )
    published = Search.published("deep-mri")
    assert isinstance(data, WorstCase)
    assert data.domain == "data"
    assert isinstance(data.search.update, MomentumAscent)
    assert data.search.budget.n_gradients == 9
    assert data.search.update == published.update
    assert data.search.objective == published.objective
    assert structural == Structural(details=("heart", "text:A B"), contrast=0.2, size=6)
    assert isinstance(more, Sampling)
    assert sorted(more.maps) == [0.3, 0.5, 0.8]
    assert more.trained_rate == 0.5
    assert shaken == Neighbourhood(radius=0.05, n_draws=3)


def test_a_black_box_is_searched_without_gradients(folder: Path) -> None:
    search = {"method": "black-box", "n_queries": 30, "max_rows": 4}
    loaded = load(folder, {
        "network.differentiable": False, "probes.worst_case.search": search,
    })  # fmt: skip
    assert not loaded.problem.differentiable
    [probe] = loaded.plan.probes
    assert isinstance(probe, WorstCase)
    assert probe.search == BlackBox(n_queries=30, max_rows=4)


def test_fields_left_out_have_the_defaults_of_the_library(folder: Path) -> None:
    np.save(folder / "large.npy", phantoms(1, 128))
    path = write_small_plan(folder, {
        "images.path": "large.npy",
        "probes": {"worst_case": None, "structural": None, "neighbourhood": {}},
    })  # fmt: skip
    assert load_plan(path).plan.probes == (WorstCase(), Structural(), Neighbourhood())


def test_the_map_is_the_pattern_of_the_plan(folder: Path) -> None:
    forward = load(folder).problem.forward
    sequence = sampling.cartesian_variable_density(
        (SIZE, SIZE), seed=0, acceleration=2.0, n_center=4
    )
    assert isinstance(forward, FourierMap)
    assert torch.equal(forward.mask, sequence.mask(0.5))


@pytest.mark.parametrize(
    ("settings", "sequence"),
    [
        ({"pattern": "gaussian-columns", "seed": 4, "width": 0.2},
         sampling.gaussian_columns((SIZE, SIZE), seed=4, width=0.2)),
        ({"pattern": "equispaced-lines", "n_center": 2},
         sampling.equispaced_lines((SIZE, SIZE), rate=0.4, n_center=2)),
        ({"pattern": "poisson-disc", "slope": 1},
         sampling.poisson_disc((SIZE, SIZE), seed=0, slope=1.0)),
        ({"pattern": "radial-lines", "first_angle": 0.3},
         sampling.radial_lines((SIZE, SIZE), first_angle=0.3)),
    ],
    ids=lambda value: value["pattern"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_every_pattern(folder: Path, settings: dict[str, Any], sequence: Any) -> None:
    forward = load(folder, {"map.sampling": {"rate": 0.4, **settings}}).problem.forward
    assert torch.equal(forward.mask, sequence.mask(0.4))


def test_a_mask_with_dc_in_the_middle_is_moved(folder: Path) -> None:
    mask = np.zeros((SIZE, SIZE))
    mask[SIZE // 2 - 2 : SIZE // 2 + 2] = 1
    np.save(folder / "mask.npy", mask)
    changes = {"map": {"type": "fourier", "mask": "mask.npy", "centred": True}}
    forward = load(folder, changes).problem.forward
    assert sorted(forward.mask[:, 0].nonzero().flatten().tolist()) == [0, 1, SIZE - 2, SIZE - 1]


def test_a_matrix_is_the_map(folder: Path) -> None:
    matrix = np.random.default_rng(0).standard_normal((40, SIZE * SIZE)).astype(np.float32)
    np.savez(folder / "m.npz", other=np.ones(3), A=matrix)
    changes = {
        "network": {"object": "networks:zero_filled"},
        "map": {"type": "matrix", "file": "m.npz", "key": "A"},
        "images.real": True,
        "baselines": None,
    }
    loaded = load(folder, changes)
    assert isinstance(loaded.problem.forward, MatrixMap)
    assert loaded.images.dtype == torch.float32
    assert loaded.plan.baselines == {"total-variation": TotalVariation(values="real")}
    expected = matrix @ phantoms()[0].ravel()
    assert np.allclose(loaded.problem.forward(loaded.images)[0], expected, atol=1e-4)


def test_real_images_make_stable_methods_real(folder: Path) -> None:
    loaded = load(folder, {"images.real": True})
    assert loaded.plan.baselines["total-variation"] == TotalVariation(gap=0.01, values="real")


def test_every_stable_method_can_be_named(folder: Path) -> None:
    made = load(
        folder,
        {
            "baselines": {
                "total-generalized-variation": {"balance": 1.5, "gap": 0.01},
                "shearlets": {"levels": [0, 1], "strength": 0.01},
                "reweighted-shearlets": {"levels": [0, 1], "n_reweightings": 1, "variation": "tv"},
                "basis-pursuit-denoising": {"noise": 0.1, "levels": 2},
                "wavelet-l1": {"translation_invariant": True, "levels": 2},
                "at-noise-level": {"noise": 0.05, "of": "total-variation"},
                "finer": {
                    "method": "at-noise-level",
                    "noise": 0.1,
                    "gap": 0.01,
                    "of": {"method": "wavelet-l1", "levels": 1, "values": "ri"},
                },
            }
        },
    ).plan.baselines
    assert list(made.values()) == [
        TotalGeneralizedVariation(balance=1.5, gap=0.01),
        Shearlets(levels=(0, 1), strength=0.01),
        ReweightedShearlets(levels=(0, 1), n_reweightings=1, variation="tv"),
        BasisPursuitDenoising(noise=0.1, levels=2),
        WaveletL1(translation_invariant=True, levels=2),
        AtNoiseLevel(method=TotalVariation(), noise=0.05),
        AtNoiseLevel(method=WaveletL1(levels=1, values="ri"), noise=0.1, gap=0.01),
    ]


def test_only_convex_methods_can_be_constrained(folder: Path) -> None:
    settings = {"noise": 0.05, "of": "reweighted-shearlets"}
    with pytest.raises(PlanError, match="reweighted-shearlets"):
        load(folder, {"baselines": {"at-noise-level": settings}})


def test_without_baselines_there_is_total_variation(folder: Path) -> None:
    assert load(folder, {"baselines": None}).plan.baselines == {"total-variation": TotalVariation()}
    assert load(folder, {"baselines": {}}).plan.baselines == {}


def test_objects_can_be_maps_and_stable_methods(folder: Path) -> None:
    (folder / "more.py").write_text(
        "import torch\n"
        "from shaketable import FourierMap\n"
        "def make(n):\n    return FourierMap(torch.ones(n, n))\n"
        "A = make(32)\n"
        "def smooth(y, A):\n    return 0.5 * A.adjoint(y)\n"
    )
    made = load(folder, {
        "map": {"type": "object", "object": "more:make", "arguments": {"n": SIZE}},
        "baselines": {"half": {"object": "more:smooth"}},
    })  # fmt: skip
    assert made.problem.forward.rate == 1
    half = made.plan.baselines["half"](made.problem.forward(made.images), made.problem.forward)
    assert torch.allclose(half, 0.5 * made.images, atol=1e-6)
    given = load(folder, {"map": {"type": "object", "object": "more:A"}})
    assert given.problem.forward.rate == 1


@pytest.mark.parametrize("kind", ["pt", "safetensors", "checkpoint"])
def test_weights_are_read(folder: Path, kind: str) -> None:
    untrained = load(folder).problem.reconstruct
    assert isinstance(untrained, torch.nn.Module)
    state = {name: torch.randn_like(value) for name, value in untrained.state_dict().items()}
    file = "w.safetensors" if kind == "safetensors" else "w.pt"
    if kind == "safetensors":
        from safetensors.torch import save_file

        save_file(state, folder / file)
    else:
        torch.save(
            {"state_dict": state, "step": 3} if kind == "checkpoint" else state, folder / file
        )
    network = load(folder, {"network.weights": file}).problem.reconstruct
    assert isinstance(network, torch.nn.Module)
    for name, value in network.state_dict().items():
        assert torch.equal(value, state[name])


def test_a_network_without_weights_is_the_same_every_time(folder: Path) -> None:
    state = torch.get_rng_state()
    same(load(folder), load(folder))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("changes", [{}, EVERYTHING], ids=["small", "everything"])
def test_the_resolved_plan_means_the_same_from_anywhere(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, changes: dict[str, Any]
) -> None:
    loaded = load(folder, changes)
    elsewhere = tmp_path_factory.mktemp("run") / "plan.yaml"
    elsewhere.write_text(yaml.safe_dump(dict(loaded.plan.source), sort_keys=False))
    again = load_plan(elsewhere)
    same(loaded, again)
    assert again.plan.source == loaded.plan.source
    same(loaded, plan_from(loaded.plan.source))


INSERT = {"images.insert": {"details": ["heart", "spade"], "contrast": 0.5, "size": 6}}


def test_details_are_inserted_into_every_image(folder: Path) -> None:
    plain, inserted = load(folder), load(folder, INSERT)
    for before, after in zip(plain.images, inserted.images, strict=True):
        details = make_details(before, ["heart", "spade"], contrast=0.5, size=6, apart=True)
        torch.testing.assert_close(after, before + composite(details).array)
    assert inserted.image_ids == plain.image_ids
    again = plan_from(inserted.plan.source)
    assert torch.equal(again.images, inserted.images)
    assert "insert" not in plain.plan.source["images"]


@pytest.mark.parametrize(
    ("insert", "message"),
    [
        ({"details": ["hart"]}, "did you mean 'heart'"),
        ({"details": ["heart"], "size": 40}, "room for the detail"),
        ({"details": []}, "at least 1 entries"),
    ],
)
def test_details_that_cannot_be_inserted_are_a_mistake_of_the_plan(
    folder: Path, insert: dict[str, Any], message: str
) -> None:
    with pytest.raises(PlanError, match=rf"images\.insert.*{message}"):
        load(folder, {"images.insert": insert})


def test_draws_may_differ_between_sizes_of_noise(folder: Path) -> None:
    settings = {"noise_ratio": [0.25, 1.0], "n_draws": [9, 4]}
    (probe,) = load(folder, {"probes": {"neighbourhood": settings}}).plan.probes
    assert isinstance(probe, Neighbourhood)
    assert probe.draws == (9, 4)
    with pytest.raises(PlanError, match="one for each"):
        load(folder, {"probes": {"neighbourhood": settings | {"n_draws": [9, 4, 2]}}})


def test_two_folders_may_use_the_same_module_name(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    path = write_small_plan(other, {"network": {"object": "networks:zero_filled"}})
    (other / "networks.py").write_text("def zero_filled(y, A):\n    return 7 * A.adjoint(y)\n")
    changes = {"network": {"object": "networks:zero_filled"}}
    first, second, third = load(folder, changes), load_plan(path), load(folder, changes)
    outputs = [
        each.problem.reconstruct(each.problem.forward(each.images), each.problem.forward)
        for each in (first, second, third)
    ]
    assert torch.allclose(outputs[1], 7 * outputs[0])
    assert torch.equal(outputs[2], outputs[0])


def test_check_plan_returns_what_it_checked(folder: Path) -> None:
    spec = check_plan(write_small_plan(folder))
    assert spec.seed == 3
    assert spec.images.path == "images.npy"


def test_all_mistakes_are_counted_and_the_first_in_the_file_is_told(folder: Path) -> None:
    path = folder / "plan.yaml"
    plan = plan_with({"seed": -1, "map.sampling.rate": 2, "probes.worst_case.n_random": 0})
    path.write_text(yaml.safe_dump(plan, sort_keys=False))
    with pytest.raises(PlanError, match=r"map\.sampling\.rate: .*\(2 more mistakes in the plan\)"):
        load_plan(path)
