"""The paper's claims on Ell 50 and Med 50: clean quality, details, views, worst case.

    python benchmarks/ct_networks.py strength DATA
    python benchmarks/ct_networks.py clean DATA --network ell-50 --images ellipses
    python benchmarks/ct_networks.py methods DATA --network ell-50 --images ellipses --noise 0.005
    python benchmarks/ct_networks.py details DATA --network med-50 --images abdomen --contrast 0.05
    python benchmarks/ct_networks.py views DATA --network ell-50 --images ellipses --stable 3
    python benchmarks/ct_networks.py worst DATA --network med-50 --images abdomen --stable 2

DATA is a folder with ``ct/abdomen/dicom`` (20 slices of one scan, which neither network was trained
on); ``ellipses`` need none. Images are 256 x 256, attenuation relative to water, 20 of each kind;
``--count`` takes fewer for the network, ``--stable`` for the reference method, the first and others
spaced evenly; 0 leaves it out. Intervals are Student's, 95 %, over images; slices of one scan are not
independent, so theirs are too narrow for patients in general.

The reference method is total variation with ``--strength`` and a relative duality gap of 0.03.
``strength`` shows how the strength was chosen: on three ellipse images of another seed and three
slices of other scans. ``methods`` compares the network with total variation at each of these strengths
and, on ``--others`` images, with the other reference methods; ``--noise`` adds white noise to the data,
relative to their norm. ``worst`` searches network and reference method with equal budgets, and gives the
reference method the network's perturbations of ``--given`` images too.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from claims_store import keep
from torch import Tensor

from shaketable import Budget, Problem, RadonMap, Search, load_images, worst_case_path, zoo
from shaketable.details import contrast_recovery, make_details, template_correlation
from shaketable.io import ellipse_phantoms
from shaketable.maps import filtered_back_projection
from shaketable.metrics import psnr, ssim
from shaketable.protocols import ForwardMap
from shaketable.search import Finding, Step, random_perturbation
from shaketable.sparse import Shearlets, TotalGeneralizedVariation, TotalVariation, WaveletL1
from shaketable.statistics import mean_interval
from shaketable.zoo.images.ct import read_attenuation_images

Method = Callable[[Tensor, ForwardMap], Tensor]
Row = tuple[str, Method, int]
"""Name, method, and on how many images."""

DETAILS = ("spade", "heart", "diamond", "club", "text:CAN U SEE IT")
VIEWS = (10, 20, 30, 40, 50, 75, 100, 200)
RADII = (0.005, 0.01, 0.02, 0.04)
STRENGTHS = (4e-3, 2e-3, 1e-3, 5e-4, 2.5e-4, 1.25e-4)
# Scans to choose the strength on, and the slice of each.
OTHER_SCANS = {"head": 6, "thorax": 1, "abdomen/example_ct.nii.gz": 10}
OTHER_SEED = 2000
# A batch reads the projection matrix once for all its images; more of them gain little.
AT_ONCE = 6


def main() -> None:
    torch.set_num_threads(1)
    arguments = _parsed()
    stable = TotalVariation(strength=arguments.strength, gap=0.03, values="real")
    result: dict[str, Any]
    if arguments.what == "strength":
        result = strength(stable, arguments.data, arguments.noise)
    else:
        network = zoo.load(arguments.network, weights=arguments.weights)
        images = read_images(arguments.images, arguments.data, network.forward.image_shape)
        measure = {
            "clean": clean,
            "methods": methods,
            "details": details,
            "views": views,
            "worst": worst,
        }
        result = measure[arguments.what](network, images, stable, arguments)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    settings = {key: str(value) for key, value in vars(arguments).items() if value is not None}
    head = {**settings, "processor_seconds": round(usage.ru_utime + usage.ru_stime)}
    print(json.dumps({"settings": head, "results": result}, indent=1, allow_nan=False))
    if arguments.store:
        keep(head, result)


def strength(stable: TotalVariation, data: Path, noise: float) -> dict[str, object]:
    """PSNR and iterations of total variation at each strength, on images that are not tested.

    ``noise`` is white and relative to the norm of the data.
    """
    forward = zoo.load("ell-50").forward
    phantoms = ellipse_phantoms(3, forward.image_shape, seed=OTHER_SEED)
    ellipses = torch.from_numpy(np.stack([phantom.array for phantom in phantoms]))
    scans = [
        read_attenuation_images([data / "ct" / name], forward.image_shape[0])[number]
        for name, number in OTHER_SCANS.items()
    ]
    result: dict[str, object] = {}
    for value in STRENGTHS:
        row = {}
        for kind, images in (("ellipses", ellipses), ("ct", torch.stack(scans))):
            solution = replace(stable, strength=value).solve(noisy(forward, images, noise), forward)
            row[kind] = {
                "psnr_db": [round(x, 2) for x in psnr(solution.image, images).tolist()],
                "n_iterations": solution.n_iterations.tolist(),
            }
        result[f"{value:g}"] = row
    return result


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


def methods(
    network: zoo.ZooNetwork, images: Tensor, stable: TotalVariation, arguments: argparse.Namespace
) -> dict[str, object]:
    """PSNR and SSIM of network and reference methods at every strength, from the same data."""
    rows: list[Row] = [("network", network.reconstruct, arguments.count)]
    rows += stable_rows(STRENGTHS, arguments, gap=stable.gap, values="real")
    data = noisy(network.forward, images, arguments.noise)
    return qualities(rows, network.forward, images, data, at_once=AT_ONCE, magnitudes=False)


def stable_rows(
    strengths: Sequence[float], arguments: argparse.Namespace, **options: Any
) -> list[Row]:
    """Total variation at every strength on ``--stable`` images, others on ``--others``."""
    rows: list[Row] = []
    for kind in (TotalVariation, TotalGeneralizedVariation, Shearlets, WaveletL1):
        name, count = kind.__name__, arguments.others
        if kind is TotalVariation:
            name, count = "total_variation", arguments.stable
        rows += [
            (f"{name}_{value:g}", kind(strength=value, **options), count) for value in strengths
        ]
    return rows


def qualities(
    rows: Sequence[Row], forward: ForwardMap, images: Tensor, data: Tensor, *, at_once: int,
    magnitudes: bool,
) -> dict[str, object]:  # fmt: skip
    """PSNR and SSIM (of magnitudes, if asked) of every method that has images, told on the way."""
    result: dict[str, object] = {}
    for name, reconstruct, count in rows:
        if count:
            truths = chosen(images, count)
            with torch.no_grad():
                seen = chosen(data, count).split(at_once)
                outputs = torch.cat([reconstruct(y, forward) for y in seen])
            pair = (outputs.abs(), truths.abs()) if magnitudes else (outputs, truths)
            result[name] = {
                "psnr_db": interval(psnr(outputs, truths), 2),
                "ssim": interval(ssim(*pair), 4),
            }
            print(name, result[name], file=sys.stderr, flush=True)
    return result


def noisy(forward: RadonMap, images: Tensor, noise: float) -> Tensor:
    """``(B, views, bins)``: data with white noise relative to their norm, the same draw every time."""
    data = forward(images)
    draw = torch.randn(data.shape, generator=torch.Generator().manual_seed(0))
    return data + noise * draw * data.square().mean(dim=(1, 2), keepdim=True).sqrt()


def details(
    network: zoo.ZooNetwork, images: Tensor, stable: TotalVariation, arguments: argparse.Namespace
) -> dict[str, object]:
    """Contrast recovery and correlation of inserted details."""
    result: dict[str, object] = {}
    for name, method, count in both(network, stable, arguments):
        rows: dict[str, list[tuple[Tensor, Tensor]]] = {}
        for number, image in enumerate(chosen(images, count)):
            inserted = make_details(image, DETAILS, contrast=arguments.contrast, seed=number)
            shown = torch.stack([image, *(image + detail.array for detail in inserted)])
            before, *afters = reconstructed(method, network.forward, shown)
            for detail, after in zip(inserted, afters, strict=True):
                pair = ((after - before)[None], detail.array)
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
    """Amplification of found and random perturbations of the image; PSNR under the found ones."""
    result: dict[str, object] = {}
    for name, method, count in both(network, stable, arguments):
        problem = Problem(forward=network.forward, reconstruct=method, real=True, name=name)
        truths = chosen(images, count)
        path = searched(problem, truths, arguments)
        result[name] = {
            f"{radius:g}": {
                "amplification": interval(finding.amplification, 3),
                "random_amplification": interval(at_random(problem, truths, radius), 3),
                "clean_psnr_db": interval(psnr(finding.clean, truths), 2),
                "perturbed_psnr_db": interval(psnr(finding.reconstruction, truths), 2),
                "status": sorted({str(status) for status in finding.status}),
                "n_gradients": int(finding.n_gradients.max()),
            }
            for radius, finding in zip(arguments.radii, path, strict=True)
        }
        if name == "network" and arguments.given:
            beside = replace(problem, reconstruct=stable)
            rows = spread(count, arguments.given)
            result["total_variation_given_the_networks"] = {
                f"{radius:g}": under(beside, truths[rows], finding.perturbation[rows])
                for radius, finding in zip(arguments.radii, path, strict=True)
            }
    return result


def searched(
    problem: Problem, truths: Tensor, arguments: argparse.Namespace
) -> tuple[Finding, ...]:
    """One finding per radius; what was found by then is told on the way."""
    search = Search(budget=Budget(n_gradients=arguments.gradients, max_rows=AT_ONCE))
    told = -1

    def tell(step: Step) -> None:
        nonlocal told
        if step.iteration != told:
            told = step.iteration
            damage = [round(x, 3) for x in step.damage.tolist()]
            print(f"{problem.name} {told}/{step.n_iterations} {damage}", file=sys.stderr)

    return worst_case_path(problem, truths, radii=arguments.radii, search=search, on_step=tell)


def under(problem: Problem, truths: Tensor, given: Tensor) -> dict[str, object]:
    """What perturbations that were found for another method do to this one."""
    clean, shaken = (
        reconstructed(problem.reconstruct, problem.forward, x) for x in (truths, truths + given)
    )
    change = (shaken - clean).flatten(1).norm(dim=1)
    return {
        "amplification": interval(change / given.flatten(1).norm(dim=1), 3),
        "perturbed_psnr_db": interval(psnr(shaken, truths), 2),
    }


def at_random(problem: Problem, images: Tensor, radius: float) -> Tensor:
    """``(B,)``: what white noise of the radius does, one draw per image."""
    noise = random_perturbation(problem, images, radius=radius, domain="image", seed=0)
    clean, shaken = (
        reconstructed(problem.reconstruct, problem.forward, x) for x in (images, images + noise)
    )
    return (shaken - clean).flatten(1).norm(dim=1) / noise.flatten(1).norm(dim=1)


def both(
    network: zoo.ZooNetwork, stable: TotalVariation, arguments: argparse.Namespace
) -> list[tuple[str, Method, int]]:
    """Network and reference method, each with its number of images; none is left out."""
    methods = [
        ("network", network.reconstruct, arguments.count),
        ("total_variation", stable, arguments.stable),
    ]
    return [(name, method, count) for name, method, count in methods if count]


def chosen(images: Tensor, count: int) -> Tensor:
    """The first image and others, evenly spaced."""
    return images[spread(len(images), count)]


def spread(n: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """``count`` numbers below ``n``, evenly spaced from 0."""
    return np.linspace(0, n, count, endpoint=False).astype(np.intp)


def reconstructed(method: Method, forward: RadonMap, images: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([method(forward(some), forward) for some in images.split(AT_ONCE)])


def interval(values: Tensor, digits: int) -> dict[str, float | None]:
    """The mean with its interval; one image has none."""
    found = mean_interval(values.double().tolist())
    low, high = (None if found.n == 1 else round(x, digits) for x in (found.low, found.high))
    return {"mean": round(found.estimate, digits), "low": low, "high": high, "n": found.n}


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "what", choices=("strength", "clean", "methods", "details", "views", "worst")
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--network", choices=("ell-50", "med-50"))
    parser.add_argument("--images", choices=("ellipses", "abdomen"))
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--stable", type=int, default=20)
    parser.add_argument("--store", action="store_true", help="for the tables of docs/paper.md")
    parser.add_argument("--others", type=int, default=0)
    parser.add_argument("--given", type=int, default=20)
    parser.add_argument("--strength", type=float, default=5e-4)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--contrast", type=float, default=0.3)
    parser.add_argument("--gradients", type=int, default=20)
    parser.add_argument("--radii", type=float, nargs="+", default=list(RADII))
    arguments = parser.parse_args()
    if arguments.what != "strength" and not (arguments.network and arguments.images):
        parser.error("--network and --images are needed")
    if arguments.what == "strength" and arguments.store:
        parser.error("no table of docs/paper.md holds what strength shows")
    return arguments


if __name__ == "__main__":
    main()
