"""Search: objective, ball, update, budget. Read `landscape.py` and `engine.py` first."""

from shaketable.chain import Chain, Domain, Executed, execute
from shaketable.search.ball import Ball, BoundBall
from shaketable.search.black_box import (
    BlackBox,
    worst_case_black_box,
    worst_case_black_box_path,
)
from shaketable.search.budget import Budget
from shaketable.search.continuation import Stage, continuation_schedule
from shaketable.search.engine import Step
from shaketable.search.finding import Finding, Status
from shaketable.search.lanczos import LeadingPairs, leading_pairs
from shaketable.search.margin import Margin, psnr_drop, relative_change, stability_margin
from shaketable.search.objectives import (
    ErrorNorm,
    LargestPatchError,
    Objective,
    PenalisedError,
    Reference,
    Towards,
)
from shaketable.search.path import worst_case_path
from shaketable.search.radii import LARGEST_RADIUS, increasing_radii
from shaketable.search.respond import random_perturbation, respond
from shaketable.search.search import Search
from shaketable.search.spectrum import Spectrum, local_spectrum
from shaketable.search.support import LowFrequencies, Span, Subspace
from shaketable.search.updates import (
    AdaptiveProjectedGradient,
    MomentumAscent,
    Origin,
    ProjectedAdam,
    ProjectedGradient,
    Seen,
    SphereAscent,
    State,
    Update,
)
from shaketable.search.worst_case import require_gradients, worst_case

__all__ = [
    "LARGEST_RADIUS",
    "AdaptiveProjectedGradient",
    "Ball",
    "BlackBox",
    "BoundBall",
    "Budget",
    "Chain",
    "Domain",
    "ErrorNorm",
    "Executed",
    "Finding",
    "LargestPatchError",
    "LeadingPairs",
    "LowFrequencies",
    "Margin",
    "MomentumAscent",
    "Objective",
    "Origin",
    "PenalisedError",
    "ProjectedAdam",
    "ProjectedGradient",
    "Reference",
    "Search",
    "Seen",
    "Span",
    "Spectrum",
    "SphereAscent",
    "Stage",
    "State",
    "Status",
    "Step",
    "Subspace",
    "Towards",
    "Update",
    "continuation_schedule",
    "execute",
    "increasing_radii",
    "leading_pairs",
    "local_spectrum",
    "psnr_drop",
    "random_perturbation",
    "relative_change",
    "require_gradients",
    "respond",
    "stability_margin",
    "worst_case",
    "worst_case_black_box",
    "worst_case_black_box_path",
    "worst_case_path",
]
