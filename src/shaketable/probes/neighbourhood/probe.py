"""The neighbourhood probe: is a worst case an isolated point? (Antun et al. 2020, Fig. 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import torch
from torch import Tensor

from shaketable.checks import Check
from shaketable.errors import InputError
from shaketable.probes.probe import (
    Array,
    Item,
    Method,
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
    plain,
    support,
)
from shaketable.probes.strength import doubt_of_strength, not_covered, strength_check
from shaketable.search import (
    LARGEST_RADIUS,
    Finding,
    Search,
    Status,
    Step,
    require_gradients,
    respond,
    worst_case,
)
from shaketable.settings import require_number, require_whole
from shaketable.statistics import Interval, ratio_interval, share_interval


@dataclass(frozen=True, kw_only=True)
class Neighbourhood:
    """Shake a worst case itself: add random data noise and see whether the artefact stays.

    With ``a = f(A(x + r)) - f(A x)`` and ``v = A* e`` scaled to ``‖v‖ = noise_ratio · ‖r‖``, e
    complex Gaussian data noise, a draw keeps the artefact where the share of it that is left,
    ``Re⟨a, f(A(x + r + v)) - f(A x)⟩ / ⟨a, a⟩``, is at least ``keeps``.

    Parameters
    ----------
    radius
        Relative radius of the worst case, image domain.
    search
        How to search it.
    noise_ratio
        Size of the noise relative to the worst case; the paper's is one quarter. With several, the
        same draws are scaled to each, and the verdict rests on the first.
    n_draws
        Draws per image and ratio, or one number for every ratio in their order.
    n_draws_stable
        Draws of the stable methods, where they are to have fewer than the network: the verdict rests
        on the network's share, and a stable method can take long.
    keeps
        Share of the artefact that a draw must keep to count.

    Examples
    --------
    >>> Neighbourhood().noise_ratio
    0.25
    """

    radius: float = 0.02
    search: Search = field(default_factory=Search)
    noise_ratio: float | Sequence[float] = 0.25
    n_draws: int | Sequence[int] = 20
    n_draws_stable: int | None = None
    keeps: float = 0.5

    name = "neighbourhood"

    def __post_init__(self) -> None:
        require_number("radius", self.radius, above=0, at_most=LARGEST_RADIUS)
        for ratio in self.noise_ratios:
            require_number("noise_ratio", ratio, above=0)
        for n in self.draws:
            require_whole("n_draws", n, at_least=1)
        if self.n_draws_stable is not None:
            require_whole("n_draws_stable", self.n_draws_stable, at_least=1)
        require_number("keeps", self.keeps, above=0, at_most=1)
        if not 0 < len(self.noise_ratios) == len(self.draws):
            raise InputError(
                "Expected one n_draws for all noise ratios, or one for each, got "
                f"{self.n_draws} for {self.noise_ratio}."
            )

    @property
    def noise_ratios(self) -> tuple[float, ...]:
        """The sizes of the noise relative to the worst case, the first one first."""
        one_or_more = self.noise_ratio
        return tuple(one_or_more) if isinstance(one_or_more, Sequence) else (one_or_more,)

    @property
    def draws(self) -> tuple[int, ...]:
        """The number of draws for every ratio."""
        one_or_more = self.n_draws
        if isinstance(one_or_more, Sequence):
            return tuple(one_or_more)
        return (one_or_more,) * len(self.noise_ratios)

    def describe(self) -> dict[str, object]:
        """Settings for the record."""
        ratios = list(self.noise_ratios)
        return {
            "radius": self.radius,
            "search": self.search.describe(),
            "noise_ratio": ratios if len(ratios) > 1 else ratios[0],
            "n_draws": list(self.n_draws) if isinstance(self.n_draws, Sequence) else self.n_draws,
            "n_draws_stable": self.n_draws_stable,
            "keeps": self.keeps,
        }

    def items(self, subject: Subject) -> tuple[Item, ...]:
        """One per image."""
        return one_item_per_image(self.name, subject)

    def evidence(self, subject: Subject, seed: int) -> tuple[Check, ...]:
        """The configured search finds the instabilities of known size, see `strength_check`."""
        require_gradients(subject.problem)
        images = subject.images[:1]
        search = self.search
        return (strength_check(subject.problem, images, "image", search, seed, name=_STRENGTH),)

    def measure(self, subject: Subject, item: Item, seed: int, on_progress: OnProgress) -> Outcome:
        """Shake the worst case of one image, for every method its own."""
        image = subject.problem.prepare(subject.images[item.index : item.index + 1])
        records: list[Record] = []
        arrays: dict[str, Array] = {"image": array(image[0])}
        n = len(subject.methods)
        for index, method in enumerate(subject.methods):

            def report(doing: str, share: float, index: int = index) -> None:
                on_progress(doing, (index + share) / n)

            finding = self._search(method, image, seed, report)
            rows, noisy = self._shake(method, image, finding, seed, report)
            about = {
                "probe": self.name, "item": item.key, "method": method.name, "role": method.role,
                "image": subject.image_ids[item.index],
            }  # fmt: skip
            records += [about | row for row in rows]
            base = f"methods/{method.name}"
            arrays[f"{base}/clean"] = array(finding.clean[0])
            arrays[f"{base}/perturbation"] = array(finding.perturbation[0])
            arrays[f"{base}/perturbed"] = array(finding.reconstruction[0])
            arrays[f"{base}/noisy"] = noisy[0]
            for noise_ratio, picture in zip(self.noise_ratios[1:], noisy[1:], strict=True):
                arrays[f"{base}/noisy at {noise_ratio:g}"] = picture
        return Outcome(records=tuple(records), arrays=arrays)

    def _search(
        self, method: Method, image: Tensor, seed: int, report: Callable[[str, float], None]
    ) -> Finding:
        """The worst case of one image: the first third of an item's work."""

        def on_step(step: Step) -> None:
            report(f"searching {method.name}", _SEARCHING * step.iteration / step.n_iterations)

        finding = worst_case(
            method.problem, image, radius=self.radius, search=self.search, seed=seed,
            on_step=on_step,
        )  # fmt: skip
        if finding.status[0] is Status.INTERRUPTED:
            raise KeyboardInterrupt
        return finding

    def _shake(
        self, method: Method, image: Tensor, finding: Finding, seed: int,
        report: Callable[[str, float], None],
    ) -> tuple[list[Record], list[Array]]:  # fmt: skip
        """Count, for every ratio, the draws that keep the artefact; a picture of the first draw."""
        few = self.n_draws_stable if method.role == "baseline" else None
        planned = [few or n_draws for n_draws in self.draws]
        rows: list[Record] = []
        noisy: list[Array] = []
        done = 0
        for noise_ratio, n_draws in zip(self.noise_ratios, planned, strict=True):
            kept = 0
            outputs = self._outputs(method, image, finding, noise_ratio, seed)
            for draw, output in enumerate(islice(outputs, n_draws)):
                kept += self._keeps(finding, output)
                noisy += [array(output[0])] if draw == 0 else []
                done += 1
                share = _SEARCHING + (1 - _SEARCHING) * done / sum(planned)
                report(f"shaking {method.name}", share)
            rows.append(self._record(finding, noise_ratio, kept, n_draws))
        return rows, noisy

    def _record(self, finding: Finding, noise_ratio: float, kept: int, n_draws: int) -> Record:
        interval = share_interval(kept, n_draws)
        return {
            "radius": self.radius,
            "noise_ratio": noise_ratio,
            "n_draws": n_draws,
            "n_persisting": kept,
            "interval": [interval.low, interval.high],
            "error": number(finding.error[0]),
            "status": str(finding.status[0]),
            "n_gradients": int(finding.n_gradients[0]),
            "seed": finding.seed,
        }

    def _outputs(
        self, method: Method, image: Tensor, finding: Finding, noise_ratio: float, seed: int
    ) -> Iterator[Tensor]:
        """Reconstructions of ``x + r + v``, one draw of ``v`` after the other, without end."""
        perturbation = finding.perturbation
        size = noise_ratio * float(torch.linalg.vector_norm(perturbation))
        generator = torch.Generator().manual_seed(seed)
        while True:
            noise = self._noise(method, image, generator, size)
            yield respond(method.problem, image, perturbation + noise, domain="image")

    def _keeps(self, finding: Finding, output: Tensor) -> bool:
        """Whether enough of the artefact is left; of no artefact there is not."""
        artefact = finding.reconstruction - finding.clean
        energy = float((artefact.conj() * artefact).real.sum())
        left = float((artefact.conj() * (output - finding.clean)).real.sum())
        return energy > 0 and left / max(energy, 1e-300) >= self.keeps

    @staticmethod
    def _noise(method: Method, image: Tensor, generator: torch.Generator, size: float) -> Tensor:
        """Gaussian data noise taken to the image by the adjoint and scaled to a norm."""
        A = method.problem.forward
        with torch.no_grad():
            like = A(image)
            e = torch.randn(like.shape, generator=generator, dtype=like.dtype).to(like.device)
            v = A.adjoint(e if A.sampled is None else e * A.sampled.to(e.device))
        v = v.real if method.problem.real and v.is_complex() else v
        return v * (size / float(torch.linalg.vector_norm(v)))

    def verdict(
        self, subject: Subject, records: Sequence[Record], checks: Sequence[Check]
    ) -> Verdict:
        """Judge whether a ball around the worst case is bad, and worse than the stable method.

        Unstable: significantly more than half of the draws keep the network's artefact, and that
        artefact is significantly larger than the stable method's own. Stable: significantly less
        than half keep it, or it is significantly not larger, every search of the network ran to its
        end, and the search has shown that it finds planted instabilities. Else inconclusive. Draws
        of one image share its worst case, so the interval speaks of noise around these images'
        worst cases.
        """
        name, baseline = subject.problem.name, subject.primary_baseline
        measure = f"share of draws that keep at least {self.keeps:.0%} of the network's artefact"
        first = self.noise_ratios[0]
        records = [r for r in records if r.get("noise_ratio", first) == first]
        network = [r for r in records if r["role"] == "network"]
        found = [r for r in network if r["status"] == Status.FOUND]
        if not found:
            return Verdict(probe=self.name, verdict="inconclusive", measure=measure,
                           statement="Nothing can be said: no search of the network ended in a "
                           "state that supports a statement.")  # fmt: skip
        share = share_interval(
            sum(r["n_persisting"] for r in found), sum(r["n_draws"] for r in found)
        )
        ratio = self._ratio(found, records, baseline)
        if ratio is None:
            word: VerdictWord = "inconclusive"
            size = "there is no stable method's artefact to compare its size with"
        else:
            word, doubt = _word(share, ratio, len(found) == len(network), checks)
            size = (
                f"the artefact of {name} is {plain(ratio.estimate)} times as large as that of "
                f"{baseline} ({support(ratio, plain)}){doubt}"
            )
        return Verdict(
            probe=self.name,
            verdict=word,
            measure=measure,
            estimate=share.estimate,
            interval=(share.low, share.high),
            n_images=len(found),
            statement=f"After noise of {percent(first)} of its size, "
            f"{percent(share.estimate)} of {share.n} draws keep the artefact "
            f"({percent(share.confidence)} interval {percent(share.low)} to {percent(share.high)}); "
            f"{size}.",
        )

    @staticmethod
    def _ratio(
        found: Sequence[Record], records: Sequence[Record], baseline: str | None
    ) -> Interval | None:
        """Size of the network's artefacts over the stable method's; None without pairs."""
        beside = {
            r["image"]: r["error"] for r in records
            if r["method"] == baseline and r["status"] == Status.FOUND and r["error"]
        }  # fmt: skip
        both = [r for r in found if r["image"] in beside and r["error"]]
        if not both:
            return None
        return ratio_interval([r["error"] for r in both], [beside[r["image"]] for r in both])


_SEARCHING = 0.3  # share of an item's progress that its search is
_STRENGTH = "search strength (neighbourhood)"


def _word(
    share: Interval, ratio: Interval, complete: bool, checks: Sequence[Check]
) -> tuple[VerdictWord, str]:
    """The verdict and, where small numbers do not mean stable, why."""
    if share.low > 0.5 and ratio.low > 1:
        return "unstable", ""
    if share.high >= 0.5 and ratio.high > 1:
        return "inconclusive", ""
    if not complete:
        return "inconclusive", ", but some searches support no statement"
    doubt = doubt_of_strength(checks, _STRENGTH)
    return ("inconclusive", doubt) if doubt else ("stable", not_covered(checks, _STRENGTH))
