"""The problems that `search.py` measures on, and where its results are stored."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import shaketable as st
from shaketable.maps.sampling import cartesian_variable_density
from shaketable.metrics import psnr
from shaketable.zoo.images.bundled import axial_slice
from shaketable.zoo.images.training import square_image

YARDSTICK_PSNR = 28.1


YARDSTICK_MASK = 133  # the mask whose figures are closest to the known ones


STORE = Path(__file__).parent / "results" / "search.json"


def stored() -> dict[str, Any]:
    return json.loads(STORE.read_text()) if STORE.exists() else {}


def store(name: str, value: object) -> None:
    STORE.parent.mkdir(exist_ok=True)
    STORE.write_text(json.dumps(stored() | {name: value}, indent=1) + "\n")


def yardstick_image() -> Tensor:
    """The slice as it is stored (rows run from left to right), padded to a square, ``(1, 64, 64)``."""
    pixels = square_image(axial_slice(95).T[:, ::-1], 64)
    return torch.from_numpy(pixels).to(torch.complex64)[None]


def yardstick_problem(network: Any, seed: int) -> st.Problem:
    sampling = cartesian_variable_density((64, 64), seed=seed, acceleration=3.0, n_center=6)
    forward = st.FourierMap(sampling.mask(1 / 3))
    return st.Problem(forward=forward, reconstruct=network.reconstruct, name="published")


def fitting_masks(network: Any) -> Iterator[int]:
    """Seeds of masks with the yardstick's clean PSNR to 0.1 dB; its own mask is not known."""
    image = yardstick_image()
    for seed in count():
        problem = yardstick_problem(network, seed)
        clean = problem.reconstruct(problem.forward(image), problem.forward)
        if abs(float(psnr(clean, image)) - YARDSTICK_PSNR) <= 0.1:
            yield seed


def published(data: Path) -> Any:
    return st.zoo.load("deep-mri", weights=data / "deep-mri" / "d5_c5.npz")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A problem that searches are compared on."""

    name: str
    problem: st.Problem
    image: Tensor
    radius: float


def cases(data: Path) -> Iterator[Case]:
    """Networks of different kind, reference methods, and real 256x256 images."""
    network = published(data)
    for mask in (133, 19):
        yield Case(name=f"cascade, mask {mask}", problem=yardstick_problem(network, mask),
                   image=yardstick_image(), radius=0.031)  # fmt: skip
    u_net, images, forward = u_net_case()
    for index in (0, 1):
        yield Case(name=f"U-Net, image {index}", image=images[index : index + 1], radius=0.03,
                   problem=st.Problem(forward=forward, reconstruct=u_net))  # fmt: skip
    A = st.FourierMap(cartesian_variable_density((64, 64), seed=0).mask(1 / 3))
    methods = {"total variation": st.sparse.TotalVariation(), "wavelet l1": st.sparse.WaveletL1()}
    for name, method in methods.items():
        yield Case(name=name, problem=st.Problem(forward=A, reconstruct=method),
                   image=yardstick_image(), radius=0.03)  # fmt: skip
    hearts = np.load(data / "cardiac" / "slices.npz")["images"][[3, 40]].astype(np.float32)
    lines = cartesian_variable_density((256, 256), seed=0)
    large = st.Problem(forward=st.FourierMap(lines.mask(1 / 3)), reconstruct=network.reconstruct)
    for index, heart in enumerate(torch.from_numpy(hearts).to(torch.complex64)):
        yield Case(name=f"cascade, heart {index}, 256x256", problem=large,
                   image=heart[None] / heart.abs().max(), radius=0.02)  # fmt: skip


def u_net_case() -> tuple[Any, Tensor, st.FourierMap]:
    """The U-Net of examples/unet_yaml, trained as it says there where that has not been done."""
    folder = Path(__file__).resolve().parents[1] / "examples" / "unet_yaml"
    if not (folder / "weights.safetensors").exists():
        subprocess.run([sys.executable, "train.py"], cwd=folder, check=True)
    sys.path.insert(0, str(folder))
    from safetensors.torch import load_file
    from unet import Reconstruction

    network = Reconstruction().eval()
    network.load_state_dict(load_file(folder / "weights.safetensors"))
    images = torch.from_numpy(np.load(folder / "test.npy")).to(torch.complex64)
    pattern = cartesian_variable_density((64, 64), seed=0, n_center=6)
    return network, images, st.FourierMap(pattern.mask(1 / 3))
