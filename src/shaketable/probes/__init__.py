"""The probes: kinds of test, each in a folder of its own. `probe.py` says what one is."""

from typing import TYPE_CHECKING

from shaketable.lazy import lazily

if TYPE_CHECKING:
    from shaketable.probes.neighbourhood import Neighbourhood
    from shaketable.probes.probe import (
        Case,
        Measured,
        Method,
        Outcome,
        Probe,
        Scores,
        Subject,
        Verdict,
    )
    from shaketable.probes.sampling import Sampling
    from shaketable.probes.structural import Structural
    from shaketable.probes.worst_case import WorstCase
    from shaketable.records import Record

__all__ = [
    "Case",
    "Measured",
    "Method",
    "Neighbourhood",
    "Outcome",
    "Probe",
    "Record",
    "Sampling",
    "Scores",
    "Structural",
    "Subject",
    "Verdict",
    "WorstCase",
]

__getattr__ = lazily(
    __name__,
    {
        **dict.fromkeys(
            (
                "Case",
                "Measured",
                "Method",
                "Outcome",
                "Probe",
                "Record",
                "Scores",
                "Subject",
                "Verdict",
            ),
            "shaketable.probes.probe",
        ),
        "Record": "shaketable.records",
        "Neighbourhood": "shaketable.probes.neighbourhood.probe",
        "Sampling": "shaketable.probes.sampling.probe",
        "Structural": "shaketable.probes.structural.probe",
        "WorstCase": "shaketable.probes.worst_case.probe",
    },
)
