"""Plans as they are stored with a run: every setting written out, every path absolute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shaketable.plan.schema import PlanSpec


def resolved(spec: PlanSpec, folder: Path) -> dict[str, Any]:
    """Plain data from which the same plan can be built in any directory.

    Parameters
    ----------
    spec
        The plan.
    folder
        What its relative paths start from.
    """
    data: dict[str, Any] = spec.model_dump(mode="json", exclude_none=True)
    if spec.map is None and spec.network.zoo is not None:
        data["map"] = {"type": "zoo"}
    parts = [
        data["network"],
        data.get("map", {}),
        data.get("map", {}).get("coils", {}),
        data["images"],
        *data.get("baselines", {}).values(),
    ]
    for part in parts:
        if "object" in part:
            part.setdefault("folder", ".")
        for name in ("folder", "weights", "mask", "file", "angles", "path"):
            if name in part:
                part[name] = str((folder / Path(part[name]).expanduser()).resolve())
    return data
