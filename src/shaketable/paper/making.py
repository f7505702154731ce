"""From the number of a figure to files: the plans to run, the drawing, the table of claims."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shaketable.errors import InputError
from shaketable.files import whole_file
from shaketable.paper import figure_1, figure_2, figure_3, figure_4, figure_5
from shaketable.paper.claims import Claim, markdown, page
from shaketable.paper.drawing import require_matplotlib, write_sheet
from shaketable.paper.figure import Drawn, Figure
from shaketable.paper.own import Own
from shaketable.plan import LoadedPlan, plan_from
from shaketable.plan.templates import figure_plan
from shaketable.stored import load_run

SCHEMA = "shaketable.figure/1"

_FIGURES = {
    figure.number: figure
    for figure in (
        figure_1.FIGURE, figure_2.FIGURE, figure_3.FIGURE, figure_4.FIGURE, figure_5.FIGURE
    )
}  # fmt: skip


def figure_numbers() -> tuple[int, ...]:
    """The figures that can be made.

    Examples
    --------
    >>> figure_numbers()
    (1, 2, 3, 4, 5)
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


def without_weights(figure: Figure, own: Own) -> tuple[str, ...]:
    """The networks of a figure that have no weights: neither in the package nor of one's own."""
    from shaketable.zoo.registry import shipped_weights

    return tuple(
        name
        for name in figure.networks
        if name not in own.weights and not shipped_weights(name).is_file()
    )


def part_plan(figure: Figure, network: str, own: Own) -> dict[str, Any]:
    """The plan of one network of a figure as plain data, with what the reader brings in it.

    Raises
    ------
    InputError, WeightsError
        If weights of one's own cannot be used.
    """
    plan = figure_plan(f"{figure.name}-{network}")
    weights, images = own.weights.get(network), own.images.get(network)
    if weights is not None:
        plan["network"] = {**plan["network"], "weights": str(weights.resolve())}
    if images is not None:
        from shaketable import zoo

        loaded = zoo.load(network, weights=weights)
        scale = "hounsfield" if loaded.units and _in_hounsfield(images) else "max"
        kept = {name: plan["images"][name] for name in ("count", "real", "insert")
                if name in plan["images"]}  # fmt: skip
        plan["images"] = {
            "path": str(images.resolve()), "shape": list(loaded.forward.image_shape),
            "scale": scale, **kept,
        }  # fmt: skip
    return plan


def _in_hounsfield(images: Path) -> bool:
    """Whether some values are as low as air in Hounsfield units, which other images do not have."""
    from shaketable.io import load_images

    return any(float(image.array.real.min()) < -500 for image in load_images(images))


def load_part(figure: Figure, network: str, own: Own) -> LoadedPlan:
    """Make everything that the plan of one network of a figure names.

    Raises
    ------
    PlanError, InputError, WeightsError
        If images or weights cannot be used.
    MissingDependencyError
        If matplotlib is not installed.
    """
    require_matplotlib()  # before minutes of work that could not be drawn
    plan = part_plan(figure, network, own)
    return plan_from(plan, file=f"plan of {figure.name} for {network}")


def write_figure(
    figure: Figure, run_dirs: Mapping[str, Path], folder: Path
) -> tuple[Drawn, tuple[Path, ...]]:
    """Draw a figure from its runs: ``figure-N.png``, ``.pdf`` and ``.json`` in a folder.

    Parameters
    ----------
    figure
        Which.
    run_dirs
        The directories of the runs of its plans by network, in its order; ``shaketable show``
        replays them. A network that is absent is left out.
    folder
        Where to write; made if it does not exist.

    Raises
    ------
    RunError
        If a run is not complete.
    MissingDependencyError
        If matplotlib is not installed.
    """
    stored = {network: load_run(directory) for network, directory in run_dirs.items()}
    drawn = figure.draw(stored)
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / figure.name
    pictures = write_sheet(drawn.sheet, stem)
    runs = {
        network: {"directory": _beside(run.directory, folder), "results_sha256": run.fingerprint}
        for network, run in stored.items()
    }
    contents = {
        "schema": SCHEMA, "figure": figure.number, "runs": runs, **drawn.numbers,
        "claims": [claim.plain() for claim in drawn.claims],
    }  # fmt: skip
    numbers = stem.with_suffix(".json")
    _write(numbers, json.dumps(contents, indent=1, allow_nan=False) + "\n")
    return drawn, (*pictures, numbers)


def _beside(directory: Path, folder: Path) -> str:
    """A run's directory as seen from the figure's folder, where it lies inside."""
    inside = directory.is_relative_to(folder)
    return str(directory.relative_to(folder)) if inside else directory.name


def write_claims(claims: Sequence[Claim], folder: Path) -> tuple[Path, Path]:
    """Write ``claims.html`` and ``claims.md`` into a folder."""
    html, text = folder / "claims.html", folder / "claims.md"
    _write(html, page(claims))
    _write(text, markdown(claims))
    return html, text


def _write(path: Path, text: str) -> None:
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")
