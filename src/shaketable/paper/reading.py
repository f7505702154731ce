"""What figures read from stored runs: records in order, pictures that must be there, PSNR."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shaketable.blocks.quantities import percent
from shaketable.errors import RunError
from shaketable.stored import Array, Record, StoredRun, mapping, number


def records_of(run: StoredRun, probe: str, domain: str = "") -> list[Record]:
    """The records of a probe, in one domain where it has them.

    Raises
    ------
    RunError
        If there are none, or none of a reference method.
    """
    found = [r for r in run.records(probe) if not domain or r["domain"] == domain]
    if not found or not run.baselines:
        raise RunError(
            f"Expected records of the probe {probe} for a network and a reference method in "
            f"{run.directory}, got none; remove the directory and run the command again."
        )
    return found


def of_method(
    records: Sequence[Record], method: str, image: str = "", by: str = "radius"
) -> list[Record]:
    """The records of one method, and of one image where it is named.

    They are in the order of the number ``by``; without one as they are stored.
    """
    found = [r for r in records if r["method"] == method and image in ("", r["image"])]
    return sorted(found, key=lambda record: float(record[by])) if by else found


def images_of(records: Sequence[Record]) -> list[str]:
    """The images that records are about, in stored order."""
    return list(dict.fromkeys(str(record["image"]) for record in records))


def picture(run: StoredRun, item: str, name: str, index: int | None = None) -> Array:
    """One stored picture ``(H, W)``, of a stack where an index is given; -1 is its last.

    Raises
    ------
    RunError
        If it is not there.
    """
    if index is not None and index < 0:
        stack = run.array(item, name)
        index += 0 if stack is None else len(stack)
    array = run.picture_array(item, name, index)
    if array is None:
        raise RunError(
            f"Expected the picture '{name}' of {item} in {run.directory}, got none; remove the "
            "directory and run the command again."
        )
    return array


def quality(reconstruction: Array, image: Array) -> float:
    """PSNR in dB, with the peak of the image."""
    import torch

    from shaketable.metrics import psnr

    pair = (torch.from_numpy(np.ascontiguousarray(a))[None] for a in (reconstruction, image))
    return float(psnr(*pair)[0])


def psnr_lost(record: Record) -> float:
    """Loss of PSNR to a worst case in dB; NaN where one of the two is missing."""
    before, after = number(record, "clean_psnr"), number(record, "perturbed_psnr")
    return float("nan") if before is None or after is None else before - after


def effort(run: StoredRun, probe: str) -> str:
    """How long was searched and how exactly the reference method solves, as a sentence or two."""
    planned = next(iter(run.planned.get(probe, ())), {})
    budget = mapping(mapping(planned, "search"), "budget")
    stable = run.baselines[0]
    gap = number(mapping(mapping(run.plan, "baselines"), stable), "gap")
    said = []
    if budget:
        said.append(
            f"Worst cases: lower bounds from at most {budget['n_gradients']} gradients each."
        )
    if gap is not None:
        said.append(f"{stable} is proven to be within {percent(gap)} of its minimum.")
    return " ".join(said)
