"""The structural probe: does a small detail survive? (Antun et al. 2020, Fig. 5, rows 1 to 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch

from shaketable.checks import Check
from shaketable.details import (
    SMALLEST_SIZE,
    contrast_recovery,
    leakage,
    make_details,
    require_names,
    template_correlation,
)
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
    support,
)
from shaketable.settings import require_number, require_whole
from shaketable.statistics import mean_interval

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

    name = "structural"

    def __post_init__(self) -> None:
        require_names(self.details)
        require_number("contrast", self.contrast, above=0, at_most=1)
        if self.size is not None:
            require_whole("size", self.size, at_least=SMALLEST_SIZE)

    def describe(self) -> dict[str, object]:
        """Settings for the record."""
        return {"details": list(self.details), "contrast": self.contrast, "size": self.size}

    def items(self, subject: Subject) -> tuple[Item, ...]:
        """One per image."""
        return one_item_per_image(self.name, subject)

    def evidence(self, subject: Subject, seed: int) -> tuple[Check, ...]:  # noqa: ARG002
        """Nothing is searched here, so there is nothing to prove."""
        return ()

    def measure(self, subject: Subject, item: Item, seed: int, on_progress: OnProgress) -> Outcome:
        """Insert every detail into one image, for every method."""
        image = subject.problem.prepare(subject.images[item.index : item.index + 1])
        details = make_details(
            image[0], self.details, contrast=self.contrast, size=self.size, seed=seed
        )
        records: list[Record] = []
        arrays: dict[str, Array] = {
            "image": array(image[0]),
            "names": np.array([detail.name for detail in details]),
            "detail": array(torch.stack([detail.array for detail in details])),
        }
        n_steps = len(subject.methods) * len(details)
        for method_index, method in enumerate(subject.methods):
            clean = method.reconstruct(image)
            outputs = []
            for index, detail in enumerate(details):
                done = (method_index * len(details) + index) / n_steps
                on_progress(f"inserting {detail.name}, {method.name}", done)
                output = method.reconstruct(image + detail.array)
                difference = output - clean
                outputs.append(output[0])
                records.append(
                    {
                        "probe": self.name,
                        "item": item.key,
                        "method": method.name,
                        "role": method.role,
                        "image": subject.image_ids[item.index],
                        "detail": detail.name,
                        "contrast": detail.contrast,
                        "size": detail.size,
                        "position": list(detail.position),
                        "contrast_recovery": number(contrast_recovery(difference, detail.array)),
                        "correlation": number(template_correlation(difference, detail.array)),
                        "leakage": number(leakage(difference, detail.array)),
                    }
                )
            arrays[f"methods/{method.name}/clean"] = array(clean[0])
            arrays[f"methods/{method.name}/with_detail"] = array(torch.stack(outputs))
        return Outcome(records=tuple(records), arrays=arrays)

    def verdict(
        self,
        subject: Subject,
        records: Sequence[Record],
        checks: Sequence[Check],  # noqa: ARG002
    ) -> Verdict:
        """Compare how far contrast recovery is from one, network against stable method.

        The details of one image are averaged first: images are the independent units. Unstable:
        the network is significantly farther from one. Stable: significantly not farther, and every
        detail could be measured. Else inconclusive.
        """
        name, baseline = subject.problem.name, subject.primary_baseline
        network, beside = _missed(records, name), _missed(records, baseline)
        both = [key for key in network if key in beside]
        if not both:
            reason = "there is no stable method" if baseline is None else "there is no detail"
            return Verdict(
                probe=self.name,
                verdict="inconclusive",
                measure=_MEASURE,
                statement=f"Nothing can be said: {reason} to compare with.",
            )
        images = sorted({image for image, _ in both})
        difference = mean_interval(
            [fmean(network[k] - beside[k] for k in both if k[0] == image) for image in images]
        )
        n_lost = sum(r["method"] == name and r["contrast_recovery"] is None for r in records)
        word: VerdictWord = "inconclusive"
        if difference.low > 0:
            word = "unstable"
        elif difference.high <= 0 and n_lost == 0:
            word = "stable"
        recovered = {
            method: fmean(
                r["contrast_recovery"]
                for r in records
                if r["method"] == method and (r["image"], r["detail"]) in both
            )
            for method in (name, baseline)
        }
        lost = f"; in {n_lost} cases its reconstruction is not finite" if n_lost else ""
        return Verdict(
            probe=self.name,
            verdict=word,
            measure=_MEASURE,
            estimate=difference.estimate,
            interval=(difference.low, difference.high),
            n_images=difference.n,
            statement=f"{name} recovers {percent(recovered[name])} of the contrast of inserted details, "
            f"{baseline} {percent(recovered[baseline])}; {name} is {abs(difference.estimate):.3f} "
            f"{'farther from' if difference.estimate > 0 else 'closer to'} full contrast on average "
            f"(difference: {support(difference, _signed)}){lost}.",
        )


_MEASURE = "distance of contrast recovery from 1, network minus stable method, mean over details"


def _missed(records: Sequence[Record], method: str | None) -> dict[tuple[str, str], float]:
    """Distance of contrast recovery from one by image and detail, where it could be measured."""
    return {
        (record["image"], record["detail"]): abs(1 - record["contrast_recovery"])
        for record in records
        if record["method"] == method and record["contrast_recovery"] is not None
    }


def _signed(value: float) -> str:
    return f"{value:+.3f}"
