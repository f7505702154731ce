"""Where torch computes."""

from __future__ import annotations

import re

import torch

from shaketable.errors import InputError


def require_device(name: str) -> str:
    """A device by torch's name, once it is known to be there.

    Raises
    ------
    InputError
        If there is no such kind of device, or this machine has none of it.

    Examples
    --------
    >>> require_device("cpu")
    'cpu'
    >>> require_device("gpu")
    Traceback (most recent call last):
    shaketable.errors.InputError: Expected a device called cpu, cuda, cuda:0 or mps, got 'gpu'; \
choose one of them.
    """
    if not re.fullmatch(r"cpu|mps|cuda(:(0|[1-9][0-9]{0,3}))?", name):
        raise InputError(
            f"Expected a device called cpu, cuda, cuda:0 or mps, got {name!r}; choose one of them."
        )
    kind, _, index = name.partition(":")
    n_devices = {"cpu": 1, "mps": int(torch.backends.mps.is_available())}.get(kind)
    if n_devices is None:
        n_devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(index or 0) >= n_devices:
        here = "none" if n_devices == 0 else f"{n_devices}, counted from 0"
        raise InputError(
            f"Expected a device that this machine has, got {name!r} and {here} of that kind; "
            "leave it out to compute on the CPU."
        )
    return name
