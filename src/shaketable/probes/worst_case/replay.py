"""Execute stored worst cases again."""

from __future__ import annotations

import math

import numpy as np

from shaketable.files import array_sha256
from shaketable.probes.probe import Array
from shaketable.probes.replaying import Replay, StoredCase
from shaketable.probes.worst_case.record import WorstCaseRecord
from shaketable.search import Domain, respond


def replay(stored: StoredCase[WorstCaseRecord]) -> tuple[Replay, ...]:
    """``‖f(A(x + r)) - f(A x)‖₂`` for every stored perturbation."""
    perturbations, image = stored.own("perturbation"), stored.image
    clean = stored.method.reconstruct(image)
    result = []
    for record in stored.records:
        values = _at_radius(stored, perturbations, record)
        domain: Domain = "data" if record.domain == "data" else "image"
        output = respond(stored.method.problem, image, stored.added(values), domain=domain)
        result.append(
            stored.replayed(
                output - clean, record.error,
                radius=math.nan if record.radius is None else record.radius,
                hash_matches=array_sha256(values) == record.replay_sha256,
            )
        )  # fmt: skip
    return tuple(result)


def _at_radius(
    stored: StoredCase[WorstCaseRecord], values: Array, record: WorstCaseRecord
) -> Array:
    radius = math.nan if record.radius is None else record.radius
    one: Array = values[int(np.argmin(np.abs(stored.array("radii") - radius)))]
    return one
