"""The recipe of DAGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shaketable.errors import InputError
from shaketable.zoo.training.recipe import TrainingRecipe

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from shaketable.zoo.training.learner import Learner


@dataclass(frozen=True, kw_only=True)
class DAGANRecipe(TrainingRecipe):
    """How DAGAN is trained: generator and discriminator in turn, each with Adam (``β₁ = 0.5``).

    The losses are those of :mod:`shaketable.zoo.dagan.losses` with the published weights. The
    discriminator joins where the learning rate begins to fall: until then there is nothing in the
    images that only a discriminator sees, and a step without it takes half the time. The published
    configuration is ``size=256, width=64, n_levels=8, discriminator_width=64``, of 98
    million weights; this one has a quarter of the generator's channels and an eighth of the
    discriminator's.

    Parameters
    ----------
    size
        Height and width of the images, a multiple of 64 and of ``2^n_levels``.
    rate, n_center
        Share of the columns of :func:`shaketable.maps.sampling.gaussian_columns`, 56 of 256 in the
        publication, where it is called 20 %, and how many of them are the central ones. The pattern
        is the same in every sample.
    width, n_levels
        Of :class:`shaketable.zoo.dagan.network.DAGANGenerator`.
    discriminator_width
        Of :class:`shaketable.zoo.dagan.network.DAGANDiscriminator`.
    perceptual
        Use VGG16 of torchvision where it can be had, see
        :func:`shaketable.zoo.dagan.perceptual.vgg_features`.
    """

    size: int = 128
    rate: float = 56 / 256
    n_center: int = 4
    width: int = 16
    n_levels: int = 7
    discriminator_width: int = 8
    perceptual: bool = True
    n_steps: int = 18000
    n_warmup_steps: int = 0
    n_decay_steps: int = 5000
    batch_size: int = 8
    learning_rate: float = 1e-3
    average_decay: float = 0.998

    def __post_init__(self) -> None:
        super().__post_init__()
        multiple = max(64, 2**self.n_levels)
        if self.size % multiple or not 0 < self.rate <= 1:
            raise InputError(
                f"Expected a size that is a multiple of {multiple} and a rate in (0, 1], got "
                f"{self.size} and {self.rate}; the publication has 256 and 56/256."
            )

    def begin(self, images: Tensor, device: torch.device) -> Learner:
        """Both networks at step 0; images are ``(N, 2 size, 2 size)`` magnitudes with peak 1."""
        from shaketable.zoo.dagan.training import DAGANLearner

        return DAGANLearner(self, images, device)
