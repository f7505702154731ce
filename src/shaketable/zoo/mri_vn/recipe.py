"""The recipe of MRI-VN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shaketable.zoo.training.recipe import StripRecipe

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from shaketable.zoo.training.learner import Learner


@dataclass(frozen=True, kw_only=True)
class MRIVNRecipe(StripRecipe):
    """How the variational network is trained.

    Adam minimises ``mean_b ‖f(y_b) - x_b‖₂ / ‖x_b‖₂``; after every step the filters are projected to
    zero mean and unit norm. Every sample has a ring of simulated coils of its own radius.

    Parameters
    ----------
    rate, n_center
        Of :func:`shaketable.maps.sampling.equispaced_lines`: 58 of 368 lines with 28 in the centre
        in the publication, 20 and 10 of 128 here. The pattern is the same in every sample.
    n_coils
        Coils of the ring, see :func:`shaketable.maps.birdcage_coils`.
    n_stages, n_filters, kernel_size, n_centres
        Of :class:`shaketable.zoo.mri_vn.network.MRIVN`.
    first_data_weight
        Data weight of every stage before training. The data term alone converges fastest below 2;
        from BART's 0.2 the first hundreds of steps go into raising it.
    """

    size: int = 128
    rate: float = 58 / 368
    n_center: int = 10
    n_coils: int = 15
    n_stages: int = 10
    n_filters: int = 24
    kernel_size: int = 11
    n_centres: int = 31
    first_data_weight: float = 1.5
    n_steps: int = 2200
    n_warmup_steps: int = 50
    n_decay_steps: int = 600
    learning_rate: float = 4e-3
    average_decay: float = 0.99

    def begin(self, images: Tensor, device: torch.device) -> Learner:
        """The network at step 0; images are ``(N, 2 size, 2 size)`` magnitudes with peak 1."""
        from shaketable.zoo.mri_vn.training import MRIVNLearner

        return MRIVNLearner(self, images, device)
