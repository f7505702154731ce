"""Training the networks of computed tomography: recipes, samples, images, and what comes out."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from shaketable import zoo
from shaketable.errors import InputError, MissingDependencyError, RunError
from shaketable.maps import filtered_back_projection
from shaketable.zoo import Ell50Recipe, Med50Recipe, TrainingEvent, train
from shaketable.zoo.fbp_conv_net.training import (
    back_projections,
    draw_samples,
    drawn_attenuation,
    ell_50_learner,
    med_50_learner,
    new_network,
    trained_map,
)
from shaketable.zoo.images.augmentation import augment_attenuation
from shaketable.zoo.images.ct import (
    ellipse_test_images,
    medical_test_images,
    read_attenuation_images,
)
from shaketable.zoo.training.learner import image_psnr
from tests.helpers.data import shared_data
from tests.helpers.oracles import relative_difference

TINY = Ell50Recipe(
    size=64, width=2, n_views=8, crop=32, n_images=6, n_steps=12, n_warmup_steps=2,
    n_decay_steps=4, batch_size=2, checkpoint_every=3, quality_every=4,
)  # fmt: skip
TINY_MEDICAL = Med50Recipe(
    size=32, width=2, n_views=8, crop=32, n_drawn=5, n_steps=2, n_warmup_steps=0, n_decay_steps=0
)


def phantoms(recipe: Ell50Recipe = TINY) -> torch.Tensor:
    return zoo.find_entry("ell-50").training_images((), recipe)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished training of TINY."""
    folder = tmp_path_factory.mktemp("trained")
    train(TINY, phantoms(), folder)
    return folder


def test_training_beats_back_projection(tmp_path: Path) -> None:
    recipe = replace(
        TINY, n_images=20, n_steps=80, n_decay_steps=40, learning_rate=3e-3, average_decay=0.9,
        quality_every=200, checkpoint_every=200, width=4,
    )  # fmt: skip
    held_out = ellipse_test_images((64, 64))[:4]
    result = train(recipe, phantoms(recipe), tmp_path, held_out=held_out)
    untrained = float(image_psnr(new_network(recipe), trained_map(recipe), held_out).mean())
    final = result.curve[-1][2]
    assert final is not None
    assert final > untrained + 1.0


def test_same_weights_after_an_interruption(tmp_path: Path, trained: Path) -> None:

    def interrupt(event: TrainingEvent) -> None:
        if event.kind == "step" and event.step == 5:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(TINY, phantoms(), tmp_path / "cut", on_event=interrupt)
    train(TINY, phantoms(), tmp_path / "cut")
    whole, cut = (
        (folder / "weights.safetensors").read_bytes() for folder in (trained, tmp_path / "cut")
    )
    assert whole == cut


def test_what_was_trained_can_be_loaded(trained: Path) -> None:
    loaded = zoo.load("ell-50", weights=trained / "weights.safetensors")
    assert isinstance(loaded.model, zoo.FBPConvNet)
    assert (loaded.model.width, loaded.model.equivariant) == (2, True)
    assert loaded.forward.image_shape == (256, 256)
    by_checkpoint = zoo.load("ell-50", weights=trained / "checkpoint.pt").model.state_dict()
    state = loaded.model.state_dict()
    assert all(torch.equal(by_checkpoint[name], value) for name, value in state.items())


def test_another_network_is_not_continued(trained: Path) -> None:
    with pytest.raises(RunError, match="move it away"):
        train(TINY_MEDICAL, torch.ones(2, 64, 64), trained)


def test_symmetries_of_the_views_are_exact() -> None:
    """Turned by a quarter or mirrored, an image and its back-projection are still a pair."""
    image = phantoms()[:1].double()
    forward = trained_map(TINY)
    projection = filtered_back_projection(forward(image), forward)
    for turns in range(4):
        for mirrored in (False, True):
            moved, expected = (x.rot90(turns, (1, 2)) for x in (image, projection))
            if mirrored:
                moved, expected = moved.flip(2), expected.flip(2)
            got = filtered_back_projection(forward(moved), forward)
            assert relative_difference(got, expected) < 1e-12


def test_samples_are_parts_of_pairs() -> None:
    images = phantoms()
    projections = back_projections(images, trained_map(TINY))
    truth, projection, scale = draw_samples(TINY, images, projections, step=0)
    assert truth.shape == projection.shape == (2, 32, 32)
    assert scale.shape == (2, 1, 1)
    whole, projected, scale = draw_samples(TINY, images, projections, step=11)
    assert whole.shape == (2, 64, 64)
    forward = trained_map(TINY)
    assert relative_difference(filtered_back_projection(forward(whole), forward), projected) < 1e-5
    expected = projected.square().mean(dim=(1, 2)).sqrt()
    assert relative_difference(scale[:, 0, 0], expected) < 1e-6
    again = draw_samples(TINY, images, projections, step=11)[0]
    assert torch.equal(again, whole)
    other = draw_samples(replace(TINY, seed=1), images, projections, step=11)[0]
    assert not torch.equal(other, whole)


