"""The verbs of the zoo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

zoo_app = typer.Typer(
    help="The paper's networks: list, train, test, import.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    invoke_without_command=True,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="As 'zoo list' shows it.")]


@zoo_app.callback()
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@zoo_app.command("list")
def list_networks() -> None:
    """List the networks with what they are."""
    from shaketable.cli.zoo_verbs import tell_networks

    tell_networks()


@zoo_app.command()
def test(
    name: Name,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The run's directory; resumed if it exists.")
    ],
) -> None:
    """Run the standard plan on a network's held-out images."""
    from shaketable.cli.running import execute
    from shaketable.plan import load_zoo_plan

    execute(load_zoo_plan("standard", name), out)


@zoo_app.command()
def train(
    name: Name,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Checkpoint and weights; resumed if it exists.")
    ],
    images: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH", help="File or folder of images; several allowed. Default: bundled ones."
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Gradient steps; the recipe's by default.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or another torch device.")] = "cpu",
    seed: Annotated[int, typer.Option(help="Decides initial weights and samples.")] = 0,
) -> None:
    """Train a network, or go on with its training where it stopped."""
    from shaketable.cli.zoo_verbs import train_network

    train_network(name, out, images or [], steps=steps, device=device, seed=seed)


@zoo_app.command("import")
def import_weights(
    name: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The published file of weights.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What to write; NAME.safetensors here by default."),
    ] = None,
) -> None:
    """Check a published file of weights; write it as safetensors."""
    from shaketable.cli.zoo_verbs import import_network

    import_network(name, file, out or Path(f"{name}.safetensors"))
