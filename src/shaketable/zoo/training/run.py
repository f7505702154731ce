"""The loop that trains a network, the same for all of them, resumable."""

from __future__ import annotations

import hashlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from shaketable.errors import RunError
from shaketable.zoo.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from shaketable.zoo.training.events import (
    CurveRow,
    EventKind,
    OnEvent,
    TrainingEvent,
    TrainingResult,
)
from shaketable.zoo.training.learner import Learner
from shaketable.zoo.training.recipe import TrainingRecipe
from shaketable.zoo.weights import save_weights

WEIGHTS_NAME = "weights.safetensors"
# The running mean of the loss forgets over this many steps.
_LOSS_MEMORY = 100


def run_training(
    recipe: TrainingRecipe,
    learner: Learner,
    images: Tensor,
    out: Path,
    *,
    held_out: Tensor | None = None,
    on_event: OnEvent | None = None,
) -> TrainingResult:
    """Take a learner through the steps of its recipe, or go on with the training that ``out`` holds.

    Parameters
    ----------
    recipe
        What to train.
    learner
        The network at step 0.
    images
        ``(N, H, W)``: what the learner trains on; their hash is kept, so that no training goes on
        with other images.
    out
        Folder for ``checkpoint.pt`` and ``weights.safetensors``; made if it does not exist.
    held_out
        ``(M, size, size)`` images, real or complex, to measure the averaged weights on.
    on_event
        Is told what happens.

    Raises
    ------
    RunError
        If ``out`` holds the training of another recipe or other images.
    KeyboardInterrupt
        After Ctrl-C, when the checkpoint of the last whole step has been written.
    """
    run = _begun(recipe, learner, images, out)
    out.mkdir(parents=True, exist_ok=True)
    tell = on_event or (lambda _: None)
    tell(_event(run, "started"))
    with _deferred_interrupt() as interrupted:
        while run.step < recipe.n_steps:
            _advance(run, held_out, out, tell)
            if interrupted():
                tell(_event(run, "interrupted", _saved(run, out)))
                raise KeyboardInterrupt
    path = out / WEIGHTS_NAME
    save_weights(run.learner.network, path)
    tell(_event(run, "finished", path))
    return TrainingResult(
        weights=path,
        curve=tuple(run.curve),
        seconds=run.seconds,
        images_hash=run.images_hash,
        recipe=recipe,
    )


@dataclass(kw_only=True)
class _Training:
    """The moving parts of one call of :func:`run_training`."""

    recipe: TrainingRecipe
    images_hash: str
    learner: Learner
    step: int = 0
    first_step: int = 0
    loss: float = 0.0
    curve: list[CurveRow] = field(default_factory=list)
    seconds_before: float = 0.0
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return self.seconds_before + time.monotonic() - self.started


def _begun(recipe: TrainingRecipe, learner: Learner, images: Tensor, out: Path) -> _Training:
    """A new training, or the one whose checkpoint lies in ``out``."""
    run = _Training(
        recipe=recipe,
        images_hash=hashlib.sha256(images.contiguous().numpy().tobytes()).hexdigest(),
        learner=learner,
    )
    found = read_checkpoint(out, type(recipe))
    if found is not None:
        _restore(run, found, out)
    return run


def _restore(run: _Training, found: Checkpoint, out: Path) -> None:
    if not found.recipe.same_until(run.recipe, found.step):
        raise RunError(
            f"Expected the recipe of the training in '{out}', got another one; "
            "choose an empty folder or the same settings."
        )
    if found.images_hash != run.images_hash:
        raise RunError(
            f"Expected the images of the training in '{out}', got others; "
            "choose an empty folder or the same images."
        )
    run.learner.restore(found.learner)
    run.step = run.first_step = found.step
    run.loss, run.curve, run.seconds_before = found.loss, list(found.curve), found.seconds


def _advance(run: _Training, held_out: Tensor | None, out: Path, tell: OnEvent) -> None:
    """One step, and what is due after it."""
    recipe = run.recipe
    loss = run.learner.step(run.step)
    run.step += 1
    run.loss += max(1 / _LOSS_MEMORY, 1 / run.step) * (loss - run.loss)
    tell(_event(run, "step"))
    last = run.step == recipe.n_steps
    if last or run.step % recipe.quality_every == 0:
        measured = None if held_out is None else run.learner.quality(held_out)
        run.curve.append((run.step, run.loss, measured))
        tell(_event(run, "quality"))
    if last or run.step % recipe.checkpoint_every == 0:
        tell(_event(run, "checkpoint", _saved(run, out)))


def _event(run: _Training, kind: EventKind, path: Path | None = None) -> TrainingEvent:
    done = run.step - run.first_step
    each = (time.monotonic() - run.started) / done if done else None
    return TrainingEvent(
        kind=kind,
        step=run.step,
        n_steps=run.recipe.n_steps,
        loss=None if run.step == 0 else run.loss,
        seconds_left=None if each is None else each * (run.recipe.n_steps - run.step),
        quality=run.curve[-1][2] if run.curve else None,
        path=path,
    )


def _saved(run: _Training, out: Path) -> Path:
    checkpoint = Checkpoint(
        recipe=run.recipe,
        step=run.step,
        learner=run.learner.state(),
        weights=run.learner.network.state_dict(),
        loss=run.loss,
        curve=run.curve,
        images_hash=run.images_hash,
        seconds=run.seconds,
    )
    return write_checkpoint(checkpoint, out)


@contextmanager
def _deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Hold Ctrl-C back until the caller asks, so that no step is left half done."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.signal(signal.SIGINT, lambda *_: asked.set())
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
