"""The structural probe: does a small detail survive? (Antun et al. 2020, Fig. 5, rows 1 to 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from shaketable.details import SMALLEST_SIZE, require_names
from shaketable.probes.probe import Case, Measured, Outcome, Scores, Verdict
from shaketable.probes.replaying import Replay, StoredCase
from shaketable.probes.structural.measure import measure
from shaketable.probes.structural.record import StructuralRecord
from shaketable.probes.structural.replay import replay
from shaketable.probes.structural.verdict import judge, scores
from shaketable.settings import require_number, require_whole

_DETAILS = ("spade", "heart", "diamond", "club", "can-u-see-it", "graded-heart", "lesion")


@dataclass(frozen=True, kw_only=True)
class Structural:
    """Insert details into the object and measure what of them comes back.

    With s the detail and ``d = f(A(x + s)) - f(A x)``: contrast recovery ``⟨d, s⟩ / ⟨s, s⟩``,
    template correlation, and leakage outside the detail.

    Parameters
    ----------
    details
        Names of `shaketable.details.DETAIL_NAMES`, or ``"text:..."``.
    contrast
        The detail's peak as a fraction of the image's peak.
    size
        Pixels, at least five; None takes a share of the image.

    Raises
    ------
    InputError
        If a detail is unknown, or contrast or size are out of range.

    Examples
    --------
    >>> Structural(details=("heart",)).describe()["contrast"]
    0.3
    """

    details: tuple[str, ...] = _DETAILS
    contrast: float = 0.3
    size: int | None = None

    name: ClassVar[str] = "structural"
    record_type: ClassVar[type[StructuralRecord]] = StructuralRecord

    def __post_init__(self) -> None:
        require_names(self.details)
        require_number("contrast", self.contrast, above=0, at_most=1)
        if self.size is not None:
            require_whole("size", self.size, at_least=SMALLEST_SIZE)

    def describe(self) -> dict[str, object]:
        """Settings for the record."""
        return {"details": list(self.details), "contrast": self.contrast, "size": self.size}

    def measure(self, case: Case) -> Outcome:
        """Insert every detail into one image."""
        return measure(case, details=self.details, contrast=self.contrast, size=self.size)

    def verdict(self, measured: Measured[StructuralRecord]) -> Verdict:
        """Compare how far contrast recovery is from one, see `judge`."""
        return judge(measured)

    def scores(self, records: Sequence[StructuralRecord]) -> Scores:
        """The mean distance of contrast recovery from one, by image."""
        return scores(records)

    def replay(self, stored: StoredCase[StructuralRecord]) -> tuple[Replay, ...]:
        """Insert every stored detail again."""
        return replay(stored)
