"""The structural probe: does a small detail survive? (Antun et al. 2020, Fig. 5, rows 1 to 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from shaketable.checks import Check
from shaketable.details import contrast_recovery, leakage, make_details, template_correlation
from shaketable.errors import InputError
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
    paired,
    slug,
)
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
        Pixels; None takes a share of the image.

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
        if not self.details:
            raise InputError("Expected at least one detail, got none; 'heart' is one.")

    def describe(self) -> dict[str, object]:
        """Settings for the record."""
        return {"details": list(self.details), "contrast": self.contrast, "size": self.size}

    def items(self, subject: Subject) -> tuple[Item, ...]:
        """One per image."""
        return tuple(
            Item(key=f"{self.name}-{slug(image)}", index=index)
            for index, image in enumerate(subject.image_ids)
        )

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

        The details of one image are averaged first: images are the independent units.
        """
        measure = (
            "distance of contrast recovery from 1, network minus stable method, mean over details"
        )
        missed = [
            record | {"missed": abs(1 - record["contrast_recovery"])}
            for record in records
            if record["contrast_recovery"] is not None
        ]
        pairs = paired(missed, subject.problem.name, subject.primary_baseline, "missed")
        if not pairs:
            return Verdict(
                probe=self.name,
                verdict="inconclusive",
                measure=measure,
                statement="Nothing can be said: there is no stable method or no image to compare with.",
            )
        difference = mean_interval([network - baseline for _, network, baseline in pairs])
        recovered = [r["contrast_recovery"] for r in missed if r["role"] == "network"]
        beside = [r["contrast_recovery"] for r in missed if r["method"] == subject.primary_baseline]
        word: VerdictWord = (
            "unstable"
            if difference.low > 0
            else "stable"
            if difference.high <= 0
            else "inconclusive"
        )
        n = difference.n
        return Verdict(
            probe=self.name,
            verdict=word,
            measure=measure,
            estimate=difference.estimate,
            interval=(difference.low, difference.high),
            n_images=n,
            statement=f"{subject.problem.name} recovers {sum(recovered) / len(recovered):.0%} of the "
            f"contrast of inserted details, {subject.primary_baseline} {sum(beside) / len(beside):.0%}; "
            f"it misses {difference.estimate:+.3f} more of the contrast than the stable method (95 % "
            f"interval {difference.low:+.3f} to {difference.high:+.3f}, {n} "
            f"{'image' if n == 1 else 'images'}).",
        )
