"""AUTOMAP, DAGAN and MRI-VN learn, go on after an interruption, and can be loaded afterwards."""

from __future__ import annotations

import os
import signal
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shaketable import zoo
from shaketable.errors import InputError, RunError, WeightsError
from shaketable.maps import FourierMap, MultiCoilFourierMap
from shaketable.zoo import Learner, TrainingEvent, TrainingRecipe
from shaketable.zoo.automap.recipe import AUTOMAPRecipe
from shaketable.zoo.automap.training import new_network as new_automap
from shaketable.zoo.automap.training import quality as automap_quality
from shaketable.zoo.automap.training import trained_positions
from shaketable.zoo.dagan.recipe import DAGANRecipe
from shaketable.zoo.dagan.training import DAGANLearner
from shaketable.zoo.mri_vn.recipe import MRIVNRecipe
from shaketable.zoo.mri_vn.training import draw_sample, trained_map
from shaketable.zoo.registry import entry_of
from tests.helpers.bart import write_several_cfl
from tests.helpers.oracles import relative_difference

CPU = torch.device("cpu")
RECIPES: dict[str, TrainingRecipe] = {
    "mri-vn": MRIVNRecipe(
        size=16, n_center=2, n_coils=3, n_stages=2, n_filters=3, kernel_size=3, n_centres=9,
        rate=0.4, n_steps=6, n_warmup_steps=1, n_decay_steps=3, strip_width=8,
    ),
    "automap": AUTOMAPRecipe(
        size=16, n_hidden=20, n_features=3, n_joint_steps=3, n_linear=40, n_steps=6,
        n_warmup_steps=1, n_decay_steps=3, batch_size=2,
    ),
    "dagan": DAGANRecipe(
        size=64, width=1, n_levels=5, discriminator_width=1, perceptual=False, n_steps=6,
        n_decay_steps=2, n_polish_steps=2, batch_size=2,
    ),
}  # fmt: skip


