"""The recipe of DAGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.errors import InputError
from shaketable.zoo.training.recipe import TrainingRecipe


@dataclass(frozen=True, kw_only=True)
class DAGANRecipe(TrainingRecipe):
    """How DAGAN is trained: generator and discriminator in turn, each with Adam (``β₁ = 0.5``).

    The losses are those of :mod:`shaketable.zoo.dagan.losses` with the published weights, but for
    the adversarial one: with the published weight 1 a network as narrow as this one ends about half
    a dB below what it reaches without a discriminator, and below the reference methods. The
    discriminator joins where the learning rate begins to fall: until then there is nothing in the
    images that only a discriminator sees, and a step without it takes half the time. After the decay
    it has left: in the last ``n_polish_steps`` the learning rate falls once more, from a half of its
    value, and the other losses win back some of what the adversarial one had paid for. The published
    configuration is ``size=256, width=64, n_levels=8, discriminator_width=64,
    adversarial_weight=1``, of 98 million weights; this one has a quarter of the generator's channels
    and an eighth of the discriminator's.

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
    adversarial_weight
        Of the adversarial loss; published: 1.
    n_polish_steps
        Last steps, without the discriminator; part of ``n_steps``, and published: none.
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
    adversarial_weight: float = 0.1
    n_polish_steps: int = 2000
    perceptual: bool = True
    n_steps: int = 20000
    n_warmup_steps: int = 0
    n_decay_steps: int = 5000
    batch_size: int = 8
    learning_rate: float = 1e-3
    average_decay: float = 0.998

    _ends: ClassVar[tuple[str, ...]] = ("n_steps", "n_decay_steps", "n_polish_steps")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_polish_steps < 0 or self._decay_start < self.n_warmup_steps:
            raise InputError(
                f"Expected warm-up, decay and polish to fit into {self.n_steps} steps, got "
                f"{self.n_warmup_steps}, {self.n_decay_steps} and {self.n_polish_steps}; give more "
                "steps or shorter ends."
            )
        multiple = max(64, 2**self.n_levels)
        if self.size % multiple or not 0 < self.rate <= 1:
            raise InputError(
                f"Expected a size that is a multiple of {multiple} and a rate in (0, 1], got "
                f"{self.size} and {self.rate}; the publication has 256 and 56/256."
            )

    @property
    def _decay_end(self) -> int:
        return self.n_steps - self.n_polish_steps

    def judged_at(self, step: int) -> bool:
        """Whether the discriminator takes part in a step counted from 0."""
        return self._decay_start <= step < self._decay_end

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of a step counted from 0; it falls twice.

        Examples
        --------
        >>> recipe = DAGANRecipe(n_steps=8, n_decay_steps=2, n_polish_steps=4, learning_rate=1.0)
        >>> [recipe.learning_rate_at(step) for step in range(8)]
        [1.0, 1.0, 1.0, 0.5, 0.5, 0.375, 0.25, 0.125]
        """
        if step < self._decay_end:
            return super().learning_rate_at(step)
        return self.learning_rate / 2 * (self.n_steps - step) / self.n_polish_steps
