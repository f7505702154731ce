"""Clean quality of Deep MRI, with the published weights and with the shipped ones.

    python benchmarks/deep_mri.py published DATA     the authors' weights on cardiac slices
    python benchmarks/deep_mri.py shipped DATA       the shipped weights on held-out images

DATA is a folder with ``deep-mri/d5_c5.npz`` (the authors' file), ``cardiac/slices.npz`` (arrays
``images`` (N, 256, 256) and ``numbers``) and ``brain-openms/patient12_study1_{T1W,T2W}.nii.gz``.

PSNR everywhere: of the complex image, with the largest modulus of the reference as peak, averaged
over images in dB.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from shaketable import FourierMap, load_images, zoo
from shaketable.metrics import psnr, ssim
from shaketable.sparse import TotalVariation, WaveletL1
from shaketable.statistics import Interval, mean_interval

Method = Callable[[Tensor, FourierMap], Tensor]


def published_mask(n_lines: int, acceleration: float, n_center: int = 8) -> Tensor:
    """``(n_lines,)``: the lines that the authors' recipe draws with NumPy's legacy seed 0.

    The known figures (24.2 to 31.6 dB at fourfold, 25.0 to 33.7 dB at threefold acceleration) hold
    for this one draw; draws differ by 1 dB and more, because a few low frequencies decide.
    """
    index = np.arange(n_lines)
    density = np.exp(-0.5 * ((index - n_lines / 2) / (n_lines / 10)) ** 2) + 0.5 / acceleration
    centre = slice(n_lines // 2 - n_center // 2, n_lines // 2 + n_center // 2)
    density[centre] = 0
    generator = np.random.RandomState(0)
    n_drawn = int(n_lines / acceleration) - n_center
    mask = np.zeros(n_lines, dtype=bool)
    mask[generator.choice(n_lines, n_drawn, replace=False, p=density / density.sum())] = True
    mask[centre] = True
    return torch.from_numpy(np.fft.ifftshift(mask))


def published(data: Path) -> dict[str, object]:
    """Zero-filled and reconstructed cardiac slices at fourfold and threefold acceleration."""
    network = zoo.load("deep-mri", weights=data / "deep-mri" / "d5_c5.npz")
    images = _stack(data / "cardiac" / "slices.npz", (256, 256), key="images")
    result: dict[str, object] = {"n_images": len(images)}
    for acceleration in (4, 3):
        lines = published_mask(256, acceleration)
        forward = FourierMap(lines[:, None].expand(256, 256))
        zero_filled = _measure(_zero_filled, forward, images)["psnr"]
        reconstructed = _measure(network.reconstruct, forward, images)["psnr"]
        result[f"{acceleration}x"] = {
            "zero_filled": round(float(zero_filled.mean()), 2),
            "network": round(float(reconstructed.mean()), 2),
        }
    return result


def held_out(data: Path, shape: tuple[int, int]) -> dict[str, Tensor]:
    """Magnitude images that the shipped network was not trained on, by set."""
    brain = data / "brain-openms"
    numbers = np.load(data / "cardiac" / "slices.npz", allow_pickle=False)["numbers"]
    upper = np.argsort(numbers)[len(numbers) // 2 :]
    cardiac = _stack(data / "cardiac" / "slices.npz", shape, key="images")
    return {
        "mni152": zoo.bundled_images(shape).abs(),
        "patient12-t1": _stack(brain / "patient12_study1_T1W.nii.gz", shape, "10:42:4"),
        "patient12-t2": _stack(brain / "patient12_study1_T2W.nii.gz", shape, "10:40:4"),
        "cardiac": cardiac[torch.from_numpy(np.sort(upper)[::4].copy())],
    }


def shipped(data: Path, weights: Path | None) -> dict[str, object]:
    """The shipped network beside zero-filling and the reference methods, at its own sampling."""
    network = zoo.load("deep-mri", weights=weights)
    methods: dict[str, Method] = {
        "zero_filled": _zero_filled,
        "network": network.reconstruct,
        "total_variation": TotalVariation(),
        "total_variation_parts_apart": TotalVariation(values="ri"),
        "wavelet_l1": WaveletL1(),
    }
    result: dict[str, object] = {}
    for name, magnitudes in held_out(data, network.forward.image_shape).items():
        images = {"": zoo.with_smooth_phase(magnitudes), " (no phase)": magnitudes}
        for kind, batch in images.items():
            result[name + kind] = _compare(methods, network.forward, batch)
    return result


def _zero_filled(data: Tensor, forward: FourierMap) -> Tensor:
    return forward.adjoint(data)


def _stack(
    path: Path, shape: tuple[int, int], slices: str | None = None, key: str | None = None
) -> Tensor:
    images = load_images(path, slices=slices, shape=shape, scale="max", key=key)
    return torch.from_numpy(np.stack([image.array for image in images])).to(torch.float32)


def _measure(method: Method, forward: FourierMap, images: Tensor) -> dict[str, Tensor]:
    truths = [image[None].to(torch.complex64) for image in images]
    with torch.no_grad():
        pairs = [(method(forward(truth), forward), truth) for truth in truths]
    return {
        "psnr": torch.cat([psnr(*pair) for pair in pairs]),
        "ssim": torch.cat([ssim(*pair) for pair in pairs]),
    }


def _compare(methods: dict[str, Method], forward: FourierMap, images: Tensor) -> dict[str, object]:
    """Means per method, and the network's advantage with an interval over images."""
    measured = {name: _measure(method, forward, images) for name, method in methods.items()}
    result: dict[str, object] = {"n_images": len(images)}
    for name, values in measured.items():
        result[name] = {key: round(float(value.mean()), 3) for key, value in values.items()}
    for name in methods:
        if name != "network":
            advantage = measured["network"]["psnr"] - measured[name]["psnr"]
            result[f"network_minus_{name}_db"] = _rounded(mean_interval(advantage.tolist()))
            result[f"smallest_advantage_over_{name}_db"] = round(float(advantage.min()), 2)
    return result


def _rounded(interval: Interval) -> dict[str, float]:
    return {
        "estimate": round(interval.estimate, 2),
        "low": round(interval.low, 2),
        "high": round(interval.high, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("published", "shipped"))
    parser.add_argument("data", type=Path, help="folder with the images and the authors' weights")
    parser.add_argument("--weights", type=Path, help="for 'shipped': other weights to measure")
    settings = parser.parse_args()
    if settings.what == "published":
        result = published(settings.data)
    else:
        result = shipped(settings.data, settings.weights)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
