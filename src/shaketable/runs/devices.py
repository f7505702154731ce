"""Where measurements are made: a device per process."""

from __future__ import annotations

from dataclasses import replace

import torch

from shaketable.errors import InputError
from shaketable.modules import reachable_modules
from shaketable.runs.measuring import Bench


def require_device(name: str) -> torch.device:
    """The device of a name, if torch has it here.

    Raises
    ------
    InputError
        If it does not.

    Examples
    --------
    >>> require_device("cpu")
    device(type='cpu')
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"Expected a device that torch has here, got '{name}'; cpu always works."
        ) from error
    return device


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
