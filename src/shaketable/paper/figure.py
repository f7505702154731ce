"""What a figure of the paper is here: a plan that is run, and a drawing of what was stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shaketable.paper.claims import Claim
from shaketable.paper.sheet import Sheet
from shaketable.report.stored import StoredRun


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A figure made from a run.

    Parameters
    ----------
    sheet
        The pictures.
    numbers
        Plain data behind them.
    claims
        What the paper says about it, measured.
    """

    sheet: Sheet
    numbers: Mapping[str, Any]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of the paper.

    Parameters
    ----------
    number
        As in the paper.
    network
        The network of the zoo that it shows.
    draw
        From the stored run of the plan ``figure-NUMBER`` to the figure.
    """

    number: int
    network: str
    draw: Callable[[StoredRun], Drawn]

    @property
    def name(self) -> str:
        """Of its plan, folder and files."""
        return f"figure-{self.number}"
