"""How good every sparse method is at its default strength and others, on twelve brain images.

    python benchmarks/default_strengths.py DATA [METHOD ...] [--values complex|ri|real]

The images are those of the default strengths' rule: T2 and FLAIR slices of patients 1 and 3 of Lesjak et
al. 2016 in ``DATA/brain-openms``, 128 x 128, single-coil Fourier data without noise at a third and a
quarter of the lines. Prints the mean PSNR of every strength; nothing is stored.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from sparse_problems import METHODS, square
from torch import Tensor

from shaketable.maps import FourierMap
from shaketable.maps.sampling import cartesian_variable_density
from shaketable.sparse import calibrate

SIZE = 128
VOLUMES = ("patient01_study1_T2W", "patient01_study1_FLAIR", "patient03_study1_T2W")
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)


def slices(data: Path) -> Tensor:
    """``(12, 128, 128)``: four axial slices of each volume, at four to seven tenths of its height."""
    import nibabel

    found = []
    for name in VOLUMES:
        volume = nibabel.load(data / "brain-openms" / f"{name}.nii.gz").dataobj
        for share in (0.4, 0.5, 0.6, 0.7):
            plane = np.asarray(volume[:, :, round(share * volume.shape[2])], dtype=np.float32)
            found.append(square(plane, SIZE))
    return torch.from_numpy(np.stack(found)).to(torch.complex64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("methods", nargs="*", default=list(METHODS), choices=METHODS)
    parser.add_argument("--values", default="complex", choices=("complex", "ri", "real"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    images = slices(given.data)
    if given.values == "real":
        images = images.real
    sampling = cartesian_variable_density((SIZE, SIZE), seed=0)
    maps = [FourierMap(sampling.mask(1 / 3)), FourierMap(sampling.mask(1 / 4))]
    for name in given.methods:
        method = replace(METHODS[name], values=given.values, gap=1e-2)
        strengths = tuple(factor * METHODS[name].strength for factor in FACTORS)
        curve = calibrate(method, images, maps, strengths=strengths)
        means = curve.psnr.mean(1)
        cells = [f"{s:.2g}: {q:.2f} dB" for s, q in zip(curve.strengths, means, strict=True)]
        print(f"{name}, default {METHODS[name].strength:g}: {', '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
