"""What `paper` does: run a figure's plan, draw it, say which claims hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shaketable.cli.output import say, say_table
from shaketable.cli.running import execute
from shaketable.errors import InputError

if TYPE_CHECKING:
    from shaketable.paper import Claim, Figure


def make_figures(which: str, out: Path, images: Path | None, weights: Path | None) -> None:
    """Make one figure of the paper, or all that there are with the table of claims.

    Every figure has a folder of its own in ``out``, with its run inside; finished work is kept.

    Raises
    ------
    Interrupted
        After Ctrl-C, with a sentence on how to go on.
    InputError, PlanError, WeightsError, RunError
        If the figure, images, weights or an earlier run do not fit.
    """
    from shaketable import paper

    claims: list[Claim] = []
    for figure in _figures(which):
        loaded = paper.load_figure(figure, images=images, weights=weights)
        folder = out / figure.name
        folder.mkdir(parents=True, exist_ok=True)
        execute(loaded, folder / "run")
        drawn, files = paper.write_figure(figure, folder / "run", folder)
        claims += drawn.claims
        for file in files:
            say(f"Wrote {file}")
    say_table(
        ("figure", "claim", "measured", "it"),
        [(str(c.figure), c.says, f"{c.quantity}: {c.measured.estimate:.3g}", c.outcome)
         for c in claims],
    )  # fmt: skip
    if which == "all":
        for file in paper.write_claims(claims, out):
            say(f"Wrote {file}")


def _figures(which: str) -> list[Figure]:
    from shaketable import paper

    numbers = paper.figure_numbers()
    if which == "all":
        return [paper.find_figure(number) for number in numbers]
    if which not in map(str, numbers):
        raise InputError(
            f"Expected {', '.join(map(str, numbers))} or all, got '{which}'; these are the figures "
            "that can be made."
        )
    return [paper.find_figure(int(which))]
