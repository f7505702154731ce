"""The neighbourhood probe: settings, measurement, record, verdict, section of the report."""

from typing import TYPE_CHECKING

from shaketable.lazy import lazily
from shaketable.probes.neighbourhood.record import NeighbourhoodRecord

if TYPE_CHECKING:
    from shaketable.probes.neighbourhood.probe import Neighbourhood

__all__ = ["Neighbourhood", "NeighbourhoodRecord"]

__getattr__ = lazily(__name__, {"Neighbourhood": "shaketable.probes.neighbourhood.probe"})
