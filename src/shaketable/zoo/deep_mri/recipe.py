"""The recipe of Deep MRI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shaketable.errors import InputError
from shaketable.zoo.training.recipe import Precision, TrainingRecipe

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from shaketable.zoo.training.learner import Learner


@dataclass(frozen=True, kw_only=True)
class DeepMRIRecipe(TrainingRecipe):
    """How Deep MRI is trained.

    Adam minimises ``mean_b ‖f(y_b) - x_b‖₂ / ‖x_b‖₂``. Before the decay the network sees strips of
    ``strip_width`` columns: the sampled lines are whole rows, so a strip has the same aliasing as the
    image at a fraction of the time. During the decay it sees whole images.

    Parameters
    ----------
    acceleration, n_center
        Of :func:`shaketable.maps.sampling.cartesian_variable_density`; every sample has its own mask.
    n_cascades, n_convolutions, n_features
        Of :class:`shaketable.zoo.deep_mri.network.DeepMRI`.
    strip_width
        Columns of an image before the decay.
    noise
        Largest standard deviation of the complex noise added to the data of a quarter of samples,
        in units of the image's peak.
    """

    size: int = 128
    acceleration: float = 3.0
    n_center: int = 8
    n_cascades: int = 5
    n_convolutions: int = 5
    n_features: int = 64
    n_steps: int = 9500
    n_warmup_steps: int = 200
    n_decay_steps: int = 3000
    strip_width: int = 64
    noise: float = 0.005
    precision: Precision = "bfloat16"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.strip_width <= self.size:
            raise InputError(
                f"Expected a strip width from 1 to {self.size} columns, got {self.strip_width}; "
                "the image's own width switches strips off."
            )

    def width_at(self, step: int) -> int:
        """The number of columns that a step sees."""
        return self.size if self.decays_at(step) else self.strip_width

    def begin(self, images: Tensor, device: torch.device) -> Learner:
        """The network at step 0; images are ``(N, 2 size, 2 size)`` magnitudes with peak 1."""
        from shaketable.zoo.deep_mri.training import deep_mri_learner

        return deep_mri_learner(self, images, device)