def test_medical_images_are_drawn_once_from_the_seed() -> None:
    sources = torch.rand(3, 64, 64)
    drawn = drawn_attenuation(TINY_MEDICAL, sources)
    assert drawn.shape == (5, 32, 32)
    assert torch.equal(drawn, drawn_attenuation(TINY_MEDICAL, sources))
    assert not torch.equal(drawn, drawn_attenuation(replace(TINY_MEDICAL, seed=1), sources))
    assert float(drawn.min()) >= 0


def test_augmentation_keeps_the_scale_of_attenuation() -> None:
    """A large disc of water stays water in its middle, whatever is drawn."""
    axis = torch.linspace(-1, 1, 64)
    disc = torch.sigmoid(40 * (0.64 - axis[:, None] ** 2 - axis**2))
    for seed in range(8):
        drawn = augment_attenuation(disc, torch.Generator().manual_seed(seed))
        assert torch.allclose(drawn[14:18, 14:18], torch.ones(4, 4), atol=0.02)
        assert float(drawn[:2, :2].max()) < 0.02


def test_wrong_settings_are_named() -> None:
    with pytest.raises(InputError, match=r"shape \(N, 64, 64\), got \(2, 16, 16\)"):
        ell_50_learner(TINY, torch.ones(2, 16, 16), torch.device("cpu"))
    with pytest.raises(InputError, match=r"shape \(N, 64, 64\), got \(2, 32, 32\)"):
        med_50_learner(TINY_MEDICAL, torch.ones(2, 32, 32), torch.device("cpu"))
    with pytest.raises(InputError, match="crop from 32 to 64"):
        replace(TINY, crop=16)
    with pytest.raises(InputError, match="at least 32"):
        replace(TINY, size=16, crop=16)
    with pytest.raises(InputError, match="even number of views, got 7"):
        replace(TINY, n_views=7)


def test_scans_count_equally_and_units_are_told_apart(tmp_path: Path) -> None:
    tissue = np.full((3, 20, 20), 50.0)
    tissue[:, :4] = -1024.0
    np.save(tmp_path / "a.npy", tissue)
    bright = np.tile(np.linspace(0, 700, 20), (30, 20, 1))
    bright[0] = 0
    np.save(tmp_path / "b.npy", bright)
    images = read_attenuation_images([tmp_path], 20)
    assert images.shape == (48, 20, 20)
    assert torch.allclose(images[:24, 10, 10], torch.tensor(1.05))
    assert float(images[:24].min()) == 0
    assert torch.allclose(images[24:].amax(dim=(1, 2)), torch.tensor(1.0), atol=0.06)
    np.save(tmp_path / "c.npy", np.eye(30))
    with pytest.raises(InputError, match="show an object"):
        read_attenuation_images([tmp_path / "c.npy"], 20)


def test_images_that_exist_everywhere() -> None:
    ellipses, medical = ellipse_test_images((64, 64)), medical_test_images((64, 64))
    assert ellipses.shape == (20, 64, 64)
    assert medical.shape == (9, 64, 64)
    for name, images in (("ell-50", ellipses), ("med-50", medical)):
        assert images.dtype == torch.float32
        assert float(images.min()) >= 0
        assert 1.0 < float(images.max()) < 3.0
        entry = zoo.find_entry(name)
        ids = entry.image_ids()
        assert len(set(ids)) == len(ids) == len(images)
        assert entry.real
    # Tested phantoms are not among those of the recipe.
    trained = zoo.find_entry("ell-50").training_images((), replace(TINY, n_images=25))
    assert not any(torch.equal(a, b) for a in ellipses for b in trained)


def test_says_how_to_get_pydicom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydicom.data", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'shaketable\[demo\]'"):
        medical_test_images((32, 32))


@pytest.mark.data
def test_reads_real_scans() -> None:
    images = read_attenuation_images([shared_data("ct/thorax")], 64)
    assert images.shape == (24, 64, 64)
    # Air, and soft tissue within a tenth of water.
    assert float(images[0, 0, 0]) == 0
    assert float(images[0].median()) < 1.3
    assert bool(((images[0] > 0.9) & (images[0] < 1.1)).float().mean() > 0.15)
