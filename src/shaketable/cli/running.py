"""What `demo`, `run` and `zoo test` share: run a loaded plan, show it, write the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shaketable.cli.ends import Interrupted
from shaketable.cli.output import say, say_report, say_verdicts
from shaketable.cli.progress import RunProgress

if TYPE_CHECKING:
    from shaketable.plan import LoadedPlan
    from shaketable.runs import Run


def execute(loaded: LoadedPlan, out: Path) -> Run:
    """Run a plan into a directory with progress, write its report, print verdicts and paths.

    Raises
    ------
    Interrupted
        After Ctrl-C, with a sentence on how to go on.
    """
    from shaketable.runs import run

    try:
        with RunProgress() as progress:
            result = run(
                loaded.problem, loaded.images, loaded.plan, out=out, seed=loaded.seed,
                image_ids=loaded.image_ids, on_event=progress,
            )  # fmt: skip
        report = result.report()
    except KeyboardInterrupt as error:
        raise Interrupted(_how_to_go_on(out)) from error
    say_verdicts(result.verdicts)
    for note in result.results.get("notes", ()):
        say(f"Note: {note}")
    say_report(report)
    return result


def _how_to_go_on(out: Path) -> str:
    if not (out / "results.json").exists():
        return "Interrupted before any result was written; the same command starts again."
    return (
        f"Interrupted, with what is finished kept in '{out}'; the same command goes on from there, "
        f"and 'shaketable report {out}' shows what there is."
    )
