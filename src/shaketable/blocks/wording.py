"""How names in records and results are written for readers."""

from __future__ import annotations

from collections.abc import Sequence


def title_of(probe: str) -> str:
    """Return the name of a probe as a heading, for one that brings no title.

    Examples
    --------
    >>> title_of("failure_probability")
    'Failure probability'
    """
    return probe.replace("_", " ").capitalize() or "Unnamed probe"


def anchor_of(name: str) -> str:
    """Return an identifier for a link.

    Examples
    --------
    >>> anchor_of("worst_case"), anchor_of("Damage against size")
    ('worst-case', 'damage-against-size')
    """
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split()) or "section"


def status_of(status: str) -> str:
    """Return a status as readers see it, whatever way it is written in the record."""
    return status.replace("_", " ").lower() or "no status"


def subscript(index: int) -> str:
    """Return a small number: ``subscript(12)`` is "₁₂"."""
    return str(index).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def the_network(name: str, networks: Sequence[str], start: bool = False) -> str:
    """Return what a sentence calls a network: by its name where there are several.

    Examples
    --------
    >>> the_network("net", ["net"]), the_network("net", ["net"], start=True)
    ('the network', 'The network')
    >>> the_network("net", ["net", "other"])
    'net'
    """
    if len(networks) > 1:
        return name
    return "The network" if start else "the network"
