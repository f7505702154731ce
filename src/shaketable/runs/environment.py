"""What a run was made with, so that somebody else can make it again."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import torch

_LIBRARIES = ("torch", "numpy", "scipy", "h5py", "scikit-image", "PyWavelets")


def environment(device: torch.device) -> dict[str, object]:
    """Versions, machine, device and threads; nothing that changes from run to run.

    Parameters
    ----------
    device
        Where the images are.
    """
    libraries: dict[str, str] = {}
    for name in _LIBRARIES:
        try:
            libraries[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "libraries": libraries,
        "n_threads": torch.get_num_threads(),
        "device": device.type,
    }
