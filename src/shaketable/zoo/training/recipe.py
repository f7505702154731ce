"""What a training run is: every choice that decides its result, and nothing else."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal, Self

from shaketable.errors import InputError

Precision = Literal["bfloat16", "float32"]


@dataclass(frozen=True, kw_only=True)
class TrainingRecipe:
    """What the recipe of every network has; each network adds its own settings.

    The learning rate rises over ``n_warmup_steps``, stays, and falls linearly to zero over the last
    ``n_decay_steps``.

    Parameters
    ----------
    size
        Height and width of the training images in pixels.
    n_steps, n_warmup_steps, n_decay_steps
        Gradient steps altogether, and in the two ends of the schedule.
    batch_size
        Images per step.
    learning_rate
        The optimiser's step size on the plateau.
    clip_norm
        Largest norm of the gradient over all parameters.
    average_decay
        Decay of the running average of the weights; the average is what is shipped.
    precision
        ``"bfloat16"`` computes the convolutions in bfloat16 during training, everything else in
        float32.
    seed
        Decides the initial weights and every sample.
    checkpoint_every, quality_every
        Steps between checkpoints and between measurements on the held-out images.
    """

    size: int
    n_steps: int
    n_warmup_steps: int
    n_decay_steps: int
    batch_size: int = 1
    learning_rate: float = 1e-3
    clip_norm: float = 1.0
    average_decay: float = 0.999
    precision: Precision = "float32"
    seed: int = 0
    checkpoint_every: int = 250
    quality_every: int = 500

    # Fields that change only the last part of a run: two recipes that differ in these alone have the
    # same steps until then.
    _ends: ClassVar[tuple[str, ...]] = ("n_steps", "n_decay_steps")

    def __post_init__(self) -> None:
        if self.n_steps < 1 or self.n_warmup_steps + self.n_decay_steps > self.n_steps:
            raise InputError(
                f"Expected warm-up and decay to fit into {self.n_steps} steps, got "
                f"{self.n_warmup_steps} and {self.n_decay_steps}; give more steps or shorter ends."
            )

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of a step counted from 0.

        Examples
        --------
        >>> from shaketable.zoo import DeepMRIRecipe
        >>> recipe = DeepMRIRecipe(n_steps=10, n_warmup_steps=2, n_decay_steps=4)
        >>> [round(recipe.learning_rate_at(step) * 1e3, 2) for step in range(10)]
        [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25]
        """
        rising = (step + 1) / max(self.n_warmup_steps, 1)
        falling = (self._decay_end - step) / max(self.n_decay_steps, 1)
        return self.learning_rate * min(1.0, rising, falling)

    def decays_at(self, step: int) -> bool:
        """Whether a step counted from 0 lies in the last part of the schedule."""
        return step >= self._decay_start

    @property
    def _decay_start(self) -> int:
        return self._decay_end - self.n_decay_steps

    @property
    def _decay_end(self) -> int:
        return self.n_steps

    def with_steps(self, n_steps: int) -> Self:
        """The same recipe with another number of steps, its ends shortened in proportion.

        Raises
        ------
        InputError
            If there is no step.
        """
        if n_steps < 1:
            raise InputError(
                f"Expected at least one step, got {n_steps}; leave --steps out if unsure."
            )
        ends: dict[str, Any] = {
            name: int(getattr(self, name) * n_steps / self.n_steps) for name in self._ends
        }
        ends |= {"n_steps": n_steps, "n_warmup_steps": min(self.n_warmup_steps, n_steps // 10)}
        return replace(self, **ends)

    def same_until(self, other: TrainingRecipe, step: int) -> bool:
        """Whether both recipes have the same result after ``step`` steps.

        They may differ in the length of the run as long as neither has begun to decay, so that a
        run can be made shorter or longer while it is under way.
        """
        free = (*self._ends, "checkpoint_every", "quality_every")
        mine, theirs = asdict(self), asdict(other)
        if type(self) is not type(other) or any(
            mine[key] != theirs[key] for key in mine if key not in free
        ):
            return False
        same_end = all(mine[key] == theirs[key] for key in self._ends)
        return same_end or step <= min(self._decay_start, other._decay_start)


@dataclass(frozen=True, kw_only=True)
class StripRecipe(TrainingRecipe):
    """The recipe of a network that sees strips of images where the sampled lines are whole rows.

    A strip has the same aliasing as the image at a fraction of the time. Before the decay the network
    sees strips of ``strip_width`` columns, during it whole images.

    Parameters
    ----------
    strip_width
        Columns of an image before the decay.
    noise
        Largest standard deviation of the complex noise added to the data of a quarter of samples,
        in units of the image's peak.
    """

    strip_width: int = 64
    noise: float = 0.005

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
