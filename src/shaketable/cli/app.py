"""The verbs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import shaketable
from shaketable.cli.zoo import zoo_app

app = typer.Typer(
    name="shaketable",
    help="The stability test for learned image reconstruction.",
    epilog="Exit codes: 0 done, nothing unstable; 1 something unstable or a limit exceeded; "
    "2 the plan, the input or a check is wrong; 3 inconclusive.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: drawing boxes takes longer than everything else in it
    invoke_without_command=True,
)
app.add_typer(zoo_app, name="zoo")

PlanPath = Annotated[Path, typer.Argument(metavar="PLAN", help="A plan, as 'init' writes one.")]
RunPath = Annotated[Path, typer.Argument(metavar="DIR", help="The directory of a run.")]


class Example(StrEnum):
    """What `init` can write."""

    mri = "mri"
    ct = "ct"


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"shaketable {shaketable.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001  (handled by its callback)
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[  # noqa: ARG001  (handled before the arguments are parsed)
        bool, typer.Option("--debug", help="Show where an error came from; works with every verb.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the run is stored.")] = Path(
        "demo"
    ),
) -> None:
    """Test the bundled network in three minutes and write a report.

    The network and its held-out images come with the package and its libraries; the same
    command goes on with a demo that was interrupted.
    """
    from shaketable.cli.running import execute
    from shaketable.plan import load_zoo_plan

    execute(load_zoo_plan("demo"), out)


@app.command()
def check(plan: PlanPath) -> None:
    """Check a plan and all it names; nothing is run or written."""
    from shaketable.cli.checking import check_and_tell

    check_and_tell(plan)


@app.command()
def run(
    plan: PlanPath,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The run's directory; resumed if it exists.")
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Set a field of the plan: seed=3."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="In place of the plan's seed.")] = None,
    device: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="cpu, cuda, cuda:0, mps; several for one worker each."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes on this machine; this one if left out.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler, in place of workers.")
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Results that runs share; none measured twice."),
    ] = None,
    summary: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the verdicts as Markdown.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the verdicts as JUnit XML.")
    ] = None,
) -> None:
    """Run a plan, or go on where it stopped, and write the report."""
    from shaketable.cli.running import Options, execute
    from shaketable.plan import load_plan

    options = Options(
        seed=seed, device=tuple(device or ()), workers=workers, scheduler=scheduler, store=store,
        summary=summary, junit=junit,
    )  # fmt: skip
    raise typer.Exit(execute(load_plan(plan, set_ or ()), out, options).exit_code)


@app.command()
def compare(
    directories: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Directories of two or more runs.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new directory for the comparison.")],
) -> None:
    """Compare stored runs of the same images and write one report."""
    from shaketable.cli.output import say, say_comparisons, say_report
    from shaketable.runs.compare import compare_runs

    result = compare_runs(directories, out)
    say_comparisons(result.comparisons)
    for note in result.results["notes"]:
        say(f"Note: {note}")
    say_report(result.report())


@app.command()
def report(
    directory: RunPath,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file; report.html in DIR by default.")
    ] = None,
) -> None:
    """Write the report of a stored run; the network is not needed."""
    from shaketable.cli.output import say_report
    from shaketable.report import build_report

    say_report(build_report(directory, out))


@app.command()
def show(
    directory: RunPath,
    probe: Annotated[
        str | None, typer.Argument(metavar="[PROBE]", help="One probe, for example worst_case.")
    ] = None,
) -> None:
    """Print the verdicts of a run and replay its perturbations.

    The network, images and reference methods are made again from the plan that is stored with the
    run; every stored perturbation is executed again and its error compared with the record.
    """
    from shaketable.cli.showing import show_run

    show_run(directory, probe)


@app.command()
def paper(
    figure: Annotated[
        str, typer.Argument(metavar="FIGURE", help="1 to 5, or all, which adds a table of claims.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where figures and runs go; resumed if it exists.")
    ],
    images: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NETWORK=]PATH",
            help="File or folder of images, for one network or all. Default: held-out ones.",
        ),
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NETWORK=]FILE",
            help="Weights of a network; name it where several are shown. Default: shipped.",
        ),
    ] = None,
) -> None:
    """Make a figure of the paper and say which of its claims hold."""
    from shaketable.cli.paper import make_figures

    make_figures(figure, out, images or [], weights or [])


@app.command()
def init(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="The file to write.")],
    example: Annotated[Example, typer.Option(help="What the plan is about.")] = Example.mri,
) -> None:
    """Write a commented plan that runs as it stands."""
    from shaketable.cli.files import write_new
    from shaketable.cli.output import say
    from shaketable.plan.templates import example_plan

    write_new(plan, example_plan(example.value))
    say(f"Wrote {plan}; next: shaketable run {plan} --out runs/{plan.stem}")
