"""What the structural probe records."""

from __future__ import annotations

from dataclasses import dataclass

from shaketable.records import Record


@dataclass(frozen=True, kw_only=True)
class StructuralRecord(Record):
    """One detail in one image.

    Parameters
    ----------
    detail
        Its name.
    contrast
        Its peak as a fraction of the image's peak.
    size, position
        Pixels: its side, and row and column of its centre.
    contrast_recovery
        ``⟨d, s⟩ / ⟨s, s⟩`` with s the detail and d the change of the reconstruction.
    correlation
        Template correlation of d with s.
    leakage
        Share of d outside the detail.
    """

    detail: str = ""
    contrast: float | None = None
    size: int | None = None
    position: tuple[int, ...] = ()
    contrast_recovery: float | None = None
    correlation: float | None = None
    leakage: float | None = None
