"""How a search moves: each update turns a point and its gradient into the next point."""

from shaketable.search.updates.adaptive import AdaptiveProjectedGradient
from shaketable.search.updates.momentum import MomentumAscent
from shaketable.search.updates.projected import ProjectedAdam, ProjectedGradient
from shaketable.search.updates.sphere import SphereAscent
from shaketable.search.updates.update import Origin, Seen, State, Update

__all__ = [
    "AdaptiveProjectedGradient",
    "MomentumAscent",
    "Origin",
    "ProjectedAdam",
    "ProjectedGradient",
    "Seen",
    "SphereAscent",
    "State",
    "Update",
]
