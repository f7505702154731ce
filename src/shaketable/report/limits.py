"""What the report does not show: the honest limits, adapted to what was run."""

from __future__ import annotations

from collections.abc import Sequence

from shaketable.blocks import Caveat
from shaketable.blocks.quantities import counted, listed
from shaketable.report.sections import Shown
from shaketable.report.strength import tested_searches
from shaketable.stored import StoredRun, text


def build_limits(run: StoredRun, shown: Sequence[Shown]) -> tuple[Caveat, ...]:
    """Return what no probe shows, what each probe does not show, and what was not run."""
    return (
        *_images(run),
        *(caveat for one in shown for caveat in one.section.caveats),
        *_missed(run),
        *_reference(run),
        *_not_run(run, shown),
    )


def _images(run: StoredRun) -> list[Caveat]:
    count = counted(len(run.images), "image") if run.images else "the tested images"
    these = (
        "these versions of the networks" if len(run.networks) > 1 else "this version of the network"
    )
    return [
        Caveat(
            title="Only these images",
            text=f"The results hold for {count}, this sampling and {these}. "
            "Other anatomy, other scanners and other weights need their own test.",
        ),
        Caveat(
            title="Simulated data",
            text="The data were computed from known images with the forward map. Coil errors, motion, "
            "field inhomogeneity and other effects of a real measurement are not part of the test "
            "unless the forward map contains them.",
        ),
    ]


def _missed(run: StoredRun) -> list[Caveat]:
    missed = {
        name: text(trial, "sentence")
        for search in tested_searches(run.checks)
        for name, trial in search.trials.items()
        if trial.get("found") is False
    }
    if not missed:
        return []
    named = listed(f"“{name}” ({sentence})" for name, sentence in missed.items())
    return [
        Caveat(
            title="What the search did not find",
            text=f"Of the instabilities of known size that the search was tested on it missed {named}. "
            "A network that is unstable in such a way could pass as stable here.",
        )
    ]


def _reference(run: StoredRun) -> list[Caveat]:
    if not run.baselines:
        return [
            Caveat(
                title="No reference method beside it",
                text="This run has no reference method, so a number alone cannot be called good or "
                "bad.",
            )
        ]
    return [
        Caveat(
            title="The reference method is one choice",
            text=f"{listed(run.baselines)} with regularisation set by a rule that does not look at "
            "the true image. Other settings trade sharpness against stability; it is a yardstick, "
            "not the best possible reconstruction, and its own worst case is a lower bound too.",
        )
    ]


def _not_run(run: StoredRun, shown: Sequence[Shown]) -> list[Caveat]:
    known = {*run.planned, *run.not_applicable, *run.probes}
    missing = [one.section.title.lower() for one in shown if one.probe not in known]
    if not missing:
        return []
    return [
        Caveat(
            title="Probes that were not run",
            text=f"Nothing is known from this run about: {listed(missing)}.",
        )
    ]
