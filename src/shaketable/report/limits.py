"""What the report does not show: the honest limits, adapted to what was run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from shaketable.report.quantities import counted, listed
from shaketable.report.strength import tested_searches
from shaketable.report.views import structural_rows, worst_case_rows
from shaketable.report.words import PROBES, title_of
from shaketable.stored import StoredRun, text
from shaketable.stored import sequence as items_of

Limit = tuple[str, str]


def build_limits(run: StoredRun) -> tuple[Limit, ...]:
    """Pairs of a short name and the sentences of one limit."""
    return (
        *_images(run),
        *_worst_case(run),
        *_missed(run),
        *_structural(run),
        *_sampling(run),
        *_neighbourhood(run),
        *_stable_method(run),
        *_not_run(run),
    )


def _images(run: StoredRun) -> list[Limit]:
    count = counted(len(run.images), "image") if run.images else "the tested images"
    return [
        (
            "Only these images",
            f"The results hold for {count}, this sampling and this version of the network. "
            "Other anatomy, other scanners and other weights need their own test.",
        ),
        (
            "Simulated data",
            "The data were computed from known images with the forward map. Coil errors, motion, "
            "field inhomogeneity and other effects of a real measurement are not part of the test "
            "unless the forward map contains them.",
        ),
    ]


def _worst_case(run: StoredRun) -> list[Limit]:
    rows = worst_case_rows(run)
    if not rows:
        return []
    limits = [
        (
            "A worst case is a lower bound",
            "The search finds bad perturbations, not the worst that exist. An unstable network is "
            "proven by one example; a stable one is only as certain as the search is strong.",
        ),
        (
            "No statement on frequency",
            "The perturbations were looked for on purpose. The report does not say how often "
            "something like them occurs in practice.",
        ),
        (
            "Invisible is not measured",
            "Sizes are Euclidean norms. Whether an eye sees a perturbation of a given size "
            "depends on the image, the display and the reader.",
        ),
    ]
    trouble = Counter(row.status for row in rows if row.status != "found")
    if trouble:
        ended = listed(f"{count} “{status}”" for status, count in sorted(trouble.items()))
        limits.append(
            (
                "Not every search ended as planned",
                f"Of {counted(len(rows), 'search', 'searches')}: {ended}. A search that is stuck "
                "or has run out of budget may have missed something; it is not evidence of "
                "stability.",
            )
        )
    return limits


def _missed(run: StoredRun) -> list[Limit]:
    checks = [check for check in items_of(run.results, "checks") if isinstance(check, Mapping)]
    missed = {
        name: text(trial, "sentence")
        for search in tested_searches(checks)
        for name, trial in search.trials.items()
        if trial.get("found") is False
    }
    if not missed:
        return []
    named = listed(f"“{name}” ({sentence})" for name, sentence in missed.items())
    return [
        (
            "What the search did not find",
            f"Of the instabilities of known size that the search was tested on it missed {named}. "
            "A network that is unstable in such a way could pass as stable here.",
        )
    ]


def _structural(run: StoredRun) -> list[Limit]:
    details = dict.fromkeys(row.detail for row in structural_rows(run))
    if not details:
        return []
    return [
        (
            "Only these details",
            f"{counted(len(details), 'detail')} of given shape, contrast and position "
            f"({listed(details)}) were inserted. They stand for small structures; they are not "
            "a study of real lesions, and nobody read the images.",
        )
    ]


def _sampling(run: StoredRun) -> list[Limit]:
    if not run.records("sampling"):
        return []
    return [
        (
            "PSNR and SSIM are not diagnosis",
            "Both compare pixels with the known image. A reconstruction can score well and still "
            "miss what matters, which is why the details are tested on their own.",
        )
    ]


def _neighbourhood(run: StoredRun) -> list[Limit]:
    if not run.records("neighbourhood"):
        return []
    return [
        (
            "A neighbourhood of one kind",
            "The draws are Gaussian noise around the perturbations that were found. They show "
            "that bad perturbations are not isolated points, not how large the bad region is.",
        )
    ]


def _stable_method(run: StoredRun) -> list[Limit]:
    if not run.baselines:
        return [
            (
                "No stable method beside it",
                "This run has no stable method, so a number alone cannot be called good or bad.",
            )
        ]
    return [
        (
            "The stable method is one choice",
            f"{listed(run.baselines)} with regularisation set by a rule that does not look at the "
            "true image. Other settings trade sharpness against stability; it is a yardstick, "
            "not the best possible reconstruction, and its own worst case is a lower bound too.",
        )
    ]


def _not_run(run: StoredRun) -> list[Limit]:
    known = {*run.planned, *run.not_applicable}
    missing = [probe for probe in PROBES if not run.records(probe) and probe not in known]
    if not missing:
        return []
    return [
        (
            "Probes that were not run",
            "Nothing is known from this run about: "
            f"{listed(title_of(probe).lower() for probe in missing)}.",
        )
    ]
