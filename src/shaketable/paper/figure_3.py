"""Figure 3: perturbations of AUTOMAP's data make the image and a heart inside it disappear."""

from __future__ import annotations

import numpy as np

from shaketable.blocks.quantities import percent
from shaketable.paper.claims import Claim, below
from shaketable.paper.figure import Drawn, Figure, Runs
from shaketable.paper.lost import drop_claims
from shaketable.paper.reading import images_of, of_method, picture, records_of
from shaketable.paper.steps import Steps
from shaketable.statistics import mean_interval
from shaketable.stored import Array, StoredRun

STEPS = Steps(
    title="Worst perturbations of the data, of growing size", domain="data", symbol="e", of="‖y‖",
    drops=(3.0, 10.0, 20.0, 30.0),
)  # fmt: skip


def draw(runs: Runs) -> Drawn:
    """Draw the first image; measure all of them.

    Raises
    ------
    RunError
        If the run holds no complete worst cases of the data with their pictures.
    """
    (run,) = runs.values()
    sheet, numbers = STEPS.draw(run)
    claims = drop_claims(
        3, run, domain="data", whole=10.0, part=3.0, of="‖y‖",
        says="Tiny perturbations of the data destroy the reconstruction",
    )  # fmt: skip
    return Drawn(sheet=sheet, numbers=numbers, claims=(*claims, _disappears(run)))


FIGURE = Figure(number=3, networks=("automap",), draw=draw)


def _disappears(run: StoredRun) -> Claim:
    records = records_of(run, "worst_case", "data")
    last = [of_method(records, run.network, image)[-1] for image in images_of(records)]
    measured = mean_interval(
        [
            correlation(
                picture(run, str(r["item"]), f"methods/{run.network}/perturbed", -1),
                picture(run, str(r["item"]), "image"),
            )
            for r in last
        ]
    )
    size = percent(float(last[0]["radius"]))
    return Claim(
        figure=3, network=run.network, measured=measured, unit="", units="images",
        outcome=below(measured, 0.5, 0.8),
        says="The image and the heart that was inserted disappear",
        quantity=f"correlation of the reconstruction with the image at {size} of ‖y‖",
        rule="holds where the interval lies below 0.5, in part below 0.8",
    )  # fmt: skip


def correlation(a: Array, b: Array) -> float:
    """Pearson's correlation of two pictures' magnitudes; 0 where one is constant.

    Examples
    --------
    >>> round(correlation(np.eye(3), 1 - np.eye(3)), 6)
    -1.0
    """
    centred = [np.abs(x) - np.abs(x).mean() for x in (a, b)]
    norms = [float(np.linalg.norm(x)) for x in centred]
    return float((centred[0] * centred[1]).sum()) / (norms[0] * norms[1]) if all(norms) else 0.0
