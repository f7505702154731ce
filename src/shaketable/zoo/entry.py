"""What the zoo has to know of a network, and what it hands out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from shaketable.errors import InputError
from shaketable.io import Provenance
from shaketable.maps.fourier import FourierMap
from shaketable.maps.multi_coil import MultiCoilFourierMap
from shaketable.maps.radon import RadonMap
from shaketable.maps.sampling import SamplingSequence, ViewSequence
from shaketable.protocols import ForwardMap
from shaketable.zoo.images.provenance import held_out_provenance
from shaketable.zoo.training.learner import Learner
from shaketable.zoo.training.recipe import TrainingRecipe
from shaketable.zoo.weights import PublishedFile

SPLITS = ("test",)
Recipe = TypeVar("Recipe", bound=TrainingRecipe)
ZooMap = FourierMap | MultiCoilFourierMap | RadonMap


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """The sampling that a network was trained for.

    Parameters
    ----------
    forward
        The forward map.
    sampling
        The nested pattern that ``forward`` is one rate of.
    trained_rate
        That rate.
    """

    forward: ZooMap
    sampling: SamplingSequence | ViewSequence
    trained_rate: float


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkEntry(Generic[Recipe]):
    """One network of the zoo.

    Parameters
    ----------
    name
        What :func:`shaketable.zoo.load` calls it.
    title
        What people call it.
    recipe
        How it is trained.
    begin
        ``begin(recipe, images, device)``: the network at step 0 with its losses and optimisers, for
        ``(N, H, W)`` images as ``training_images`` reads them; raises `InputError` if they have
        another shape than the recipe needs.
    build
        The untrained network that a state dictionary fits into; without one (None) that of the
        recipe.
    setting
        ``setting(model, published)``: the sampling of a network, of the authors' one if
        ``published``.
    images
        ``images(shape)``: the held-out images ``(M, H, W)`` that exist on every machine.
    image_ids
        One name for each of them.
    training_images
        ``training_images(paths, recipe)``: what the recipe trains on, from files and folders, or
        without any from what exists on every machine.
    real
        Images are real-valued.
    units
        Unit of the image values; empty when arbitrary.
    standard_plan
        Which plan of the package ``shaketable zoo test`` runs.
    published
        The authors' file of weights; None where there is none that can be read.
    """

    name: str
    title: str
    recipe: Recipe
    begin: Callable[[Recipe, Tensor, torch.device], Learner]
    build: Callable[[Mapping[str, Tensor] | None], nn.Module]
    setting: Callable[[nn.Module, bool], Setting]
    images: Callable[[tuple[int, int]], Tensor]
    image_ids: Callable[[], tuple[str, ...]]
    training_images: Callable[[Sequence[Path], Recipe], Tensor]
    real: bool = False
    units: str = ""
    standard_plan: str = "standard"
    published: PublishedFile | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class ZooNetwork:
    """A trained network with all that a test of it needs.

    Parameters
    ----------
    name
        As in :func:`shaketable.zoo.names`.
    model
        The network in evaluation mode, its parameters without gradients.
    forward
        The forward map it was trained for.
    sampling
        The nested sampling pattern that ``forward`` is one rate of.
    trained_rate
        Share of Fourier space or of full sampling that was sampled in training.
    card
        The model card: data, recipe, measured quality, intended use, limits.
    entry
        What the zoo knows of the network.
    """

    name: str
    model: nn.Module
    forward: ZooMap
    sampling: SamplingSequence | ViewSequence
    trained_rate: float
    card: Mapping[str, Any]
    entry: NetworkEntry[Any]

    @property
    def real(self) -> bool:
        """Whether images are real-valued, as ``Problem(real=...)`` wants to know."""
        return self.entry.real

    @property
    def units(self) -> str:
        """Unit of the image values; empty when arbitrary."""
        return self.entry.units

    def reconstruct(self, data: Tensor, forward: ForwardMap) -> Tensor:
        """``(B, *data_shape)`` data -> ``(B, H, W)`` images; differentiable in the data."""
        image: Tensor = self.model(data, forward)
        return image

    def images(self, split: str = "test") -> Tensor:
        """``(B, H, W)`` images that the network was not trained on, complex64 or float32.

        Raises
        ------
        InputError
            If the split does not exist.
        MissingDependencyError
            If the library that bundles them is not installed.
        """
        _check_split(split)
        return self.entry.images(self.forward.image_shape)

    def image_ids(self, split: str = "test") -> tuple[str, ...]:
        """One name per image of :meth:`images`.

        Raises
        ------
        InputError
            If the split does not exist.
        """
        _check_split(split)
        return self.entry.image_ids()

    def image_provenance(self, split: str = "test") -> tuple[Provenance, ...]:
        """File, slice and subject of each image of :meth:`images`, as far as they are known.

        Raises
        ------
        InputError
            If the split does not exist.
        """
        return tuple(held_out_provenance(image_id) for image_id in self.image_ids(split))


def _check_split(split: str) -> None:
    if split not in SPLITS:
        raise InputError(
            f"Expected a split among {', '.join(SPLITS)}, got '{split}'; "
            "training images are not part of the package."
        )
