"""Execute the worst case that noise was added to again."""

from __future__ import annotations

from shaketable.probes.neighbourhood.record import NeighbourhoodRecord
from shaketable.probes.replaying import Replay, StoredCase


def replay(stored: StoredCase[NeighbourhoodRecord]) -> tuple[Replay, ...]:
    """``‖f(A(x + r)) - f(A x)‖₂``: every size of noise was added to the same worst case."""
    record, image = stored.records[0], stored.image
    perturbed = stored.method.reconstruct(image + stored.added(stored.own("perturbation")))
    difference = perturbed - stored.method.reconstruct(image)
    radius = float("nan") if record.radius is None else record.radius
    return (stored.replayed(difference, record.error, radius=radius, what="worst case"),)
