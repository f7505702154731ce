"""What a training run is: every choice that decides its result, and nothing else."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from shaketable.errors import InputError

Precision = Literal["bfloat16", "float32"]


@dataclass(frozen=True, kw_only=True)
class TrainingRecipe:
    """Settings of :func:`shaketable.zoo.training.train`.

    The learning rate rises over ``n_warmup_steps``, stays, and falls linearly to zero over the last
    ``n_decay_steps``; Adam minimises ``mean_b ‖f(y_b) - x_b‖₂ / ‖x_b‖₂``. Before the decay the
    network sees strips of ``strip_width`` columns: the sampled lines are whole rows, so a strip has
    the same aliasing as the image at a fraction of the time. During the decay it sees whole images.

    Parameters
    ----------
    size
        Height and width of the training images in pixels.
    acceleration, n_center
        Of :func:`shaketable.maps.sampling.cartesian_variable_density`; every sample has its own mask.
    n_cascades, n_convolutions, n_features
        Of :class:`shaketable.zoo.deep_mri.DeepMRI`.
    n_steps, n_warmup_steps, n_decay_steps
        Gradient steps altogether, and in the two ends of the schedule.
    batch_size
        Images per step.
    strip_width
        Columns of an image before the decay.
    learning_rate
        Adam's step size on the plateau.
    clip_norm
        Largest norm of the gradient over all parameters.
    average_decay
        Decay of the running average of the weights; the average is what is shipped.
    noise
        Largest standard deviation of the complex noise added to the data of a quarter of samples,
        in units of the image's peak.
    precision
        ``"bfloat16"`` computes the convolutions in bfloat16 during training, everything else in
        float32.
    seed
        Decides the initial weights and every sample.
    checkpoint_every, quality_every
        Steps between checkpoints and between measurements on the held-out images.
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
    batch_size: int = 1
    strip_width: int = 64
    learning_rate: float = 1e-3
    clip_norm: float = 1.0
    average_decay: float = 0.999
    noise: float = 0.005
    precision: Precision = "bfloat16"
    seed: int = 0
    checkpoint_every: int = 250
    quality_every: int = 500

    def __post_init__(self) -> None:
        if self.n_steps < 1 or self.n_warmup_steps + self.n_decay_steps > self.n_steps:
            raise InputError(
                f"Expected warm-up and decay to fit into {self.n_steps} steps, got "
                f"{self.n_warmup_steps} and {self.n_decay_steps}; give more steps or shorter ends."
            )
        if not 1 <= self.strip_width <= self.size:
            raise InputError(
                f"Expected a strip width from 1 to {self.size} columns, got {self.strip_width}; "
                "the image's own width switches strips off."
            )

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of a step counted from 0.

        Examples
        --------
        >>> recipe = TrainingRecipe(n_steps=10, n_warmup_steps=2, n_decay_steps=4)
        >>> [round(recipe.learning_rate_at(step) * 1e3, 2) for step in range(10)]
        [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25]
        """
        rising = (step + 1) / max(self.n_warmup_steps, 1)
        falling = (self.n_steps - step) / max(self.n_decay_steps, 1)
        return self.learning_rate * min(1.0, rising, falling)

    def width_at(self, step: int) -> int:
        """The number of columns that a step sees."""
        return self.size if step >= self.n_steps - self.n_decay_steps else self.strip_width

    def same_until(self, other: TrainingRecipe, step: int) -> bool:
        """Whether both recipes have the same result after ``step`` steps.

        They may differ in the length of the run as long as neither has begun to decay, so that a
        run can be made shorter or longer while it is under way.
        """
        free = ("n_steps", "n_decay_steps", "checkpoint_every", "quality_every")
        mine, theirs = asdict(self), asdict(other)
        if any(mine[key] != theirs[key] for key in mine if key not in free):
            return False
        same_end = (self.n_steps, self.n_decay_steps) == (other.n_steps, other.n_decay_steps)
        decay_starts = [recipe.n_steps - recipe.n_decay_steps for recipe in (self, other)]
        return same_end or step <= min(decay_starts)
