"""What `demo`, `run` and `zoo test` share: run a loaded plan, show it, write the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shaketable.cli.ends import Interrupted
from shaketable.cli.output import say, say_comparisons, say_report, say_verdicts
from shaketable.cli.progress import RunProgress
from shaketable.files import whole_file

if TYPE_CHECKING:
    from shaketable.plan import LoadedPlan
    from shaketable.runs import Run


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says of a run, beside its plan.

    Parameters
    ----------
    seed, device, workers
        In place of the plan's; None or empty for the plan's.
    scheduler
        Address of a Dask scheduler.
    store
        Folder of results that runs share.
    summary, junit
        Files to write for machines that build and test.
    """

    seed: int | None = None
    device: tuple[str, ...] = ()
    workers: int | None = None
    scheduler: str | None = None
    store: Path | None = None
    summary: Path | None = None
    junit: Path | None = None


def execute(loaded: LoadedPlan, out: Path, options: Options | None = None) -> Run:
    """Run a plan into a directory with progress, write its report, print verdicts and paths.

    Raises
    ------
    Interrupted
        After Ctrl-C, with a sentence on how to go on.
    """
    from shaketable.runs import run

    options = options or Options()
    try:
        with RunProgress() as progress:
            result = run(
                loaded.problems, loaded.images, loaded.plan, out=out,
                seed=loaded.seed if options.seed is None else options.seed,
                image_ids=loaded.image_ids, provenance=loaded.provenance,
                workers=_workers(loaded, options), scheduler=options.scheduler,
                device=options.device or loaded.device, store=options.store, on_event=progress,
            )  # fmt: skip
        report = result.report()
    except KeyboardInterrupt as error:
        raise Interrupted(_how_to_go_on(out)) from error
    say_verdicts(result.verdicts)
    say_comparisons(result.comparisons)
    for note in result.results.get("notes", ()):
        say(f"Note: {note}")
    write_summaries(result, options)
    say_report(report)
    return result


def _workers(loaded: LoadedPlan, options: Options) -> int | None:
    """Those of the command line, else of the plan, unless a scheduler has its own."""
    if options.workers is not None or options.scheduler is not None:
        return options.workers
    return loaded.workers


def write_summaries(run: Run, options: Options) -> None:
    """Write the files that other machines read, and say where they are."""
    from shaketable.report.exports import junit, markdown

    wanted: list[tuple[Path | None, Callable[..., str]]] = [
        (options.summary, markdown), (options.junit, junit)
    ]  # fmt: skip
    for path, make in wanted:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as part:
                part.write_text(make(run.results), encoding="utf-8")
            say(f"Wrote {path}")


def _how_to_go_on(out: Path) -> str:
    if not (out / "results.json").exists():
        return "Interrupted before any result was written; the same command starts again."
    return (
        f"Interrupted, with what is finished kept in '{out}'; the same command goes on from there, "
        f"and 'shaketable report {out}' shows what there is."
    )
