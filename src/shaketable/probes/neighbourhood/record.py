"""What the neighbourhood probe records."""

from __future__ import annotations

from dataclasses import dataclass

from shaketable.records import Record


@dataclass(frozen=True, kw_only=True)
class NeighbourhoodRecord(Record):
    """Noisy repetitions of one worst case.

    Parameters
    ----------
    radius
        Of the worst case, relative to ``‖x‖₂``.
    noise_ratio
        Norm of the noise over that of the worst case.
    n_draws, n_persisting, interval
        Draws, those that keep the artefact, and the interval of their share.
    error
        ``‖f(A(x + r)) - f(A x)‖₂`` of the worst case, in the image's units.
    status, n_gradients, seed
        How its search ended, and at what cost.
    """

    radius: float | None = None
    noise_ratio: float | None = None
    n_draws: int = 0
    n_persisting: int = 0
    interval: tuple[float | None, float | None] = (None, None)
    error: float | None = None
    status: str = ""
    n_gradients: int = 0
    seed: int = 0
