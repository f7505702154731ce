"""Shaketable: the stability test for learned image reconstruction.

The public names are loaded when they are first used, so that ``import shaketable`` and the command
line stay fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from shaketable.version import __version__

_WHERE = {
    "FourierMap": "maps",
    "MatrixMap": "maps",
    "MultiCoilFourierMap": "maps",
    "NumpyMap": "maps",
    "RadonMap": "maps",
    "check_map": "maps",
    "Problem": "problem",
    "preflight": "checks",
    "Finding": "search",
    "BlackBox": "search",
    "Budget": "search",
    "MomentumAscent": "search",
    "Search": "search",
    "Spectrum": "search",
    "SphereAscent": "search",
    "local_spectrum": "search",
    "stability_margin": "search",
    "worst_case": "search",
    "worst_case_black_box": "search",
    "worst_case_black_box_path": "search",
    "worst_case_path": "search",
    "load_images": "io",
    "WorstCase": "probes",
    "Structural": "probes",
    "Sampling": "probes",
    "Neighbourhood": "probes",
    "Plan": "plan",
    "run": "runs",
}
_ROOMS = ("details", "io", "maps", "metrics", "search", "sparse", "statistics", "testing", "zoo")

__all__ = ["__version__", *_WHERE, *_ROOMS]

if TYPE_CHECKING:
    from shaketable import details, io, maps, metrics, search, sparse, statistics, testing, zoo
    from shaketable.checks import preflight
    from shaketable.io import load_images
    from shaketable.maps import (
        FourierMap,
        MatrixMap,
        MultiCoilFourierMap,
        NumpyMap,
        RadonMap,
        check_map,
    )
    from shaketable.plan import Plan
    from shaketable.probes import Neighbourhood, Sampling, Structural, WorstCase
    from shaketable.problem import Problem
    from shaketable.runs.run import run
    from shaketable.search import (
        BlackBox,
        Budget,
        Finding,
        MomentumAscent,
        Search,
        Spectrum,
        SphereAscent,
        local_spectrum,
        stability_margin,
        worst_case,
        worst_case_black_box,
        worst_case_black_box_path,
        worst_case_path,
    )


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"shaketable.{_WHERE[name]}"), name)
    if name in _ROOMS:
        return import_module(f"shaketable.{name}")
    raise AttributeError(f"module 'shaketable' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
