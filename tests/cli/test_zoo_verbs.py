from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shaketable import zoo
from shaketable.cli import main
from shaketable.cli.zoo_verbs import _recipe
from shaketable.errors import InputError
from shaketable.zoo import DeepMRIRecipe
from tests.helpers.small_plan import phantoms

DEEP_MRI = zoo.find_entry("deep-mri")
SMALL = DeepMRIRecipe(
    size=32, strip_width=32, n_center=4, n_cascades=1, n_convolutions=2, n_features=4,
    n_steps=4, n_warmup_steps=1, n_decay_steps=1, checkpoint_every=2, quality_every=2,
    precision="float32",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "images.npy", phantoms(3, 64))
    return tmp_path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train a network that takes seconds."""
    monkeypatch.setattr("shaketable.cli.zoo_verbs._recipe", lambda entry, steps, seed: SMALL)
    held_out = torch.from_numpy(phantoms(1, 32))
    monkeypatch.setattr("shaketable.cli.zoo_verbs._held_out", lambda entry, recipe: held_out)


TRAIN = ("zoo", "train", "deep-mri", "--out", "trained", "--images", "images.npy")


@pytest.mark.usefixtures("small")
def test_training_tells_its_progress_and_writes_weights(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(TRAIN) == 0
    printed = capsys.readouterr().out
    assert "on 3 images for 4 steps" in printed
    assert "[2/4] checkpoint" in printed
    assert "dB on held-out images" in printed
    assert (folder / "trained" / "weights.safetensors").is_file()


@pytest.mark.usefixtures("small")
def test_interrupted_training_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train = zoo.train

    def interrupted(*args: Any, on_event: Any, **rest: Any) -> Any:
        def stop(event: Any) -> None:
            on_event(event)
            if event.kind == "checkpoint":
                raise KeyboardInterrupt

        return train(*args, on_event=stop, **rest)

    monkeypatch.setattr(zoo, "train", interrupted)
    assert main(TRAIN) == 130
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "kept in 'trained'; the same command goes on" in captured.err

    monkeypatch.setattr(zoo, "train", train)
    assert main(TRAIN) == 0
    assert "[2/4] started" in capsys.readouterr().out


def test_fewer_steps_shorten_the_ends_of_the_schedule() -> None:
    assert _recipe(DEEP_MRI, None, 3) == DeepMRIRecipe(seed=3)
    full = DeepMRIRecipe()
    half = _recipe(DEEP_MRI, full.n_steps // 2, 0)
    assert half.n_steps == full.n_steps // 2
    assert half.n_decay_steps == full.n_decay_steps // 2
    for steps in (1, 2, 7, 100):
        assert _recipe(DEEP_MRI, steps, 0).n_steps == steps
    with pytest.raises(InputError, match="at least one step, got 0"):
        _recipe(DEEP_MRI, 0, 0)


def test_a_device_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TRAIN, "--device", "abacus"]) == 2
    assert "called cpu, cuda, cuda:0 or mps, got 'abacus'" in capsys.readouterr().err
    assert not (folder / "trained").exists()


def test_list_names_every_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "list"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in zoo.names())


def test_import_tries_the_network_and_writes_safetensors(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = zoo.load("deep-mri").model
    torch.save(network.state_dict(), folder / "theirs.pt")
    assert main(["zoo", "import", "deep-mri", "theirs.pt", "--out", "ours.safetensors"]) == 0
    assert " dB on " in capsys.readouterr().out
    written = zoo.load("deep-mri", weights=folder / "ours.safetensors").model.state_dict()
    assert all(torch.equal(written[name], value) for name, value in network.state_dict().items())
    assert main(["zoo", "import", "deep-mri", "theirs.pt", "--out", "ours.safetensors"]) == 2
    assert "which exists" in capsys.readouterr().err
