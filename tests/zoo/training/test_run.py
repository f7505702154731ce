"""Training: the recipe, the samples, and what is left after an interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from shaketable.errors import InputError, RunError
from shaketable.zoo import DeepMRIRecipe, TrainingEvent, read_training_images, train
from shaketable.zoo.deep_mri.training import draw_samples, new_network, quality
from shaketable.zoo.images.augmentation import augment
from shaketable.zoo.training.checkpoint import read_checkpoint
from shaketable.zoo.weights import save_weights

TINY = DeepMRIRecipe(
    size=16, n_center=2, n_cascades=2, n_convolutions=2, n_features=4, n_steps=12,
    n_warmup_steps=2, n_decay_steps=4, batch_size=2, strip_width=8, checkpoint_every=3,
    quality_every=4,
)  # fmt: skip


def blobs(n_images: int = 4, size: int = 32) -> torch.Tensor:
    """Smooth positive images, peak 1."""
    axis = torch.linspace(-1, 1, size)
    centres = torch.linspace(-0.4, 0.4, n_images)
    images = [torch.exp(-8 * ((axis[:, None] - c) ** 2 + (axis - c / 2) ** 2)) for c in centres]
    return torch.stack([image / image.max() for image in images])


def weights(folder: Path) -> bytes:
    return (folder / "weights.safetensors").read_bytes()


def test_training_lowers_the_error(tmp_path: Path) -> None:
    recipe = replace(
        TINY, n_steps=80, n_decay_steps=40, learning_rate=5e-3, precision="float32", noise=0.0,
        average_decay=0.9,
    )  # fmt: skip
    held_out = torch.nn.functional.avg_pool2d(blobs(), 2)
    result = train(recipe, blobs(), tmp_path, held_out=held_out)
    untrained = float(quality(new_network(recipe), held_out, recipe).mean())
    final = result.curve[-1][2]
    assert final is not None
    assert final > untrained + 1.0
    assert result.weights == tmp_path / "weights.safetensors"


def test_events_tell_the_course(tmp_path: Path) -> None:
    events: list[TrainingEvent] = []
    train(TINY, blobs(), tmp_path, held_out=blobs(1, 16), on_event=events.append)
    kinds = [event.kind for event in events]
    assert kinds[0] == "started"
    assert kinds[-1] == "finished"
    assert kinds.count("step") == 12
    assert kinds.count("checkpoint") == 4
    assert kinds.count("quality") == 3
    assert events[-1].seconds_left == 0
    assert events[-1].quality is not None


def test_same_weights_after_an_interruption(tmp_path: Path) -> None:
    whole = train(TINY, blobs(), tmp_path / "whole")

    def interrupt(event: TrainingEvent) -> None:
        if event.kind == "step" and event.step == 5:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(TINY, blobs(), tmp_path / "cut", on_event=interrupt)
    checkpoint = read_checkpoint(tmp_path / "cut", DeepMRIRecipe)
    assert checkpoint is not None
    assert checkpoint.step == 5
    resumed = train(TINY, blobs(), tmp_path / "cut")
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")
    assert resumed.curve == whole.curve
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


PROGRAM = """
import sys, time
from dataclasses import replace
from pathlib import Path
import torch
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[2])
from test_run import TINY, blobs
from shaketable.zoo import train

def slow(event):
    print(event.step, flush=True)
    time.sleep(0.03)

