"""The paper's claims on Ell 50 and Med 50: clean quality, details, views, worst case.

    python benchmarks/ct_networks.py clean DATA --network ell-50 --images ellipses
    python benchmarks/ct_networks.py details DATA --network med-50 --images abdomen
    python benchmarks/ct_networks.py views DATA --network ell-50 --images ellipses --stable 3
    python benchmarks/ct_networks.py worst DATA --network med-50 --images abdomen --stable 2

DATA is a folder with ``ct/abdomen/dicom`` (20 slices of one scan, which neither network was trained
on); ``ellipses`` need none. Images are 256 x 256, attenuation relative to water, 20 of each kind;
``--count`` takes fewer for the network, ``--stable`` for the stable method, always the first and others
spaced evenly; 0 leaves it out. Intervals are Student's, 95 %, over images; slices of one scan are not
independent, so theirs are too narrow for patients in general.

The stable method is total variation with ``--strength`` 0.001 and a relative duality gap of 0.01. The
data have no noise, so less strength is better than the default of 0.005, which ``clean`` shows too.
"""

from __future__ import annotations

import argparse
import json
import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from shaketable import Budget, Problem, RadonMap, Search, load_images, worst_case, zoo
from shaketable.details import contrast_recovery, make_details, template_correlation
from shaketable.maps import filtered_back_projection
from shaketable.metrics import psnr, ssim
from shaketable.sparse import TotalVariation
from shaketable.statistics import mean_interval

Method = Callable[[Tensor, RadonMap], Tensor]

DETAILS = ("spade", "heart", "diamond", "club", "text:CAN U SEE IT")
VIEWS = (10, 20, 30, 40, 50, 75, 100, 200)
RADII = (0.005, 0.01, 0.02, 0.04)


def main() -> None:
    torch.set_num_threads(1)
    arguments = _parsed()
    network = zoo.load(arguments.network, weights=arguments.weights)
    images = read_images(arguments.images, arguments.data, network.forward.image_shape)
    stable = TotalVariation(strength=arguments.strength, gap=0.01, values="real")
    measure = {"clean": clean, "details": details, "views": views, "worst": worst}
    result = measure[arguments.what](network, images, stable, arguments)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    settings = {key: str(value) for key, value in vars(arguments).items() if value is not None}
    head = {**settings, "processor_seconds": round(usage.ru_utime + usage.ru_stime)}
    print(json.dumps({"settings": head, "results": result}, indent=1, allow_nan=False))


def read_images(kind: str, data: Path, shape: tuple[int, int]) -> Tensor:
    """``(20, H, W)`` float32 images of a kind that the network was not trained on."""
    if kind == "ellipses":
        return zoo.find_entry("ell-50").images(shape)
    loaded = load_images(data / "ct" / "abdomen" / "dicom", scale="hounsfield", shape=shape)
    return torch.from_numpy(np.stack([image.array for image in loaded])).float()


def clean(
    network: zoo.ZooNetwork, images: Tensor, stable: TotalVariation, arguments: argparse.Namespace
) -> dict[str, object]:
    """PSNR and SSIM without any perturbation."""
    forward = network.forward
    default = TotalVariation(values="real", gap=stable.gap)
    methods: dict[str, tuple[Method, int]] = {
        "network": (network.reconstruct, arguments.count),
        "filtered_back_projection": (filtered_back_projection, arguments.count),
        f"total_variation_{stable.strength:g}": (stable, arguments.stable),
        "total_variation_default": (default, min(arguments.stable, 4)),
    }
    result: dict[str, object] = {}
    for name, (method, count) in methods.items():
        if not count:
            continue
        truths = chosen(images, count)
        outputs = reconstructed(method, forward, truths)
        result[name] = {
            "psnr_db": interval(psnr(outputs, truths), 2),
            "ssim": interval(ssim(outputs, truths), 4),
        }
    return result


def details(
    network: zoo.ZooNetwork, images: Tensor, stable: TotalVariation, arguments: argparse.Namespace
) -> dict[str, object]:
    """Contrast recovery and correlation of inserted details, at 30 % of the image's peak."""
    result: dict[str, object] = {}
    for name, method, count in both(network, stable, arguments):
        rows: dict[str, list[tuple[Tensor, Tensor]]] = {}
        for number, image in enumerate(chosen(images, count)):
            before = reconstructed(method, network.forward, image[None])
            for detail in make_details(image, DETAILS, contrast=0.3, seed=number):
                after = reconstructed(method, network.forward, (image + detail.array)[None])
                pair = (after - before, detail.array)
                row = (contrast_recovery(*pair), template_correlation(*pair))
                rows.setdefault(detail.name, []).append(row)
        result[name] = {
            key: {
                "contrast_recovery": interval(torch.stack([r[0].reshape(()) for r in row]), 3),
                "correlation": interval(torch.stack([r[1].reshape(()) for r in row]), 3),
            }
            for key, row in rows.items()
        }
    return result


