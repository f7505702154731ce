"""What the searches were tested on: planted instabilities of known size, found or not, at what cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shaketable.blocks import Entry, Table, percent, plain
from shaketable.stored import Record, number, searched_by, text
from shaketable.stored import sequence as items_of

_MARKS = {True: "✓", False: "✕"}
_MISSING = ("–", percent(None), plain(None))


@dataclass(frozen=True, kw_only=True)
class Tested:
    """One search with what it found, by the name of the planted instability."""

    label: str
    trials: Mapping[str, Record]


def tested_searches(checks: Sequence[Record]) -> tuple[Tested, ...]:
    """The checks that hold trials; runs of earlier versions have none."""
    found = []
    for check in checks:
        trials = [trial for trial in items_of(check, "trials") if isinstance(trial, Mapping)]
        if trials:
            by_name = {text(trial, "name", "unnamed"): trial for trial in trials}
            found.append((searched_by(check), by_name))
    alone = Counter(_label(*search) for search, _ in found)
    return tuple(
        Tested(label=_label(*search, full=alone[_label(*search)] > 1), trials=by_name)
        for search, by_name in found
    )


def _label(probe: str, domain: str, full: bool = False) -> str:
    """The domain, or the probe where that says more; both where the domain alone is ambiguous."""
    name = probe.replace("_", " ")
    place = f"{domain} domain" if domain else ""
    return ", ".join(filter(None, (name, place))) if full else place or name or "search"


def strength_table(checks: Sequence[Record]) -> Table | None:
    """One row per planted instability, three columns per search."""
    searches = tested_searches(checks)
    if not searches:
        return None
    planted: dict[str, Record] = {}
    for search in searches:
        planted |= {name: trial for name, trial in search.trials.items() if name not in planted}
    rows: list[tuple[Entry, ...]] = []
    for name, trial in planted.items():
        entries = [entry for search in searches for entry in _entries(search.trials.get(name))]
        wanted = "yes" if trial.get("led_to") is True else "no"
        rows.append((name, text(trial, "sentence"), wanted, *entries))
    return Table(
        caption="What the searches were tested on before the test: instabilities of known size, "
        "planted on the run\N{RIGHT SINGLE QUOTATION MARK}s own forward map. Share is the damage "
        "found over the largest possible; 90 % counts as found. Those that no gradient leads to from "
        "every start are not demanded: where they are missed, no search of this kind rules them out.",
        columns=(
            "Planted",
            "What is difficult",
            "Demanded",
            *("Found", "Share", "Gradients") * len(searches),
        ),
        groups=(("", 3), *((search.label, 3) for search in searches)),
        rows=tuple(rows),
    )


def _entries(trial: Record | None) -> tuple[Entry, ...]:
    if trial is None:
        return _MISSING
    found = trial.get("found")
    mark = _MARKS.get(found, "–") if isinstance(found, bool) else "–"
    return (mark, percent(number(trial, "share"), 3), plain(number(trial, "n_gradients"), 4))
