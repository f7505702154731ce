"""Testing: problems whose worst case is known, and what share of it a search finds."""

from shaketable.testing.battery import MOST_GRADIENTS, StrengthReport, Trial, strength
from shaketable.testing.known import KnownProblem
from shaketable.testing.planting import Planted, plant
from shaketable.testing.plants import (
    PLANTS,
    beyond_radius,
    clustered,
    dead_zone,
    geometric,
    in_region,
    known_problems,
    local_maxima,
    one_of_batch,
    piecewise_linear,
    rank_one,
    saturated,
    spike,
)
from shaketable.testing.responses import Beyond, DeadZone, Gains, Rectified, Response, Saturated
from shaketable.testing.site import Site

__all__ = [
    "MOST_GRADIENTS",
    "PLANTS",
    "Beyond",
    "DeadZone",
    "Gains",
    "KnownProblem",
    "Planted",
    "Rectified",
    "Response",
    "Saturated",
    "Site",
    "StrengthReport",
    "Trial",
    "beyond_radius",
    "clustered",
    "dead_zone",
    "geometric",
    "in_region",
    "known_problems",
    "local_maxima",
    "one_of_batch",
    "piecewise_linear",
    "plant",
    "rank_one",
    "saturated",
    "spike",
    "strength",
]
