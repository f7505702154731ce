"""The sampling probe: settings, measurement, record, verdict, section of the report."""

from typing import TYPE_CHECKING

from shaketable.lazy import lazily
from shaketable.probes.sampling.record import SamplingRecord

if TYPE_CHECKING:
    from shaketable.probes.sampling.probe import Sampling

__all__ = ["Sampling", "SamplingRecord"]

__getattr__ = lazily(__name__, {"Sampling": "shaketable.probes.sampling.probe"})
