"""Parallel-beam computed tomography: a pattern of views, or angles from a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shaketable.errors import InputError
from shaketable.maps import RadonMap
from shaketable.plan.arrays import read_array
from shaketable.plan.maps.built import BuiltMap, require_one
from shaketable.plan.maps.patterns import EquispacedViews
from shaketable.settings import about, require_whole


@dataclass(frozen=True, kw_only=True)
class RadonSettings:
    """Settings of `shaketable.RadonMap`.

    Parameters
    ----------
    sampling
        A pattern of views.
    angles, key
        A file with angles in radians, and which of its arrays they are.
    n_detectors
        As in `shaketable.RadonMap`.
    """

    sampling: EquispacedViews | None = None
    angles: Path | None = None
    key: str | None = None
    n_detectors: int | None = None

    def __post_init__(self) -> None:
        require_one("a Radon map", ("sampling", self.sampling), ("angles", self.angles))
        if self.angles is None and self.key is not None:
            raise InputError(
                f"Expected key only beside angles, got {self.key!r}; patterns need none.", field=""
            )
        if self.n_detectors is not None:
            require_whole("n_detectors", self.n_detectors, at_least=1, at_most=1_000_000)

    def build(self, shape: tuple[int, int]) -> BuiltMap:
        """The map for images ``(H, W)``."""
        if self.sampling is None:
            with about("angles"):
                angles = read_array(Path(str(self.angles)), self.key, "angles in radians")
                return BuiltMap(forward=RadonMap(angles, shape, n_detectors=self.n_detectors))
        with about("sampling"):
            sequence, rate = self.sampling.sequence(), self.sampling.rate
            forward = RadonMap(sequence.angles(rate), shape, n_detectors=self.n_detectors)
        return BuiltMap(forward=forward, sequence=sequence, rate=rate)
