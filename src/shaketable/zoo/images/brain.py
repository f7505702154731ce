"""What the networks of magnetic resonance are trained and tested on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from shaketable.zoo.images.bundled import bundled_images, template_training_images
from shaketable.zoo.images.training import read_training_images
from shaketable.zoo.training.recipe import TrainingRecipe


def bundled_magnitudes(shape: tuple[int, int]) -> Tensor:
    """``(8, H, W)`` float32 in [0, 1]: the slices of :func:`shaketable.zoo.bundled_images`.

    For networks that make real images.

    Raises
    ------
    MissingDependencyError
        If nilearn is not installed.
    """
    return bundled_images(shape).abs()


def brain_training_images(paths: Sequence[Path], recipe: TrainingRecipe) -> Tensor:
    """``(N, 2 size, 2 size)`` magnitudes with peak 1, from files or, without any, from the template.

    Twice the size of the training images, so that turning and bending them costs no sharpness.

    Raises
    ------
    InputError
        If a file cannot be read or nothing in the files shows an object.
    MissingDependencyError
        If a library for the files or for the template is not installed.
    """
    size = 2 * recipe.size
    return read_training_images(paths, size) if paths else template_training_images(size)
