"""`shaketable check`: what a plan says, and the checks that a run begins with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shaketable.cli.output import say, say_checks, say_table

if TYPE_CHECKING:
    from shaketable.plan import LoadedPlan


def check_and_tell(path: Path) -> None:
    """Build everything a plan names, check map, network and reference methods, print the result.

    Raises
    ------
    PlanError, MapError, PreflightError
        With the first thing that is wrong.
    """
    from shaketable.checks import preflight
    from shaketable.maps import check_map
    from shaketable.plan import load_plan
    from shaketable.probes import Subject

    loaded = load_plan(path)
    check_map(loaded.problem.forward, dtype=loaded.images.dtype)
    subject = Subject(
        problems=loaded.problems, images=loaded.images, image_ids=loaded.image_ids,
        baselines=loaded.plan.baselines,
    )  # fmt: skip
    reports = {m.name: preflight(m.problem, loaded.images) for m in subject.methods}
    for report in reports.values():
        report.raise_if_failed()
    say_table(("part", "is"), _parts(loaded))
    for name, report in reports.items():
        say(f"\nChecks of {name}:")
        say_checks(report.checks)
    say(f"\n{path} is fine; next: shaketable run {path} --out DIR")


def _parts(loaded: LoadedPlan) -> list[tuple[str, str]]:
    """The parts of a plan in words."""
    forward, shape = loaded.problem.forward, tuple(loaded.images.shape[1:])
    kind = "real" if loaded.problem.real else "complex"
    probes = [
        f"{probe.name} {getattr(probe, 'domain', '')}".strip() for probe in loaded.plan.probes
    ]
    return [
        ("network", loaded.problem.name),
        ("map", f"{type(forward).__name__}, data {tuple(forward.data_shape)}"),
        ("images", f"{len(loaded.images)} {kind}, {shape[0]} x {shape[1]}"),
        ("reference methods", ", ".join(loaded.plan.baselines) or "none"),
        ("probes", ", ".join(probes)),
    ]
