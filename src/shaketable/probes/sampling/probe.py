"""The sampling probe: does the image get better with more samples? (Antun et al. 2020, Fig. 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from shaketable.errors import InputError
from shaketable.maps import FourierMap, MultiCoilFourierMap, RadonMap
from shaketable.maps.sampling import SamplingSequence, ViewSequence
from shaketable.probes.probe import Case, Measured, Outcome, Scores, Verdict, sampled_sha256
from shaketable.probes.replaying import Replay, StoredCase
from shaketable.probes.sampling.measure import measure
from shaketable.probes.sampling.record import SamplingRecord
from shaketable.probes.sampling.replay import replay
from shaketable.probes.sampling.verdict import judge, scores
from shaketable.protocols import ForwardMap


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Reconstruct at nested sampling rates below and above the trained one.

    Parameters
    ----------
    maps
        Rate -> forward map; the samples of a lower rate should be among those of a higher one.
    trained_rate
        The rate that the network was trained for, one of the rates of ``maps``.

    Examples
    --------
    >>> from shaketable.maps.sampling import cartesian_variable_density
    >>> sequence = cartesian_variable_density((64, 64), seed=0, n_center=4)
    >>> sorted(Sampling.fourier(sequence, rates=(0.25, 0.5), trained_rate=0.25).maps)
    [0.25, 0.5]
    """

    maps: Mapping[float, ForwardMap]
    trained_rate: float

    name: ClassVar[str] = "sampling"
    record_type: ClassVar[type[SamplingRecord]] = SamplingRecord

    def __post_init__(self) -> None:
        shapes = {tuple(forward.image_shape) for forward in self.maps.values()}
        if len(shapes) > 1:
            raise InputError(
                "Expected maps of one image shape, got "
                f"{' and '.join(map(str, sorted(shapes)))}; make all for the same images."
            )
        if self.trained_rate not in self.maps or len(self.maps) < 2:
            raise InputError(
                "Expected at least two sampling rates with the trained one among them, got "
                f"{', '.join(f'{rate:.4g}' for rate in sorted(self.maps))} and trained rate "
                f"{self.trained_rate:.4g}; add it."
            )

    @classmethod
    def fourier(
        cls, sequence: SamplingSequence, *, rates: Sequence[float], trained_rate: float
    ) -> Sampling:
        """Fourier maps of one nested sequence; the trained rate is added where it is missing."""
        every = sorted({*rates, trained_rate})
        maps = {rate: FourierMap(sequence.mask(rate)) for rate in every}
        return cls(maps=maps, trained_rate=trained_rate)

    @classmethod
    def multi_coil(
        cls,
        sequence: SamplingSequence,
        *,
        coils: Tensor,
        rates: Sequence[float],
        trained_rate: float,
    ) -> Sampling:
        """Multi-coil Fourier maps of one nested sequence, all with the same coil maps ``(C, H, W)``.

        The rate is the share of positions of one coil; the trained rate is added where it is
        missing.
        """
        every = sorted({*rates, trained_rate})
        maps = {rate: MultiCoilFourierMap(sequence.mask(rate), coils) for rate in every}
        return cls(maps=maps, trained_rate=trained_rate)

    @classmethod
    def radon(
        cls,
        sequence: ViewSequence,
        *,
        image_shape: tuple[int, int],
        rates: Sequence[float],
        trained_rate: float,
        n_detectors: int | None = None,
    ) -> Sampling:
        """Radon maps of one nested sequence of views; the trained rate is added where it is missing.

        The rate is the number of views as a share of ``sequence.n_total``: 50 views of 1000 are
        0.05.
        """
        every = sorted({*rates, trained_rate})
        maps = {
            rate: RadonMap(sequence.angles(rate), image_shape, n_detectors=n_detectors)
            for rate in every
        }
        return cls(maps=maps, trained_rate=trained_rate)

    def describe(self) -> dict[str, object]:
        """Settings for the record."""
        rates = sorted(self.maps)
        return {
            "rates": rates,
            "trained_rate": self.trained_rate,
            "sampled_sha256": [sampled_sha256(self.maps[rate]) for rate in rates],
        }

    def measure(self, case: Case) -> Outcome:
        """Reconstruct one image at every rate."""
        return measure(case, maps=self.maps, trained_rate=self.trained_rate)

    def verdict(self, measured: Measured[SamplingRecord]) -> Verdict:
        """Judge whether quality falls when samples are added, see `judge`."""
        return judge(measured, rates=sorted(self.maps), trained_rate=self.trained_rate)

    def scores(self, records: Sequence[SamplingRecord]) -> Scores:
        """The change of PSNR from the trained rate to the highest, by image."""
        return scores(records)

    def replay(self, stored: StoredCase[SamplingRecord]) -> tuple[Replay, ...]:
        """Reconstruct at every stored rate again."""
        return replay(stored, maps=self.maps)
