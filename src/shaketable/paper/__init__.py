"""The paper's figures: each a plan that is run and a sheet drawn from what was stored."""

from shaketable.paper.claims import Claim
from shaketable.paper.figure import Drawn, Figure
from shaketable.paper.making import (
    figure_numbers,
    find_figure,
    load_figure,
    write_claims,
    write_figure,
)

__all__ = [
    "Claim",
    "Drawn",
    "Figure",
    "figure_numbers",
    "find_figure",
    "load_figure",
    "write_claims",
    "write_figure",
]
