"""Search: objective, ball, update, budget. Read `worst_case.py` first."""

from shaketable.search.finding import Domain, Finding, Status
from shaketable.search.lanczos import LeadingPairs, leading_direction, leading_pairs
from shaketable.search.respond import random_perturbation, respond
from shaketable.search.spectrum import Spectrum, local_spectrum
from shaketable.search.updates import MomentumAscent, SphereAscent, State, Update
from shaketable.search.worst_case import Step, require_gradients, worst_case, worst_case_path

__all__ = [
    "Domain",
    "Finding",
    "LeadingPairs",
    "MomentumAscent",
    "Spectrum",
    "SphereAscent",
    "State",
    "Status",
    "Step",
    "Update",
    "leading_direction",
    "leading_pairs",
    "local_spectrum",
    "random_perturbation",
    "require_gradients",
    "respond",
    "worst_case",
    "worst_case_path",
]
