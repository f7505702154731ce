"""What makes two runs the same run: problem, images, plan and seed, by content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from shaketable.io import array_sha256
from shaketable.modules import reachable_modules
from shaketable.plan import Plan
from shaketable.probes import Subject
from shaketable.probes.probe import array, sampled_sha256


def image_entries(subject: Subject) -> list[dict[str, object]]:
    """One entry per image: id, hash, shape, dtype, peak and norm."""
    entries = []
    for name, image in zip(subject.image_ids, subject.images, strict=True):
        values = image.abs()
        entries.append(
            {
                "id": name,
                "sha256": array_sha256(array(image)),
                "shape": list(image.shape),
                "dtype": str(image.dtype).removeprefix("torch."),
                "peak": float(values.max()),
                "norm": float(torch.linalg.vector_norm(values.double())),
            }
        )
    return entries


def describe_problem(
    subject: Subject, provenance: Sequence[Mapping[str, Any]] = ()
) -> dict[str, object]:
    """The part of ``results.json`` that says what was tested.

    Parameters
    ----------
    subject
        What was tested.
    provenance
        File, slice and subject of every image, in their order; empty where nobody said.
    """
    entries = image_entries(subject)
    for entry, origin in zip(entries, provenance, strict=False):
        entry.update(origin)
    problem = subject.problem
    describe = getattr(problem.forward, "describe", None)
    described: dict[str, object] = (
        dict(describe())
        if callable(describe)
        else {
            "type": type(problem.forward).__name__,
            "image_shape": list(problem.forward.image_shape),
            "data_shape": list(problem.forward.data_shape),
        }
    )
    networks = [
        {"name": each.name, "weights_sha256": weights_sha256(each.reconstruct)}
        for each in subject.problems
    ]
    return {
        "network": problem.name,
        "weights_sha256": networks[0]["weights_sha256"],
        "networks": networks,
        "baseline": subject.primary_baseline,
        "baselines": list(subject.baselines),
        "map": described | {"sampled_sha256": sampled_sha256(problem.forward)},
        "real": problem.real,
        "units": problem.units,
        "images": entries,
    }


def identity(subject: Subject, plan: Plan, seed: int) -> dict[str, object]:
    """What a resumed run must share with the run it resumes."""
    problem = describe_problem(subject)
    return {
        "networks": problem["networks"],
        "map": problem["map"],
        # peak and norm are sums, which other thread counts round differently
        "images": [
            {key: entry[key] for key in ("id", "sha256", "shape", "dtype")}
            for entry in image_entries(subject)
        ],
        "plan": plan.describe(),
        "seed": seed,
    }


def weights_sha256(reconstruct: object) -> str | None:
    """Hash of a network's parameters and buffers; None where no module can be reached."""
    digest = hashlib.sha256()
    found = False
    for module in reachable_modules(reconstruct):
        state: Mapping[str, Any] = module.state_dict()
        for key in sorted(state):
            value = state[key]
            if isinstance(value, torch.Tensor):
                found = True
                digest.update(key.encode())
                digest.update(f"{value.dtype}{tuple(value.shape)}".encode())
                digest.update(_bytes(value))
    return digest.hexdigest() if found else None


def _bytes(value: torch.Tensor) -> bytes:
    """The memory of a tensor, of types that NumPy lacks too (bfloat16)."""
    flat = value.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
