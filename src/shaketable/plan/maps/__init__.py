"""The forward maps that a plan can name: settings that build themselves, a file for each kind."""

from shaketable.plan.maps.built import BuiltMap, MapSettings

__all__ = ["BuiltMap", "MapSettings"]
