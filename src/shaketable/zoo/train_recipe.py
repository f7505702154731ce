"""Training a network of the zoo, given its recipe alone."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from shaketable.zoo.registry import entry_of
from shaketable.zoo.training.events import OnEvent, TrainingResult
from shaketable.zoo.training.recipe import TrainingRecipe
from shaketable.zoo.training.run import run_training


def train(
    recipe: TrainingRecipe,
    images: Tensor,
    out: Path,
    *,
    held_out: Tensor | None = None,
    device: str = "cpu",
    on_event: OnEvent | None = None,
) -> TrainingResult:
    """Train the network of a recipe, or go on with the training that ``out`` holds.

    Every sample is drawn from the seed and the number of its step alone, so a run that was killed
    and resumed has the same weights as one that was not (same machine, same number of threads).

    Parameters
    ----------
    recipe
        What to train.
    images
        ``(N, H, W)`` training images as ``training_images`` of the network's entry reads them:
        ``2 size`` pixels high and wide, for Ell 50 ``size``.
    out
        Folder for ``checkpoint.pt`` and ``weights.safetensors``; made if it does not exist.
    held_out
        ``(M, size, size)`` images, real or complex, to measure the averaged weights on.
    device
        ``"cpu"``, ``"cuda"`` or another torch device.
    on_event
        Is told what happens.

    Returns
    -------
    TrainingResult

    Raises
    ------
    InputError
        If the recipe is that of no network of the zoo, or the images have another shape than it
        needs.
    RunError
        If ``out`` holds the training of another recipe or other images.
    KeyboardInterrupt
        After Ctrl-C, when the checkpoint of the last whole step has been written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from shaketable.zoo import DeepMRIRecipe
    >>> recipe = DeepMRIRecipe(
    ...     size=16, n_center=2, n_cascades=1, n_convolutions=2, n_features=2,
    ...     n_steps=3, n_warmup_steps=1, n_decay_steps=1, strip_width=8,
    ... )
    >>> with TemporaryDirectory() as folder:
    ...     result = train(recipe, torch.rand(2, 32, 32), Path(folder))
    >>> [row[0] for row in result.curve]
    [3]
    """
    learner = entry_of(recipe).begin(recipe, images, torch.device(device))
    return run_training(recipe, learner, images, out, held_out=held_out, on_event=on_event)
