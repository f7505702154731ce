"""Checkpoints that survive being killed at any moment."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from shaketable.errors import RunError
from shaketable.files import whole_file
from shaketable.zoo.training.recipe import TrainingRecipe

CHECKPOINT_NAME = "checkpoint.pt"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The state of a training run after ``step`` steps.

    Parameters
    ----------
    recipe
        What is being trained.
    step
        Gradient steps done.
    learner
        See :meth:`shaketable.zoo.training.learner.Learner.state`.
    weights
        State of the network that is handed out.
    loss
        Running mean of the loss.
    curve
        Rows (step, loss, held-out PSNR in dB or None) so far.
    images_hash
        SHA-256 of the training images.
    seconds
        Time spent so far, over all interruptions.
    """

    recipe: TrainingRecipe
    step: int
    learner: dict[str, Any]
    weights: dict[str, Tensor]
    loss: float
    curve: list[tuple[int, float, float | None]]
    images_hash: str
    seconds: float


def write_checkpoint(checkpoint: Checkpoint, folder: Path) -> Path:
    """Write ``checkpoint.pt`` into a folder, whole or not at all."""
    contents = {
        "recipe": asdict(checkpoint.recipe),
        "step": checkpoint.step,
        "learner": checkpoint.learner,
        "weights": checkpoint.weights,
        "loss": checkpoint.loss,
        "curve": checkpoint.curve,
        "images_hash": checkpoint.images_hash,
        "seconds": checkpoint.seconds,
    }
    path = folder / CHECKPOINT_NAME
    with whole_file(path) as temporary:
        torch.save(contents, temporary)
    return path


def read_checkpoint(folder: Path, kind: type[TrainingRecipe]) -> Checkpoint | None:
    """Read ``checkpoint.pt`` of a kind of recipe from a folder; None where there is none.

    Raises
    ------
    RunError
        If the file is no checkpoint of this package, or that of another network.
    """
    path = folder / CHECKPOINT_NAME
    if not path.exists():
        return None
    try:
        contents = torch.load(path, map_location="cpu", weights_only=True)
        recipe = kind(**contents.pop("recipe"))
        return Checkpoint(recipe=recipe, **contents)
    except Exception as error:
        raise RunError(
            f"Expected a training checkpoint in {path}, got a file that cannot be read as one of "
            f"a {kind.__name__}; move it away to start the training anew."
        ) from error
