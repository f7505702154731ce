"""How to replay: commands, versions, seeds and hashes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shaketable.blocks import Entry, Table, plain
from shaketable.blocks.quantities import MISSING
from shaketable.blocks.tables import LONGEST_TABLE, count_of, rest_of
from shaketable.stored import Record, StoredRun, mapping, number, sequence, text

LONGEST_OPEN = 60
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class ReplaySection:
    """What somebody else needs to obtain the same numbers."""

    fingerprint: str
    weights: Pairs
    tool: Pairs
    environment: Pairs
    plan: Pairs
    map: Pairs
    images: Table | None


def build_replay(run: StoredRun) -> ReplaySection:
    """Return the section on replaying the run."""
    return ReplaySection(
        fingerprint=run.fingerprint,
        weights=tuple(run.weights.items()),
        tool=flattened(mapping(run.results, "tool")),
        environment=flattened(mapping(run.results, "environment")),
        plan=flattened(run.plan),
        map=flattened(mapping(run.problem, "map")),
        images=_images(run),
    )


def flattened(record: Record, prefix: str = "") -> Pairs:
    """Nested settings as ``name.name: value`` lines.

    Examples
    --------
    >>> flattened({"seed": 0, "search": {"n_steps": 3}})
    (('seed', '0'), ('search.n_steps', '3'))
    >>> flattened({"worst_case": [{"domain": "image"}, {"domain": "data"}]})
    (('worst_case.1.domain', 'image'), ('worst_case.2.domain', 'data'))
    """
    pairs: list[tuple[str, str]] = []
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            pairs += flattened(value, f"{name}.")
        elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
            numbered = {str(index + 1): part for index, part in enumerate(value)}
            pairs += flattened(numbered, f"{name}.")
        else:
            pairs.append((name, _written(value)))
    return tuple(pairs)


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _images(run: StoredRun) -> Table | None:
    if not run.images:
        return None
    entries: list[tuple[Entry, ...]] = [
        (
            text(image, "id", "unnamed"),
            " × ".join(str(side) for side in sequence(image, "shape")) or MISSING,
            plain(number(image, "peak")),
            plain(number(image, "norm")),
            text(image, "sha256", MISSING),
        )
        for image in run.images[:LONGEST_TABLE]
    ]
    n = len(run.images)
    return Table(
        caption="The tested images. The SHA-256 is taken over the pixel values, shape and type."
        f"{rest_of(n, 'results.json')}",
        columns=("Image", "Pixels", "Peak", "‖x‖", "SHA-256"),
        rows=tuple(entries),
        fold="" if n <= LONGEST_OPEN else count_of(n, "images"),
    )