def boxes(recipe: TrainingRecipe, n_images: int = 6) -> torch.Tensor:
    """Overlapping boxes of twice the recipe's size, peak 1: edges, which aliasing destroys."""
    size = 2 * recipe.size
    rng = np.random.default_rng(0)
    images = np.zeros((n_images, size, size), np.float32)
    for image in images:
        for _ in range(5):
            top, left = rng.integers(size // 8, size // 2, 2)
            height, width = rng.integers(size // 8, size // 2, 2)
            image[top : top + height, left : left + width] += rng.uniform(0.3, 1)
        image /= image.max()
    return torch.from_numpy(images)


def held_out(recipe: TrainingRecipe) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(boxes(recipe), 2)


def begin(recipe: TrainingRecipe, images: torch.Tensor) -> Learner:
    return entry_of(recipe).begin(recipe, images, CPU)


def weights(folder: Path) -> bytes:
    return (folder / "weights.safetensors").read_bytes()


@pytest.mark.parametrize("name", RECIPES)
def test_same_weights_after_an_interruption(tmp_path: Path, name: str) -> None:
    recipe, images = RECIPES[name], boxes(RECIPES[name])
    whole = zoo.train(recipe, images, tmp_path / "whole", held_out=held_out(recipe))
    assert whole.curve[-1][2] is not None

    def interrupt(event: TrainingEvent) -> None:
        if event.kind == "step" and event.step == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        zoo.train(recipe, images, tmp_path / "cut", on_event=interrupt)
    zoo.train(recipe, images, tmp_path / "cut")
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


SHORT: dict[str, dict[str, Any]] = {
    # Equal data weights leave something to learn.
    "mri-vn": {"n_steps": 60, "n_decay_steps": 30, "lowest_eigenvalue": 1.0},
    # So does a beginning from three images.
    "automap": {
        "n_steps": 60,
        "n_decay_steps": 30,
        "n_linear": 3,
        "n_joint_steps": 30,
        "dense_factor": 1.0,
    },
    "dagan": {
        "n_steps": 40,
        "n_decay_steps": 15,
        "n_polish_steps": 5,
        "width": 2,
        "learning_rate": 1e-3,
    },
}


@pytest.mark.parametrize(
    ("name", "least_gain"), [("mri-vn", 1.0), ("automap", 0.3), ("dagan", 0.2)]
)
def test_training_raises_the_quality(tmp_path: Path, name: str, least_gain: float) -> None:
    recipe = replace(RECIPES[name], **SHORT[name], average_decay=0.9)
    before = begin(recipe, boxes(recipe)).quality(held_out(recipe))
    after = zoo.train(recipe, boxes(recipe), tmp_path, held_out=held_out(recipe)).curve[-1][2]
    assert after is not None
    assert after > before + least_gain


@pytest.mark.parametrize("name", RECIPES)
def test_what_was_trained_can_be_loaded(tmp_path: Path, name: str) -> None:
    recipe = RECIPES[name]
    if name == "mri-vn":
        recipe = replace(recipe, n_coils=3)
    trained = zoo.train(recipe, boxes(recipe), tmp_path).weights
    network = zoo.load(name, weights=trained)
    x = network.images("test")[:2]
    assert len(network.images("test")) == len(network.image_ids("test")) == 8
    assert x.is_complex() == (not network.real)
    output = network.reconstruct(network.forward(x), network.forward)
    assert output.shape == x.shape
    assert output.is_complex() == x.is_complex()
    assert bool(output.abs().isfinite().all())
    mask = network.sampling.mask(network.trained_rate)
    assert torch.equal(mask, network.forward.mask)


def test_settings_are_those_of_the_publication(tmp_path: Path) -> None:
    networks = {
        name: zoo.load(name, weights=zoo.train(recipe, boxes(recipe), tmp_path / name).weights)
        for name, recipe in RECIPES.items()
    }
    coils = networks["mri-vn"].forward
    assert isinstance(coils, MultiCoilFourierMap)
    assert coils.data_shape == (15, 128, 128)
    # 58 of 368 lines, 28 of them in the centre.
    assert int(coils.mask[:, 0].sum()) == round(58 / 368 * 128)
    assert bool(coils.mask[[-5, -1, 0, 4], 0].all())
    columns = networks["dagan"].forward
    assert isinstance(columns, FourierMap)
    assert int(columns.mask[0].sum()) == round(56 / 256 * 32)
    assert bool((columns.mask == columns.mask[0]).all())
    assert networks["automap"].trained_rate == pytest.approx(0.6, abs=0.01)
    assert networks["automap"].forward.image_shape == (16, 16)


def test_half_precision_keeps_the_points(tmp_path: Path) -> None:
    recipe = RECIPES["automap"]
    assert isinstance(recipe, AUTOMAPRecipe)
    from shaketable.zoo.weights import save_weights

    model = new_automap(recipe, boxes(recipe))
    save_weights(model, tmp_path / "half.safetensors", dtype=torch.float16)
    loaded = zoo.load("automap", weights=tmp_path / "half.safetensors").model
    assert torch.equal(loaded.positions, model.positions)


def test_automap_begins_as_the_best_linear_estimate() -> None:
    """It knows how the images are made, and so beats zero filling by more than a third."""
    recipe = AUTOMAPRecipe(
        size=16, n_hidden=200, n_features=4, n_joint_steps=0, n_linear=1000, n_steps=1,
        n_warmup_steps=0, n_decay_steps=0,
    )  # fmt: skip
    images = held_out(recipe)
    network = new_automap(recipe, boxes(recipe))
    mask = torch.zeros(16, 16, dtype=torch.bool)
    mask[tuple(trained_positions(recipe).T)] = True
    forward = FourierMap(mask)
    zero_filled = torch.stack([forward.adjoint(forward(x[None]))[0].real for x in images])
    errors = [
        relative_difference(estimate, images)
        for estimate in (network(forward(images), forward).detach(), zero_filled)
    ]
    assert errors[0] < 0.65 * errors[1]
    assert float(automap_quality(network, images).mean()) > 25


def test_hidden_units_beyond_the_estimate_can_learn() -> None:
    """They add nothing at the beginning, and have a gradient."""
    recipe = replace(RECIPES["automap"], n_hidden=300)  # 16 x 16 pixels need 256
    assert isinstance(recipe, AUTOMAPRecipe)
    network = new_automap(recipe, boxes(recipe))
    assert bool((network.dense1.weight != 0).any(1).all())
    assert not bool((network.dense2.weight[:, 256:] != 0).any())
    network(torch.randn(2, 16, 16) + 0j, FourierMap(torch.ones(16, 16))).square().sum().backward()
    gradient = network.dense2.weight.grad
    assert gradient is not None
    assert bool((gradient[:, 256:] != 0).any(0).all())


def test_dense_layers_learn_late_and_slower() -> None:
    """The first step of Adam moves every weight by its learning rate."""
    recipe = RECIPES["automap"]
    assert isinstance(recipe, AUTOMAPRecipe)
    learner = begin(recipe, boxes(recipe))

    def moved(step: int) -> dict[str, float]:
        before = {name: value.clone() for name, value in learner.state()["model"].items()}
        learner.step(step)
        after = learner.state()["model"]
        return {name: float((after[name] - before[name]).abs().max()) for name in before}

    first = moved(0)
    assert first["convolution2.weight"] == pytest.approx(recipe.learning_rate, rel=0.01)
    assert first["dense1.weight"] == first["dense2.weight"] == 0.0
    step = recipe.n_steps - recipe.n_joint_steps
    slow = recipe.dense_factor * recipe.learning_rate_at(step)
    assert moved(step)["dense2.weight"] == pytest.approx(slow, rel=0.05)


def test_simulated_data_belong_to_their_map() -> None:
    recipe = RECIPES["mri-vn"]
    assert isinstance(recipe, MRIVNRecipe)
    generator = torch.Generator().manual_seed(0)
    quiet = replace(recipe, noise=0.0)
    image, data, forward = draw_sample(quiet, boxes(recipe), generator, width=8)
    assert image.shape == (1, 16, 8)
    assert torch.equal(data, forward(image))
    coils = forward.coils
    assert torch.allclose(coils.abs().square().sum(0), torch.ones(16, 8), atol=1e-5)
    assert torch.equal(forward.mask[:, :1].expand(16, 8), forward.mask)
    # Of these maps and those of the test only the radius differs.
    assert trained_map(recipe).coils.shape == (3, 16, 16)


def test_the_strip_sees_the_aliasing_of_the_image() -> None:
    recipe = RECIPES["mri-vn"]
    assert isinstance(recipe, MRIVNRecipe)
    whole = trained_map(recipe)
    strip = MultiCoilFourierMap(whole.mask[:, 3:11], whole.coils[:, :, 3:11])
    image = torch.rand(1, 16, 16, dtype=torch.float64)
    expected = whole.adjoint(whole(image))[:, :, 3:11]
    got = strip.adjoint(strip(image[:, :, 3:11]))
    assert relative_difference(got, expected) < 1e-6


def test_the_discriminator_takes_part_in_the_decay_alone() -> None:
    recipe = RECIPES["dagan"]
    assert isinstance(recipe, DAGANRecipe)
    learner = DAGANLearner(recipe, boxes(recipe), CPU)

    def moves(step: int) -> dict[str, bool]:
        before = deepcopy({name: learner.state()[name] for name in ("model", "discriminator")})
        learner.step(step)
        after = learner.state()
        return {
            name: any(not torch.equal(after[name][key], value) for key, value in state.items())
            for name, state in before.items()
        }

    took_part = [moves(step)["discriminator"] for step in range(recipe.n_steps)]
    assert took_part == [False, False, True, True, False, False]


def test_a_shorter_run_of_dagan_keeps_its_proportions() -> None:
    recipe = DAGANRecipe(n_steps=100, n_decay_steps=40, n_polish_steps=20)
    shorter = recipe.with_steps(10)
    assert (shorter.n_steps, shorter.n_decay_steps, shorter.n_polish_steps) == (10, 4, 2)
    assert [recipe.same_until(shorter, step) for step in (4, 5)] == [True, False]
    with pytest.raises(InputError, match="decay and polish"):
        replace(recipe, n_polish_steps=61)


def test_perceptual_term_must_be_the_same_after_an_interruption() -> None:
    recipe = RECIPES["dagan"]
    assert isinstance(recipe, DAGANRecipe)
    learner = DAGANLearner(recipe, boxes(recipe), CPU)
    with pytest.raises(RunError, match="with VGG16 as before"):
        learner.restore({**learner.state(), "perceptual": True})


@pytest.mark.parametrize("name", zoo.names())
def test_a_recipe_finds_its_network(name: str) -> None:
    assert entry_of(zoo.find_entry(name).recipe).name == name


def test_a_recipe_of_no_network_is_refused(tmp_path: Path) -> None:
    recipe = TrainingRecipe(size=16, n_steps=1, n_warmup_steps=0, n_decay_steps=0)
    with pytest.raises(InputError, match="MRIVNRecipe, got TrainingRecipe"):
        zoo.train(recipe, torch.zeros(1, 32, 32), tmp_path)


@pytest.mark.parametrize("name", RECIPES)
def test_wrong_images_are_refused(name: str) -> None:
    recipe = RECIPES[name]
    with pytest.raises(InputError, match=f"size={2 * recipe.size}"):
        begin(recipe, torch.zeros(1, 8, 8))


def test_wrong_recipes_are_refused() -> None:
    with pytest.raises(InputError, match="strip width"):
        replace(RECIPES["mri-vn"], strip_width=17)
    with pytest.raises(InputError, match="multiple of 64"):
        replace(RECIPES["dagan"], size=100)
    with pytest.raises(InputError, match="rate in"):
        replace(RECIPES["automap"], rate=1.5)
    with pytest.raises(InputError, match="within the 3 of the decay"):
        replace(RECIPES["automap"], n_joint_steps=4)


def test_a_shorter_run_of_automap_keeps_its_proportions() -> None:
    shorter = AUTOMAPRecipe(n_steps=200, n_decay_steps=100, n_joint_steps=40).with_steps(10)
    assert (shorter.n_steps, shorter.n_decay_steps, shorter.n_joint_steps) == (10, 5, 2)


def test_joint_steps_may_change_until_the_decay() -> None:
    one = AUTOMAPRecipe(n_steps=200, n_decay_steps=100, n_joint_steps=40)
    other = replace(one, n_joint_steps=10)
    assert [one.same_until(other, step) for step in (100, 101)] == [True, False]
    assert one.same_until(one, 200)
    assert not one.same_until(replace(one, noise=0.1), 0)


@pytest.mark.parametrize("name", RECIPES)
def test_foreign_weights_are_refused(tmp_path: Path, name: str) -> None:
    from safetensors.torch import save_file

    save_file({"layer": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="give a file of this network"):
        zoo.load(name, weights=tmp_path / "other.safetensors")


def test_weights_of_bart_can_be_loaded_by_name(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    blocks = (rng.random(2), rng.random((3, 1, 5, 5, 1, 2)) * 1j, rng.random((3, 7, 2)))
    path = write_several_cfl(tmp_path / "varnet", *blocks).with_suffix(".cfl")
    network = zoo.load("mri-vn", weights=path)
    assert network.forward.data_shape == (15, 256, 256)
    assert network.model.data_weights.tolist() == pytest.approx(blocks[0].tolist())
    out = zoo.import_weights("mri-vn", path, tmp_path / "varnet.safetensors")
    again = zoo.load("mri-vn", weights=out).model
    assert all(
        torch.equal(a, b)
        for a, b in zip(again.parameters(), network.model.parameters(), strict=True)
    )
