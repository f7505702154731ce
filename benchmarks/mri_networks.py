"""AUTOMAP, DAGAN and MRI-VN: clean quality, amplification, agreement with BART, half precision.

    python benchmarks/mri_networks.py quality NAME DATA [--weights FILE] [--strength S] [--noise D]
    python benchmarks/mri_networks.py amplification NAME DATA [--weights FILE] [--n-images 20]
    python benchmarks/mri_networks.py half NAME DATA --weights FILE --out FILE

DATA is a folder with ``brain-openms/patient12_study1_{T1W,T2W}.nii.gz``, of a patient whom no
network was trained on. Without ``--weights`` the shipped ones are taken. ``half`` writes a file in
half precision and prints what that costs. Agreement with BART is a test:
``python -m pytest tests/zoo/mri_vn/test_network.py -k bart``.

PSNR everywhere: with the largest modulus of the reference as peak, averaged over images in dB. The
reference methods have their default strengths, total variation that of ``--strength`` if given, and know
that images are real where the network does. ``--noise`` adds complex white noise of that standard
deviation to the sampled data of images with peak 1, the same for all methods.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from shaketable import Problem, load_images, worst_case, zoo
from shaketable.metrics import psnr, ssim
from shaketable.protocols import ForwardMap
from shaketable.sparse import TotalVariation, WaveletL1
from shaketable.statistics import Interval, mean_interval
from shaketable.zoo import ZooNetwork
from shaketable.zoo.images.training import square_image
from shaketable.zoo.weights import save_weights

Method = Callable[[Tensor, ForwardMap], Tensor]
RADII = (0.005, 0.01, 0.02, 0.04)
SLICES = {"patient12-t1": ("T1W", "10:42:4"), "patient12-t2": ("T2W", "10:40:4")}


def held_out(network: ZooNetwork, data: Path) -> dict[str, Tensor]:
    """Images that the network was not trained on, by set, of the kind that it makes."""
    size = network.forward.image_shape[0]
    sets = {"mni152": network.images("test")}
    for name, (kind, slices) in SLICES.items():
        path = data / "brain-openms" / f"patient12_study1_{kind}.nii.gz"
        loaded = load_images(path, slices=slices)
        squares = torch.stack([torch.from_numpy(square_image(x.array, size)) for x in loaded])
        sets[name] = squares if network.real else zoo.with_smooth_phase(squares)
    return sets


def methods(network: ZooNetwork, strength: float = TotalVariation.strength) -> dict[str, Method]:
    """The network, zero filling, and the reference methods; the strength is total variation's."""
    values = "real" if network.real else "complex"

    def zero_filled(y: Tensor, A: ForwardMap) -> Tensor:
        image = A.adjoint(y)
        return image.real if network.real else image

    return {
        "network": network.reconstruct,
        "zero_filled": zero_filled,
        "total_variation": TotalVariation(strength=strength, values=values),
        "wavelet_l1": WaveletL1(values=values),
    }


def noisy_data(forward: ForwardMap, images: Tensor, noise: float) -> Tensor:
    """The data of the images with white noise where they are sampled."""
    generator = torch.Generator().manual_seed(0)
    data = forward(images)
    return data + noise * _drawn(data, forward, generator)


def _drawn(data: Tensor, forward: ForwardMap, generator: torch.Generator) -> Tensor:
    """White noise of unit variance in the shape of data, zero where nothing is sampled."""
    drawn = torch.randn(data.shape, dtype=data.dtype, generator=generator)
    return drawn if forward.sampled is None else drawn * forward.sampled


def measure(method: Method, forward: ForwardMap, images: Tensor, data: Tensor) -> dict[str, Tensor]:
    """PSNR and SSIM of each image reconstructed from its data, one at a time."""
    with torch.no_grad():
        outputs = torch.cat([method(y[None], forward) for y in data])
    return {"psnr": psnr(outputs, images), "ssim": ssim(outputs.abs(), images.abs())}


