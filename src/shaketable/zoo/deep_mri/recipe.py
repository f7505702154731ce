"""The recipe of Deep MRI."""

from __future__ import annotations

from dataclasses import dataclass

from shaketable.zoo.training.recipe import Precision, StripRecipe


@dataclass(frozen=True, kw_only=True)
class DeepMRIRecipe(StripRecipe):
    """How Deep MRI is trained.

    Adam minimises ``mean_b ‖f(y_b) - x_b‖₂ / ‖x_b‖₂``.

    Parameters
    ----------
    acceleration, n_center
        Of :func:`shaketable.maps.sampling.cartesian_variable_density`; every sample has its own mask.
    n_cascades, n_convolutions, n_features
        Of :class:`shaketable.zoo.deep_mri.network.DeepMRI`.
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
    precision: Precision = "bfloat16"
