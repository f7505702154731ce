"""What `paper` does: run the plans of a figure, draw it, say which claims hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shaketable.cli.files import require_folder
from shaketable.cli.output import say, say_table
from shaketable.cli.running import execute
from shaketable.errors import InputError, WeightsError

if TYPE_CHECKING:
    from shaketable.paper import Claim, Figure, Own


def make_figures(which: str, out: Path, images: Sequence[str], weights: Sequence[str]) -> None:
    """Make one figure of the paper, or all that there are with the table of claims.

    Every figure has a folder of its own in ``out``, with its runs inside; finished work is kept.
    Networks without weights are left out, and said to be.

    Parameters
    ----------
    which
        A number, or ``all``.
    out
        Where everything is written.
    images, weights
        What the reader brings, as `shaketable.paper.read_own` takes it.

    Raises
    ------
    Interrupted
        After Ctrl-C, with a sentence on how to go on.
    InputError, PlanError, WeightsError, RunError
        If the figure, images, weights or an earlier run do not fit, or no network of the one figure
        has weights.
    """
    from shaketable import paper

    figures = _figures(which)
    require_folder(out)
    own = paper.read_own(images, weights, figures)
    claims: list[Claim] = []
    for figure in figures:
        if not _present(figure, own) and which != "all":
            raise WeightsError(
                f"Expected weights of {' or '.join(figure.networks)} for figure {figure.number}, got "
                "none in the package; give a file with --weights."
            )
        claims += _make(figure, own, out / figure.name)
    say_table(
        ("figure", "claim", "measured", "outcome"),
        [(str(c.figure), c.says, f"{c.quantity}: {c.measured.estimate:.3g}", c.outcome)
         for c in claims],
    )  # fmt: skip
    if which == "all":
        for file in paper.write_claims(claims, out):
            say(f"Wrote {file}")


def _make(figure: Figure, own: Own, folder: Path) -> Sequence[Claim]:
    """Run what a figure needs, draw it, and say what was written; no claims without a network."""
    from shaketable import paper

    present = _present(figure, own)
    for network in figure.networks:
        if network not in present:
            say(
                f"Left out of figure {figure.number}: {network}, of which the package has no weights."
            )
    if not present:
        return ()
    runs = {network: folder / "runs" / network for network in present}
    for network, directory in runs.items():
        loaded = paper.load_part(figure, network, own)
        directory.parent.mkdir(parents=True, exist_ok=True)
        execute(loaded, directory)
    drawn, files = paper.write_figure(figure, runs, folder)
    for file in files:
        say(f"Wrote {file}")
    return drawn.claims


def _present(figure: Figure, own: Own) -> list[str]:
    from shaketable import paper

    absent = paper.without_weights(figure, own)
    return [network for network in figure.networks if network not in absent]


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
