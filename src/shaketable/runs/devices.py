"""Where measurements are made: a device per process."""

from __future__ import annotations

from dataclasses import replace

from shaketable.modules import reachable_modules
from shaketable.runs.measuring import Bench


def on_device(bench: Bench, device: str) -> Bench:
    """The same on a device: images and the modules of all methods are moved there.

    Forward maps follow the images that they are given.
    """
    if device == "cpu":
        return bench
    subject = bench.subject
    for method in subject.methods:
        for module in reachable_modules(method.problem.reconstruct):
            module.to(device)
    return replace(bench, subject=replace(subject, images=subject.images.to(device)))
