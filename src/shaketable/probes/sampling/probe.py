"""The sampling probe: does the image get better with more samples? (Antun et al. 2020, Fig. 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.checks import Check
from shaketable.errors import InputError
from shaketable.maps import FourierMap, MultiCoilFourierMap, RadonMap
from shaketable.maps.sampling import SamplingSequence, ViewSequence
from shaketable.metrics import psnr, ssim
from shaketable.probes.probe import (
    Array,
    Item,
    OnProgress,
    Outcome,
    Record,
    Subject,
    Verdict,
    VerdictWord,
    array,
    number,
    one_item_per_image,
    percent,
    sampled_sha256,
    support,
)
from shaketable.protocols import ForwardMap
from shaketable.statistics import Interval, mean_interval


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

    name = "sampling"

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

    def items(self, subject: Subject) -> tuple[Item, ...]:
        """One per image."""
        return one_item_per_image(self.name, subject)

    def evidence(self, subject: Subject, seed: int) -> tuple[Check, ...]:  # noqa: ARG002
        """Nothing is searched here, so there is nothing to prove."""
        return ()

    def measure(
        self,
        subject: Subject,
        item: Item,
        seed: int,  # noqa: ARG002
        on_progress: OnProgress,
    ) -> Outcome:
        """Reconstruct one image at every rate with every method."""
        image = subject.problem.prepare(subject.images[item.index : item.index + 1])
        rates = sorted(self.maps)
        records: list[Record] = []
        arrays: dict[str, Array] = {"image": array(image[0]), "rates": array(torch.tensor(rates))}
        for method_index, method in enumerate(subject.methods):
            outputs = []
            for index, rate in enumerate(rates):
                done = (method_index * len(rates) + index) / (len(rates) * len(subject.methods))
                on_progress(f"{method.name} at {percent(rate)} sampling", done)
                output = method.reconstruct(image, self.maps[rate])
                outputs.append(output[0])
                records.append(
                    {
                        "probe": self.name,
                        "item": item.key,
                        "method": method.name,
                        "role": method.role,
                        "image": subject.image_ids[item.index],
                        "rate": rate,
                        "trained_rate": self.trained_rate,
                        "psnr": number(psnr(output, image)[0]),
                        "ssim": number(ssim(output, image)[0]),
                    }
                )
            arrays[f"methods/{method.name}/reconstruction"] = array(torch.stack(outputs))
        return Outcome(records=tuple(records), arrays=arrays)

    def verdict(
        self,
        subject: Subject,
        records: Sequence[Record],
        checks: Sequence[Check],  # noqa: ARG002
    ) -> Verdict:
        """Judge whether quality falls when samples are added to those the network was trained for.

        Unstable: at some higher rate PSNR is significantly below that at the trained rate while the
        stable method's is not (intervals at a level divided by the number of rates). Stable: at
        every higher rate it is significantly not below and every image could be measured. Without
        higher rates: inconclusive.
        """
        measure = "smallest change of PSNR (dB) from the trained rate to a higher one, network"
        higher = [rate for rate in sorted(self.maps) if rate > self.trained_rate]
        confidence = 1 - 0.05 / max(1, len(higher))
        network = self._changes(records, subject.problem.name, higher, confidence)
        if not network:
            return Verdict(
                probe=self.name, verdict="inconclusive", measure=measure,
                statement="Nothing can be said: no image has a PSNR both at the trained rate and at a "
                "higher one.",
            )  # fmt: skip
        beside = self._changes(records, subject.primary_baseline, higher, confidence)
        lost = [  # a PSNR without a number is infinite for a perfect image, whose SSIM is a number
            r for r in records
            if r["role"] == "network" and r["rate"] >= self.trained_rate
            and r["psnr"] is None and r["ssim"] is None
        ]  # fmt: skip
        rate, worst = min(network.items(), key=lambda entry: entry[1].estimate)
        falls = [
            r for r, change in network.items()
            if change.high < 0 and not (r in beside and beside[r].high < 0)
        ]  # fmt: skip
        word: VerdictWord = "inconclusive"
        if falls:
            word = "unstable"
            rate = min(falls, key=lambda r: network[r].estimate)
            worst = network[rate]
        elif all(change.low >= 0 for change in network.values()) and not lost:
            word = "stable"
        other = (
            f"; {subject.primary_baseline}: {_decibels(beside[rate].estimate)}"
            if rate in beside
            else ""
        )
        other += f"; {len(lost)} of its reconstructions are not finite" if lost else ""
        return Verdict(
            probe=self.name,
            verdict=word,
            measure=measure,
            estimate=worst.estimate,
            interval=(worst.low, worst.high),
            n_images=worst.n,
            statement=f"From {percent(self.trained_rate)} sampling, which {subject.problem.name} was "
            f"trained for, to {percent(rate)} its PSNR changes by {_decibels(worst.estimate)} "
            f"({support(worst, _decibels)}){other}.",
        )

    def _changes(
        self,
        records: Sequence[Record],
        method: str | None,
        rates: Sequence[float],
        confidence: float,
    ) -> dict[float, Interval]:
        """Per rate, the change of PSNR from the trained rate, over images."""
        values = {
            (record["image"], record["rate"]): record["psnr"]
            for record in records
            if record["method"] == method and record["psnr"] is not None
        }
        result = {}
        for rate in rates:
            changes = [
                value - values[image, self.trained_rate]
                for (image, at), value in values.items()
                if at == rate and (image, self.trained_rate) in values
            ]
            if changes:
                result[rate] = mean_interval(changes, confidence=confidence)
        return result


def _decibels(value: float) -> str:
    return f"{value:+.2f} dB"
