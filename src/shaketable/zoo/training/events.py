"""What a training run tells while it runs, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shaketable.zoo.training.recipe import TrainingRecipe

EventKind = Literal["started", "step", "quality", "checkpoint", "interrupted", "finished"]

# Step, running mean of the loss, mean PSNR in dB on the held-out images (None without them).
CurveRow = tuple[int, float, float | None]


@dataclass(frozen=True, kw_only=True)
class TrainingEvent:
    """What happened in a training run.

    Parameters
    ----------
    kind
        ``started`` (or resumed), ``step``, ``quality`` (held-out images were measured),
        ``checkpoint`` (one was written), ``interrupted``, ``finished``.
    step, n_steps
        Steps done, and altogether.
    loss
        Running mean of the loss on training samples; None before the first step.
    seconds_left
        Estimated from the steps of this call; None before the first one.
    quality
        Mean PSNR in dB of the averaged weights on the held-out images when last measured.
    path
        The file that was written, for ``checkpoint``, ``interrupted`` and ``finished``.
    """

    kind: EventKind
    step: int
    n_steps: int
    loss: float | None = None
    seconds_left: float | None = None
    quality: float | None = None
    path: Path | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """What a finished training run leaves.

    Parameters
    ----------
    weights
        The safetensors file with the averaged weights.
    curve
        Rows (step, loss, held-out PSNR in dB or None).
    seconds
        Time spent, over all interruptions.
    images_hash
        SHA-256 of the training images.
    recipe
        What was trained.
    """

    weights: Path
    curve: tuple[CurveRow, ...]
    seconds: float
    images_hash: str
    recipe: TrainingRecipe


OnEvent = Callable[[TrainingEvent], None]
