"""The structural probe: settings, measurement, record, verdict, section of the report."""

from typing import TYPE_CHECKING

from shaketable.lazy import lazily
from shaketable.probes.structural.record import StructuralRecord

if TYPE_CHECKING:
    from shaketable.probes.structural.probe import Structural

__all__ = ["Structural", "StructuralRecord"]

__getattr__ = lazily(__name__, {"Structural": "shaketable.probes.structural.probe"})
