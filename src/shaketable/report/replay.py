"""How to replay: commands, versions, seeds and hashes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shaketable.report.quantities import MISSING, plain, readable
from shaketable.report.tables import Entry, Table
from shaketable.stored import Record, StoredRun, mapping, number, sequence, text

LONGEST_TABLE = 600
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class ReplaySection:
    """What somebody else needs to obtain the same numbers."""

    fingerprint: str
    weights: str
    tool: Pairs
    environment: Pairs
    plan: Pairs
    map: Pairs
    images: Table | None
    perturbations: Table | None


def build_replay(run: StoredRun) -> ReplaySection:
    """Return the section on replaying the run."""
    return ReplaySection(
        fingerprint=run.fingerprint,
        weights=text(run.problem, "weights_sha256"),
        tool=flattened(mapping(run.results, "tool")),
        environment=flattened(mapping(run.results, "environment")),
        plan=flattened(run.plan),
        map=flattened(mapping(run.problem, "map")),
        images=_images(run),
        perturbations=_perturbations(run),
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
        for image in run.images
    ]
    return Table(
        caption="The tested images. The SHA-256 is taken over the pixel values, shape and type.",
        columns=("Image", "Pixels", "Peak", "‖x‖", "SHA-256"),
        rows=tuple(entries),
    )


def _perturbations(run: StoredRun) -> Table | None:
    stored = [r for r in run.records("worst_case") if r.get("replay_sha256")]
    found = stored[:LONGEST_TABLE]
    if not found:
        return None
    entries: list[tuple[Entry, ...]] = [
        (
            text(record, "image"),
            text(record, "domain"),
            text(record, "method"),
            readable(number(record, "radius")),
            text(record, "seed", MISSING),
            text(record, "n_gradients", MISSING),
            text(record, "replay_sha256"),
        )
        for record in found
    ]
    return Table(
        caption="The perturbations that were found, as stored in the arrays folder; "
        "results.json lists all of them.",
        columns=("Image", "Domain", "Method", "Radius", "Seed", "Gradients", "SHA-256"),
        rows=tuple(entries),
        fold=f"Hashes and seeds of {len(entries)} of {len(stored)} perturbations",
    )