def quality(
    network: ZooNetwork, data: Path, strength: float = TotalVariation.strength, noise: float = 0.0
) -> dict[str, Any]:
    """Quality of all methods on all sets, and the network's distance to the best stable one."""
    result: dict[str, Any] = {}
    for name, images in held_out(network, data).items():
        given = noisy_data(network.forward, images, noise)
        measured = {
            key: measure(method, network.forward, images, given)
            for key, method in methods(network, strength).items()
        }
        print(f"{name}: {len(images)} images", file=sys.stderr, flush=True)
        stable = max(("total_variation", "wavelet_l1"), key=lambda k: measured[k]["psnr"].mean())
        difference = measured["network"]["psnr"] - measured[stable]["psnr"]
        result[name] = {
            "n_images": len(images),
            "psnr_db": {key: round(float(m["psnr"].mean()), 2) for key, m in measured.items()},
            "ssim": {key: round(float(m["ssim"].mean()), 3) for key, m in measured.items()},
            "network_minus_best_stable_db": {
                "stable_method": stable, **_interval(mean_interval(difference.numpy()), 2)
            },
        }  # fmt: skip
    return result


def amplification(network: ZooNetwork, data: Path, n_images: int) -> list[dict[str, object]]:
    """Worst cases of network and total variation, and random noise, at the same radii."""
    images = torch.cat(list(held_out(network, data).values()))[:n_images]
    rows: list[dict[str, object]] = []
    for method in ("network", "total_variation"):
        reconstruct = methods(network)[method]
        problem = Problem(forward=network.forward, reconstruct=reconstruct, real=network.real)
        for domain in ("image", "data") if network.name == "automap" else ("image",):
            for radius in RADII:
                found = worst_case(problem, images, radius=radius, domain=domain, seed=0)
                rows.append(
                    {
                        "method": method, "domain": domain, "radius": radius,
                        "n_images": len(images),
                        "amplification": _interval(mean_interval(found.amplification.numpy()), 2),
                        "random": _interval(
                            mean_interval(_random(problem, images, radius, domain).numpy()), 2
                        ),
                    }
                )  # fmt: skip
    return rows


def _random(problem: Problem, images: Tensor, radius: float, domain: str) -> Tensor:
    """``(B,)`` amplification of one Gaussian perturbation per image, of the same relative size."""
    A, f = problem.forward, problem.reconstruct
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        data = A(images)
        start = images if domain == "image" else data
        drawn = (
            _drawn(data, A, generator)
            if domain == "data"
            else torch.randn(start.shape, dtype=start.dtype, generator=generator)
        )
        sizes = radius * start.flatten(1).norm(dim=1) / drawn.flatten(1).norm(dim=1)
        drawn = drawn * sizes.reshape(-1, *[1] * (start.ndim - 1))
        moved = data + (A(drawn) if domain == "image" else drawn)
        damage = (f(moved, A) - f(data, A)).flatten(1).norm(dim=1)
        return damage / drawn.flatten(1).norm(dim=1)


def half(network: ZooNetwork, data: Path, out: Path) -> dict[str, object]:
    """Write the weights in half precision; the loss in PSNR on every set."""
    save_weights(network.model, out, dtype=torch.float16)
    halved = zoo.load(network.name, weights=out)
    losses = {}
    for name, images in held_out(network, data).items():
        given = network.forward(images)
        qualities = [
            measure(n.reconstruct, n.forward, images, given)["psnr"] for n in (network, halved)
        ]
        losses[name] = round(float((qualities[0] - qualities[1]).mean()), 4)
    return {"bytes": out.stat().st_size, "loss_db": losses}


def _interval(interval: Interval, digits: int) -> dict[str, float]:
    return {
        "estimate": round(interval.estimate, digits),
        "low": round(interval.low, digits),
        "high": round(interval.high, digits),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("quality", "amplification", "half"))
    parser.add_argument("name", choices=("automap", "dagan", "mri-vn"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--n-images", type=int, default=20)
    parser.add_argument("--strength", type=float, default=TotalVariation.strength)
    parser.add_argument("--noise", type=float, default=0.0)
    arguments = parser.parse_args()
    started = time.monotonic()
    network = zoo.load(arguments.name, weights=arguments.weights)
    result: object
    if arguments.what == "quality":
        result = quality(network, arguments.data, arguments.strength, arguments.noise)
    elif arguments.what == "amplification":
        result = amplification(network, arguments.data, arguments.n_images)
    else:
        result = half(network, arguments.data, arguments.out)
    seconds = round(time.monotonic() - started)
    print(json.dumps({"network": arguments.name, "result": result, "seconds": seconds}, indent=2))


if __name__ == "__main__":
    main()
