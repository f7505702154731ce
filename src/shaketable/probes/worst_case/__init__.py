"""The worst case probe: settings, measurement, record, verdict, section of the report."""

from typing import TYPE_CHECKING

from shaketable.lazy import lazily
from shaketable.probes.worst_case.record import WorstCaseRecord

if TYPE_CHECKING:
    from shaketable.probes.worst_case.probe import WorstCase

__all__ = ["WorstCase", "WorstCaseRecord"]

__getattr__ = lazily(__name__, {"WorstCase": "shaketable.probes.worst_case.probe"})
