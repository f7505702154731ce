"""Plans as they are stored with a run: every setting written out, every path absolute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shaketable.plan.schema import PlanSpec


def resolved(spec: PlanSpec, folder: Path) -> dict[str, Any]:
    """Plain data from which the same plan can be built in any directory.

    Where it is computed is left out: another machine may have other devices.

    Parameters
    ----------
    spec
        The plan.
    folder
        What its relative paths start from.
    """
    data: dict[str, Any] = spec.model_dump(mode="json", exclude={"device", "workers"})
    networks = data.get("networks", [data.get("network")])
    if spec.map is None and any("zoo" in network for network in networks):
        data["map"] = {"type": "zoo"}
    for network in networks:
        if "object" in network:
            network.setdefault("folder", ".")
    for part in (*networks, data["images"]):
        for name in ("folder", "weights", "path"):
            if name in part:
                part[name] = str((folder / Path(part[name]).expanduser()).resolve())
    return data
