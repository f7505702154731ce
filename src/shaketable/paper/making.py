"""From the number of a figure to files: the plan to run, the drawing, the table of claims."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from shaketable.errors import InputError
from shaketable.files import whole_file
from shaketable.paper import figure_1, figure_2
from shaketable.paper.claims import Claim, markdown, page
from shaketable.paper.figure import Drawn, Figure
from shaketable.paper.sheet import require_matplotlib
from shaketable.plan import LoadedPlan, plan_from
from shaketable.plan.templates import figure_plan
from shaketable.report.stored import load_run

SCHEMA = "shaketable.figure/1"

_FIGURES = {figure.number: figure for figure in (figure_1.FIGURE, figure_2.FIGURE)}


def figure_numbers() -> tuple[int, ...]:
    """The figures that can be made.

    Examples
    --------
    >>> figure_numbers()
    (1, 2)
    """
    return tuple(_FIGURES)


def find_figure(number: int) -> Figure:
    """The figure of a number.

    Raises
    ------
    InputError
        If it cannot be made.
    """
    if number not in _FIGURES:
        known = ", ".join(map(str, _FIGURES))
        raise InputError(f"Expected a figure among {known}, got {number}; choose one of these.")
    return _FIGURES[number]


def load_figure(
    figure: Figure, *, images: Path | None = None, weights: Path | None = None
) -> LoadedPlan:
    """Make everything that the figure's plan names.

    Parameters
    ----------
    figure
        Which.
    images
        File or folder of images to use in place of the network's held-out ones; they are resized to
        the network's size and divided by their peak.
    weights
        Weights to use in place of the shipped ones, as `shaketable.zoo.load` takes them.

    Raises
    ------
    PlanError, InputError, WeightsError
        If images or weights cannot be used.
    MissingDependencyError
        If matplotlib is not installed.
    """
    require_matplotlib()  # before minutes of work that could not be drawn
    plan = figure_plan(figure.name)
    if weights is not None:
        plan["network"] = {**plan["network"], "weights": str(weights.resolve())}
    if images is not None:
        from shaketable import zoo

        shape = zoo.load(figure.network, weights=weights).forward.image_shape
        plan["images"] = {
            "path": str(images.resolve()), "shape": list(shape), "scale": "max",
            "count": plan["images"]["count"],
        }  # fmt: skip
    return plan_from(plan, file=f"plan of {figure.name}")


def write_figure(figure: Figure, run_dir: Path, folder: Path) -> tuple[Drawn, tuple[Path, ...]]:
    """Draw a figure from its run: ``figure-N.png``, ``.pdf`` and ``.json`` in a folder.

    Parameters
    ----------
    figure
        Which.
    run_dir
        The directory of the run of its plan; ``shaketable show`` replays it.
    folder
        Where to write; made if it does not exist.

    Raises
    ------
    RunError
        If the run is not complete.
    MissingDependencyError
        If matplotlib is not installed.
    """
    stored = load_run(run_dir)
    drawn = figure.draw(stored)
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / figure.name
    pictures = drawn.sheet.write(stem)
    contents = {
        "schema": SCHEMA, "figure": figure.number, "run": run_dir.name,
        "results_sha256": stored.fingerprint, **drawn.numbers,
        "claims": [claim.plain() for claim in drawn.claims],
    }  # fmt: skip
    numbers = stem.with_suffix(".json")
    _write(numbers, json.dumps(contents, indent=1, allow_nan=False) + "\n")
    return drawn, (*pictures, numbers)


def write_claims(claims: Sequence[Claim], folder: Path) -> tuple[Path, Path]:
    """Write ``claims.html`` and ``claims.md`` into a folder."""
    html, text = folder / "claims.html", folder / "claims.md"
    _write(html, page(claims))
    _write(text, markdown(claims))
    return html, text


def _write(path: Path, text: str) -> None:
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")