def views(
    network: zoo.ZooNetwork, images: Tensor, stable: TotalVariation, arguments: argparse.Namespace
) -> dict[str, object]:
    """PSNR against the number of views; the network was trained on 50."""
    result: dict[str, object] = {}
    methods = [
        *both(network, stable, arguments),
        ("filtered_back_projection", filtered_back_projection, arguments.count),
    ]
    for n_views in VIEWS:
        angles = network.sampling.angles(n_views / 1000)
        forward = RadonMap(angles, network.forward.image_shape)
        row: dict[str, object] = {}
        for name, method, count in methods:
            if not count:
                continue
            truths = chosen(images, count)
            row[name] = interval(psnr(reconstructed(method, forward, truths), truths), 2)
        result[str(n_views)] = row
    return result


def worst(
    network: zoo.ZooNetwork, images: Tensor, stable: TotalVariation, arguments: argparse.Namespace
) -> dict[str, object]:
    """Amplification of a found and of a random perturbation of the image; PSNR under the found one."""
    result: dict[str, object] = {}
    for name, method, count in both(network, stable, arguments):
        problem = Problem(forward=network.forward, reconstruct=method, real=True, name=name)
        search = Search(budget=Budget(n_gradients=arguments.gradients, max_rows=1))
        rows: dict[str, object] = {}
        for radius in arguments.radii:
            found = [
                worst_case(problem, image[None], radius=radius, search=search, seed=number)
                for number, image in enumerate(chosen(images, count))
            ]
            truths = chosen(images, count)
            outputs = torch.cat([finding.reconstruction for finding in found])
            rows[f"{radius:g}"] = {
                "amplification": interval(torch.cat([f.amplification for f in found]), 3),
                "random_amplification": interval(at_random(problem, truths, radius), 3),
                "perturbed_psnr_db": interval(psnr(outputs, truths), 2),
                "status": sorted({str(status) for f in found for status in f.status}),
            }
        result[name] = rows
    return result


def at_random(problem: Problem, images: Tensor, radius: float) -> Tensor:
    """``(B,)``: what white noise of the radius does, one draw per image."""
    amplification = []
    for number, image in enumerate(images):
        generator = torch.Generator().manual_seed(number)
        noise = torch.randn(image.shape, generator=generator)
        noise = noise * (radius * image.norm() / noise.norm())
        clean, shaken = (
            reconstructed(problem.reconstruct, problem.forward, x[None])
            for x in (image, image + noise)
        )
        amplification.append((shaken - clean).norm() / noise.norm())
    return torch.stack(amplification)


def both(
    network: zoo.ZooNetwork, stable: TotalVariation, arguments: argparse.Namespace
) -> list[tuple[str, Method, int]]:
    """Network and stable method, each with its number of images; none is left out."""
    methods = [
        ("network", network.reconstruct, arguments.count),
        ("total_variation", stable, arguments.stable),
    ]
    return [(name, method, count) for name, method, count in methods if count]


def chosen(images: Tensor, count: int) -> Tensor:
    """The first image and others, evenly spaced."""
    return images[np.linspace(0, len(images), count, endpoint=False).astype(int)]


def reconstructed(method: Method, forward: RadonMap, images: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([method(forward(image[None]), forward) for image in images])


def interval(values: Tensor, digits: int) -> dict[str, float | None]:
    """The mean with its interval; one image has none."""
    found = mean_interval(values.double().tolist())
    low, high = (None if found.n == 1 else round(x, digits) for x in (found.low, found.high))
    return {"mean": round(found.estimate, digits), "low": low, "high": high, "n": found.n}


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("clean", "details", "views", "worst"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--network", choices=("ell-50", "med-50"), required=True)
    parser.add_argument("--images", choices=("ellipses", "abdomen"), required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--stable", type=int, default=20)
    parser.add_argument("--strength", type=float, default=1e-3)
    parser.add_argument("--gradients", type=int, default=30)
    parser.add_argument("--radii", type=float, nargs="+", default=list(RADII))
    return parser.parse_args()


if __name__ == "__main__":
    main()
