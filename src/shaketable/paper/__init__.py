"""The paper's figures: each some plans that are run and a sheet drawn from what was stored."""

from shaketable.paper.claims import Claim
from shaketable.paper.figure import Drawn, Figure
from shaketable.paper.making import (
    figure_numbers,
    find_figure,
    load_part,
    part_plan,
    without_weights,
    write_claims,
    write_figure,
)
from shaketable.paper.own import Own, read_own

__all__ = [
    "Claim",
    "Drawn",
    "Figure",
    "Own",
    "figure_numbers",
    "find_figure",
    "load_part",
    "part_plan",
    "read_own",
    "without_weights",
    "write_claims",
    "write_figure",
]
