"""The probes: kinds of test. `probe.py` says what one is."""

from shaketable.probes.neighbourhood import Neighbourhood
from shaketable.probes.probe import Item, Method, Outcome, Probe, Record, Subject, Verdict
from shaketable.probes.sampling import Sampling
from shaketable.probes.structural import Structural
from shaketable.probes.worst_case import WorstCase

__all__ = [
    "Item",
    "Method",
    "Neighbourhood",
    "Outcome",
    "Probe",
    "Record",
    "Sampling",
    "Structural",
    "Subject",
    "Verdict",
    "WorstCase",
]
