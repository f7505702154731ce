"""Images, maps and methods that the sections of `sparse.py` share."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from ct_networks import OTHER_SCANS
from torch import Tensor

from shaketable import load_images
from shaketable.maps import FourierMap, MultiCoilFourierMap, RadonMap, birdcage_coils
from shaketable.maps.sampling import cartesian_variable_density
from shaketable.protocols import ForwardMap
from shaketable.sparse import (
    ReweightedShearlets,
    Shearlets,
    SparseMethod,
    TotalGeneralizedVariation,
    TotalVariation,
    WaveletL1,
)
from shaketable.zoo.images.ct import read_attenuation_images

ROOT = Path(__file__).resolve().parents[1]
Kind = Literal["fourier", "coils", "radon"]
KINDS: tuple[Kind, ...] = ("fourier", "coils", "radon")
METHODS: dict[str, SparseMethod] = {
    "tv": TotalVariation(),
    "wavelets": WaveletL1(),
    "wavelets-ti": WaveletL1(translation_invariant=True),
    "tgv": TotalGeneralizedVariation(),
    "shearlets": Shearlets(),
    "reweighted": ReweightedShearlets(),
}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Images of one kind with the map they are seen through."""

    kind: Kind
    images: Tensor
    forward: ForwardMap

    @property
    def data(self) -> Tensor:
        return self.forward(self.images)

    def suited(self, method: SparseMethod) -> SparseMethod:
        """CT images are real."""
        return replace(method, values="real") if self.kind == "radon" else method


def shared(name: str) -> Path:
    """A file of the data that lie beside the checkout."""
    found = next((p for p in (ROOT.parent, ROOT.parents[1]) if (p / "shared/data").exists()), None)
    if found is None:
        raise SystemExit(
            "Expected shared/data beside the checkout; the benchmark needs its images."
        )
    return found / "shared/data" / name


def square(image: np.ndarray, size: int) -> np.ndarray:
    """Pad to a square, resize, scale the maximum to 1."""
    from skimage.transform import resize

    side = max(image.shape)
    before = [(side - length) // 2 for length in image.shape]
    pads = [(b, side - length - b) for b, length in zip(before, image.shape, strict=True)]
    small = resize(np.pad(image, pads), (size, size), order=1, anti_aliasing=True)
    return (small / small.max()).astype(np.float32)


def brains(size: int, count: int) -> Tensor:
    """T1 slices of one subject (Hanke et al. 2014); nothing was calibrated on them."""
    slices = np.load(shared("brain-t1/slices.npz"))["images"].astype(np.float32)
    chosen = np.linspace(20, 44, count).round().astype(int) if count > 1 else [30]
    return torch.from_numpy(np.stack([square(slices[k], size) for k in chosen]))


def abdomens(size: int, count: int) -> Tensor:
    """CT slices, attenuation relative to water, the maximum scaled to 1."""
    import pydicom

    paths = sorted(p for p in shared("ct/abdomen/dicom").iterdir() if p.suffix != ".txt")
    chosen = np.linspace(4, len(paths) - 5, count).round().astype(int) if count > 1 else [10]
    found = []
    for k in chosen:
        scan = pydicom.dcmread(paths[k])
        units = scan.pixel_array * float(scan.RescaleSlope) + float(scan.RescaleIntercept)
        found.append(square(np.clip(units / 1000 + 1, 0, None).astype(np.float32), size))
    return torch.from_numpy(np.stack(found))


def others(kind: Kind, size: int) -> Tensor:
    """Three images of other scans, of the kind of a scene, to calibrate on."""
    if kind == "radon":
        scans = [
            read_attenuation_images([shared(f"ct/{name}")], size)[number]
            for name, number in OTHER_SCANS.items()
        ]
        return torch.stack([image / image.max() for image in scans])
    path = shared("brain-openms/patient01_study1_T2W.nii.gz")
    loaded = load_images(path, slices="15:36:10")
    images = np.stack([square(np.abs(image.array), size) for image in loaded])
    return torch.from_numpy(images).to(torch.complex64)


def scene(kind: Kind, size: int, count: int = 1) -> Scene:
    """A third of the lines; 15 % of them with 15 coils; 50 views."""
    if kind == "radon":
        angles = torch.arange(50) * math.pi / 50
        return Scene(
            kind=kind, images=abdomens(size, count), forward=RadonMap(angles, (size, size))
        )
    images = brains(size, count).to(torch.complex64)
    sampling = cartesian_variable_density((size, size), seed=0)
    if kind == "fourier":
        return Scene(kind=kind, images=images, forward=FourierMap(sampling.mask(1 / 3)))
    coils = birdcage_coils(15, (size, size)).to(torch.complex64)
    forward = MultiCoilFourierMap(sampling.mask(0.15), coils)
    return Scene(kind=kind, images=images, forward=forward)


def cpu_seconds() -> float:
    return sum(os.times()[:4])


def timed(function: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the processor, and of the clock."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    function()
    return cpu_seconds() - cpu, time.perf_counter() - wall


def show(row: dict[str, object]) -> None:
    cells = [f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values()]
    print(" | ".join(cells), flush=True)
