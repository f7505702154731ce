"""The recipe of AUTOMAP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.errors import InputError
from shaketable.zoo.training.recipe import TrainingRecipe


@dataclass(frozen=True, kw_only=True)
class AUTOMAPRecipe(TrainingRecipe):
    """How AUTOMAP is trained.

    Adam minimises ``mean_b ‖f(y_b) - x_b‖₂ / ‖x_b‖₂`` on real images in [0, 1]. White noise is added
    to the samples, and what the first layer sees is multiplied with random numbers near 1, as in
    the publication. The network begins as the best linear estimate of the image from its samples
    (ridge regression on ``n_linear`` drawn images, cut to ``n_hidden`` directions), which a dense
    layer of random numbers would take very long to find. Then the convolutions learn to correct that
    estimate, at a third of the time of a whole step; with ``n_joint_steps`` all layers learn in the
    end. By default they do not: with as few images as the shipped weights were trained on it lowered
    the quality on others.

    Parameters
    ----------
    size
        Height and width of the images. The published network has 128, which takes 3.6 GB.
    rate
        Share of the points of :func:`shaketable.maps.sampling.poisson_disc`; 9855 of 16384 in the
        publication.
    n_hidden, n_features
        Of :class:`shaketable.zoo.automap.network.AUTOMAP`; 25000 and 64 in the publication.
    n_joint_steps
        The last steps, in which the dense layers learn too; at most ``n_decay_steps``. In the
        publication all steps are such.
    n_linear
        Images that the network's beginning is estimated from.
    noise
        Standard deviation of the complex noise added to the samples, in units of the image's peak.
    factor_range
        Largest deviation from 1 of the random factors; 0.01 in the publication. On images that are
        known to half a percent, as here, that much hides what is to be learnt.
    dense_factor
        Share of the learning rate that the dense layers learn with: Adam moves every weight by about
        the same, and theirs are the smaller the wider they are.
    """

    size: int = 48
    rate: float = 0.6
    n_hidden: int = 1900
    n_features: int = 64
    n_joint_steps: int = 0
    n_linear: int = 40000
    n_steps: int = 5000
    n_warmup_steps: int = 100
    n_decay_steps: int = 3000
    batch_size: int = 8
    learning_rate: float = 5e-4
    average_decay: float = 0.995
    noise: float = 0.0005
    factor_range: float = 0.0001
    dense_factor: float = 0.001

    _ends: ClassVar[tuple[str, ...]] = ("n_steps", "n_decay_steps", "n_joint_steps")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.rate <= 1 or self.n_linear < 1:
            raise InputError(
                f"Expected a rate in (0, 1] and at least one image to begin from, got {self.rate} "
                f"and {self.n_linear}; the publication has 0.6."
            )
        if not 0 <= self.n_joint_steps <= self.n_decay_steps:
            raise InputError(
                f"Expected the joint steps within the {self.n_decay_steps} of the decay, got "
                f"{self.n_joint_steps}; a run could not be made shorter or longer otherwise."
            )

    def all_learn_at(self, step: int) -> bool:
        """Whether the dense layers learn in a step counted from 0."""
        return step >= self.n_steps - self.n_joint_steps
