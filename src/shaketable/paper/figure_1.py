"""Figure 1: r1 < r2 < r3 turn a very good reconstruction step by step into an unrecognisable one."""

from __future__ import annotations

from shaketable.paper.figure import Drawn, Figure, Runs
from shaketable.paper.lost import drop_claims
from shaketable.paper.steps import Steps

STEPS = Steps(
    title="Worst perturbations of growing size", domain="image", symbol="r", of="‖x‖",
    drops=(1.0, 3.0, 10.0),
)  # fmt: skip


def draw(runs: Runs) -> Drawn:
    """Draw the first image; measure all of them.

    Raises
    ------
    RunError
        If the run holds no complete worst cases with their pictures.
    """
    (run,) = runs.values()
    sheet, numbers = STEPS.draw(run)
    claims = drop_claims(
        1, run, domain="image", whole=10.0, part=3.0, of="‖x‖",
        says="Tiny perturbations turn a very good reconstruction step by step into an unrecognisable "
        "one",
    )  # fmt: skip
    return Drawn(sheet=sheet, numbers=numbers, claims=claims)


FIGURE = Figure(number=1, networks=("deep-mri",), draw=draw)