train(TINY, blobs(), Path(sys.argv[1]), on_event=slow)
"""


def test_same_weights_after_being_killed(tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    path = os.pathsep.join([here, str(Path(here).parent), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, "-c", PROGRAM, str(tmp_path / "killed"), here]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 7:
                process.kill()
                break
    assert not (tmp_path / "killed" / "weights.safetensors").exists()
    assert read_checkpoint(tmp_path / "killed", DeepMRIRecipe) is not None
    for folder in ("killed", "whole"):
        train(TINY, blobs(), tmp_path / folder)
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")


def test_a_run_can_be_made_longer_before_it_decays(tmp_path: Path) -> None:
    train(replace(TINY, n_steps=20), blobs(), tmp_path / "long")

    def stop(event: TrainingEvent) -> None:
        if event.kind == "step" and event.step == 6:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(TINY, blobs(), tmp_path / "grown", on_event=stop)
    train(replace(TINY, n_steps=20), blobs(), tmp_path / "grown")
    assert weights(tmp_path / "grown") == weights(tmp_path / "long")


@pytest.mark.parametrize(
    ("change", "images"),
    [
        (lambda recipe: replace(recipe, seed=1), blobs),
        (lambda recipe: replace(recipe, n_steps=20), blobs),
        (lambda recipe: recipe, lambda: blobs() ** 2),
    ],
)
def test_another_training_is_not_continued(
    tmp_path: Path,
    change: Callable[[DeepMRIRecipe], DeepMRIRecipe],
    images: Callable[[], torch.Tensor],
) -> None:
    train(TINY, blobs(), tmp_path)
    with pytest.raises(RunError, match="choose an empty folder"):
        train(change(TINY), images(), tmp_path)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"nothing")
    with pytest.raises(RunError, match=r"checkpoint\.pt"):
        train(TINY, blobs(), tmp_path)


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"shape \(N, 32, 32\), got \(4, 16, 16\)"):
        train(TINY, blobs(size=16), tmp_path)
    with pytest.raises(InputError, match="warm-up and decay"):
        replace(TINY, n_steps=3)
    with pytest.raises(InputError, match="strip width from 1 to 16"):
        replace(TINY, strip_width=17)


def test_a_checkpoint_can_be_loaded_as_weights(tmp_path: Path) -> None:
    from shaketable import zoo

    recipe = replace(
        TINY, n_cascades=5, n_convolutions=5, n_features=64, n_steps=1, n_warmup_steps=0,
        n_decay_steps=0,
    )  # fmt: skip
    train(recipe, blobs(), tmp_path)
    by_checkpoint = zoo.load("deep-mri", weights=tmp_path / "checkpoint.pt").model.state_dict()
    by_weights = zoo.load("deep-mri", weights=tmp_path / "weights.safetensors").model.state_dict()
    assert all(torch.equal(by_checkpoint[name], by_weights[name]) for name in by_weights)


def test_samples_are_measured_images() -> None:
    truth, data, masks = draw_samples(replace(TINY, noise=0.0), blobs(), step=0)
    assert truth.shape == data.shape == masks.shape == (2, 16, 8)
    expected = torch.fft.fft2(truth, norm="ortho") * masks
    assert torch.equal(data, expected)
    # Whole rows, round(16 / 3) of them, and both samples with their own.
    assert torch.equal(masks.all(dim=2), masks.any(dim=2))
    assert masks[:, :, 0].sum(dim=1).tolist() == [5, 5]
    assert draw_samples(TINY, blobs(), step=11)[0].shape == (2, 16, 16)


def test_samples_depend_on_the_step_alone() -> None:
    first, again = (draw_samples(TINY, blobs(), step=3) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], draw_samples(TINY, blobs(), step=4)[0])


def test_augmentation_keeps_the_range() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.stack([augment(blobs(1)[0], 16, generator) for _ in range(60)])
    assert images.dtype == torch.complex64
    assert torch.isfinite(torch.view_as_real(images)).all()
    peaks = images.abs().amax(dim=(1, 2))
    assert torch.allclose(peaks, torch.ones(60), atol=1e-5)
    complex_valued = (images.imag.abs().amax(dim=(1, 2)) > 1e-3).double().mean()
    assert 0.3 < float(complex_valued) < 0.7


def test_reads_images_of_several_kinds(tmp_path: Path) -> None:
    import nibabel

    volume = np.zeros((20, 24, 3), dtype=np.float32)
    volume[4:16, 5:20, 1:] = np.arange(12.0)[:, None, None] + 1
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / "volume.nii.gz")
    (tmp_path / "more").mkdir()
    np.savez(tmp_path / "more" / "stack.npz", images=np.asarray(blobs(2)))
    images = read_training_images([tmp_path], 16)
    # Two slices of the volume show something, one is black; two images in the archive.
    assert images.shape == (4, 16, 16)
    assert images.dtype == torch.float32
    assert torch.allclose(images.amax(dim=(1, 2)), torch.ones(4))


def test_almost_black_images_are_refused(tmp_path: Path) -> None:
    black = np.zeros((16, 16), dtype=np.float32)
    black[0, 0] = 1
    np.save(tmp_path / "dot.npy", black)
    with pytest.raises(InputError, match="almost black"):
        read_training_images([tmp_path], 16)


def test_weights_are_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.safetensors"
    save_weights(new_network(TINY), target)
    before = target.read_bytes()

    def fail(descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save_weights(new_network(replace(TINY, seed=1)), target)
    assert target.read_bytes() == before
