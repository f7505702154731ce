"""Records made by hand, to see what verdicts make of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shaketable.checks import Check
from shaketable.probes import Measured, Record
from shaketable.records import from_row

NETWORK, STABLE = "net", "tv"
Row = dict[str, Any]


def measured(
    kind: type[Record], rows: Iterable[Mapping[str, Any]], *, evidence: tuple[Check, ...] = (),
    baselines: tuple[str, ...] = (STABLE,),
) -> Measured[Any]:  # fmt: skip
    """Rows as typed records of the network and the reference methods beside it."""
    return Measured(
        network=NETWORK, reference=next(iter(baselines), None), evidence=evidence,
        records=tuple(from_row(kind, row) for row in rows),
    )  # fmt: skip


def strength(name: str, *, passed: bool = True) -> tuple[Check, ...]:
    """The check that a search finds what was planted."""
    return (Check(name=name, value=0.99, limit=0.9, passed=passed, sentence="Made by hand."),)


def rows(probe: str, method: str, values: Row, **lists: list[Any]) -> list[Row]:
    """One record per image; every list holds one entry per image, in order."""
    n = len(next(iter(lists.values())))
    role = "network" if method == NETWORK else "baseline"
    return [
        {"probe": probe, "item": f"{probe}-i{index}", "method": method, "role": role,
         "image": f"i{index}"} | values | {key: entries[index] for key, entries in lists.items()}
        for index in range(n)
    ]  # fmt: skip


def worst(
    method: str, errors: list[float | None], *, radius: float = 0.04, n_gradients: int = 100,
    statuses: list[str] | None = None, given: list[float | None] | None = None,
) -> list[Row]:  # fmt: skip
    """Worst-case records; the perturbation has norm one, so the error is the amplification."""
    extra = {"radius": radius, "domain": "image", "n_gradients": n_gradients}
    return rows(
        "worst_case", method, extra, error=errors, amplification=errors,
        perturbation_norm=[1.0] * len(errors),
        status=statuses or ["found"] * len(errors),
        given_network_error=given or [None] * len(errors),
    )  # fmt: skip
