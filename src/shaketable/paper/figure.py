"""What a figure of the paper is here: plans that are run, and a drawing of what was stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shaketable.paper.claims import Claim
from shaketable.paper.sheet import Sheet
from shaketable.stored import StoredRun

Runs = Mapping[str, StoredRun]
"""The stored runs of a figure by network, in the figure's order; a network may be absent."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A figure made from runs.

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
    networks
        The networks of the zoo that it shows, top to bottom; each has the plan
        ``figure-NUMBER-NETWORK``.
    draw
        From the stored runs of these plans to the figure.
    """

    number: int
    networks: tuple[str, ...]
    draw: Callable[[Runs], Drawn]

    @property
    def name(self) -> str:
        """Of its folder and files."""
        return f"figure-{self.number}"
