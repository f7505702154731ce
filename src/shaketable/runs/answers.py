"""What map and methods answer to the first image: what tells those apart that have no content to hash.

A function, an object that hides its weights and a map made of functions look the same whatever they
compute. Their answers are kept with the run, and compared when it is resumed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from shaketable.errors import RunError
from shaketable.modules import statistics_kept
from shaketable.probes import Subject
from shaketable.probes.probe import array
from shaketable.runs.arrays import read_arrays, write_arrays
from shaketable.runs.store import Store

# Relative. Other processors and thread counts round differently, and an unstable network amplifies
# that some hundred times; a map does not.
_LIMIT_OF_MAP = 1e-5
_LIMIT = 1e-3


def compare_answers(store: Store, subject: Subject) -> None:
    """Keep the answers where the run has none yet; else find that they are the same.

    Raises
    ------
    RunError
        If the forward map or a method answers otherwise than when the run was begun.
    """
    # Names can be anything, so the arrays are counted; the run's identity fixes names and order.
    names = ("the forward map", *(method.name for method in subject.methods))
    limits = (_LIMIT_OF_MAP, *(_LIMIT for _ in subject.methods))
    answers = {str(number): answer for number, answer in enumerate(_answers(subject))}
    path = store.directory / "answers.h5"
    if not path.exists():
        write_arrays(path, answers)
        return
    kept = read_arrays(path)
    others = [
        name
        for (key, answer), name, limit in zip(answers.items(), names, limits, strict=True)
        if not _same(kept.get(key), answer, limit)
    ]
    if others:
        raise RunError(
            f"Expected the run in {store.directory} to be resumed with what it was begun with, got "
            f"another answer to its first image from {' and '.join(others)}; choose another directory."
        )


def _answers(subject: Subject) -> Iterator[np.ndarray[Any, Any]]:
    """``A x``, then ``f(A x)`` of every network and reference method."""
    image = subject.images[:1]
    with torch.no_grad(), statistics_kept(subject.problem.reconstruct):
        yield array(subject.problem.forward(image))
        for method in subject.methods:
            yield array(method.reconstruct(image))


def _same(kept: np.ndarray[Any, Any] | None, answer: np.ndarray[Any, Any], limit: float) -> bool:
    if kept is None or kept.shape != answer.shape:
        return False
    if not np.isfinite(answer).all():
        return np.array_equal(kept, answer, equal_nan=True)
    # In double precision, where squares of very large and small numbers exist.
    before, now = (values.astype(np.complex128).ravel() for values in (kept, answer))
    return float(np.linalg.norm(before - now)) <= limit * float(np.linalg.norm(before))
