"""What map and methods answer to the first image: what tells those apart that have no content to hash.

A function, an object that hides its weights and a map made of functions look the same whatever they
compute. Their answers are kept with the run, and compared when it is resumed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from shaketable.errors import RunError
from shaketable.modules import statistics_kept
from shaketable.probes import Subject
from shaketable.probes.probe import array
from shaketable.runs.store import Arrays, Store, write_arrays

_DATA = "the forward map"
# Relative. Other processors and thread counts round differently, and an unstable network amplifies
# that some hundred times; a map does not.
_LIMITS = {_DATA: 1e-5}
_LIMIT = 1e-3


def compare_answers(store: Store, subject: Subject) -> None:
    """Keep the answers where the run has none yet; else find that they are the same.

    Raises
    ------
    RunError
        If the forward map or a method answers otherwise than when the run was begun.
    """
    answers = _answers(subject)
    path = store.directory / "answers.h5"
    if not path.exists():
        write_arrays(path, answers)
        return
    kept = _read(path)
    others = [name for name, answer in answers.items() if not _same(kept.get(name), answer, name)]
    if others:
        raise RunError(
            f"Expected the run in {store.directory} to be resumed with what it was begun with, got "
            f"another answer to its first image from {' and '.join(others)}; choose another directory."
        )


def _answers(subject: Subject) -> Arrays:
    image = subject.images[:1]
    with torch.no_grad(), statistics_kept(subject.problem.reconstruct):
        answers = {_DATA: array(subject.problem.forward(image))}
        for method in subject.methods:
            answers[method.name] = array(method.reconstruct(image))
    return answers


def _read(path: Path) -> Arrays:
    import h5py

    kept: dict[str, np.ndarray[Any, Any]] = {}

    def keep(name: str, value: object) -> None:
        if isinstance(value, h5py.Dataset):  # a name with a slash makes a group too
            kept[name] = value[()]

    try:
        with h5py.File(path, "r") as file:
            file.visititems(keep)
    except OSError as error:
        raise RunError(
            f"Expected readable arrays in {path}, got {type(error).__name__}; remove the file to resume "
            "without comparing with it, or choose another directory."
        ) from error
    return kept


def _same(kept: np.ndarray[Any, Any] | None, answer: np.ndarray[Any, Any], name: str) -> bool:
    if kept is None or kept.shape != answer.shape:
        return False
    if not np.isfinite(answer).all():
        return np.array_equal(kept, answer, equal_nan=True)
    distance = float(np.linalg.norm((kept - answer).ravel()))
    return distance <= _LIMITS.get(name, _LIMIT) * float(np.linalg.norm(kept.ravel()))
