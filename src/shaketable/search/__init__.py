"""Search: objective, ball, update, budget. Read `worst_case.py` first."""

from shaketable.search.finding import Domain, Finding, Status, tensor_sha256
from shaketable.search.updates import MomentumAscent, SphereAscent, State, Update
from shaketable.search.worst_case import Step, worst_case, worst_case_path

__all__ = [
    "Domain",
    "Finding",
    "MomentumAscent",
    "SphereAscent",
    "State",
    "Status",
    "Step",
    "Update",
    "tensor_sha256",
    "worst_case",
    "worst_case_path",
]
