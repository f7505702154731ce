"""The paper's claims on its MRI networks: worst case, details, sampling rates.

    python benchmarks/mri_claims.py worst DATA --network dagan
    python benchmarks/mri_claims.py worst DATA --network automap --domain data
    python benchmarks/mri_claims.py methods DATA --network automap --noise 0.005
    python benchmarks/mri_claims.py details DATA --network mri-vn
    python benchmarks/mri_claims.py rates DATA --network deep-mri --images cardiac --weights d5_c5.npz

DATA is a folder with ``brain-openms/patient12_study1_{T1W,T2W}.nii.gz``, of a patient whom no shipped
network was trained on: ten slices of each contrast, in turn, in the network's size. ``cardiac`` takes
20 of ``cardiac/slices.npz`` in place of them, in the size ``--size``. Complex networks see them with a
smooth phase. ``--count`` takes fewer images for the network, evenly spaced, ``--stable`` some of those
for the reference method; 0 leaves it out.

Intervals are Student's, 95 %, over images; slices of one patient are not independent, so they speak for
that patient. The reference method is total variation in its default strength, or in ``--strength``.
``methods`` compares the network with total variation at six strengths and, on ``--others`` images, with
the other reference methods; ``--noise`` adds white noise of that deviation where images with peak
1 are sampled, in every coil. What ``worst`` found is told on standard error after every radius.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from claims_store import keep
from ct_networks import Method, Row, chosen, interval, qualities, stable_rows
from mri_networks import noisy_data
from torch import Tensor

from shaketable import Budget, Problem, Search, load_images, worst_case, zoo
from shaketable.details import contrast_recovery, make_details, template_correlation
from shaketable.maps import FourierMap, MultiCoilFourierMap
from shaketable.maps.sampling import cartesian_variable_density
from shaketable.metrics import psnr
from shaketable.protocols import ForwardMap
from shaketable.sparse import TotalVariation
from shaketable.zoo.images.training import square_image

DETAILS = ("spade", "heart", "diamond", "club", "text:CAN U SEE IT")
# An image of AUTOMAP has no room for the others.
FEW_DETAILS = ("heart", "spade")
RATES = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
STRENGTHS = (1.5e-2, 5e-3, 1.5e-3, 5e-4, 1.5e-4, 5e-5)
RADII = (0.005, 0.01, 0.02, 0.04)
SLICES = {"T1W": "5:45:4", "T2W": "5:45:4"}


class Subject:
    """A network with its images and the methods beside it.

    Parameters
    ----------
    arguments
        As the command line has them.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.network = zoo.load(arguments.network, weights=arguments.weights)
        self.forward, self.sampling = self.network.forward, self.network.sampling
        if arguments.size:
            if arguments.network != "deep-mri":
                raise SystemExit("--size is for deep-mri alone: the others know one size")
            recipe = zoo.find_entry("deep-mri").recipe
            self.sampling = cartesian_variable_density(
                (arguments.size, arguments.size),
                seed=0,
                acceleration=recipe.acceleration,
                n_center=recipe.n_center,
            )
            self.forward = FourierMap(self.sampling.mask(self.network.trained_rate))
        self.images = chosen(_images(arguments, self.forward.image_shape[0]), arguments.count)
        if not self.network.real:
            self.images = zoo.with_smooth_phase(self.images)
        values = "real" if self.network.real else "complex"
        everyone: tuple[Row, ...] = (
            ("network", self.network.reconstruct, arguments.count),
            (
                "total_variation",
                TotalVariation(strength=arguments.strength, values=values),
                arguments.stable,
            ),
        )
        self.methods = everyone if arguments.stable else everyone[:1]

    def problem(self, method: Method, name: str) -> Problem:
        """The method on the network's forward map."""
        return Problem(forward=self.forward, reconstruct=method, real=self.network.real, name=name)

    def at_rate(self, factor: float) -> ForwardMap | None:
        """The map of a multiple of the trained rate; None where that is everything or more."""
        rate = factor * self.network.trained_rate
        if rate >= 1:
            return None
        mask = self.sampling.mask(rate)
        if isinstance(self.forward, MultiCoilFourierMap):
            return MultiCoilFourierMap(mask, self.forward.coils)
        return FourierMap(mask)


def _images(arguments: argparse.Namespace, size: int) -> Tensor:
    """``(20, size, size)`` magnitudes with peak 1."""
    if arguments.images == "cardiac":
        loaded = load_images(arguments.data / "cardiac" / "slices.npz", key="images")
        squares = [square_image(image.array, size) for image in loaded]
        return chosen(torch.from_numpy(np.stack(squares)), 20)
    stacks = []
    for kind, slices in SLICES.items():
        path = arguments.data / "brain-openms" / f"patient12_study1_{kind}.nii.gz"
        loaded = load_images(path, slices=slices)
        stacks.append(torch.from_numpy(np.stack([square_image(x.array, size) for x in loaded])))
    return torch.stack(stacks, dim=1).flatten(0, 1)


def worst(subject: Subject, arguments: argparse.Namespace) -> dict[str, object]:
    """Amplification found and at random, PSNR under both; the network's worst case given to the other.

    Each radius is searched anew, with the same budget for every method.
    """
    search = Search(budget=Budget(n_gradients=arguments.gradients))
    result: dict[str, object] = {}
    for radius in arguments.radii:
        row: dict[str, object] = {}
        given: Tensor | None = None
        for name, method, count in subject.methods:
            problem = subject.problem(method, name)
            images = problem.prepare(chosen(subject.images, count))
            found = worst_case(
                problem, images, radius=radius, domain=arguments.domain, search=search, seed=0
            )
            drawn = _drawn(found.perturbation)
            damage, quality = _shaken(problem, images, drawn, arguments.domain)
            row[name] = {
                "amplification": interval(found.amplification, 2),
                "random_amplification": interval(damage / drawn.flatten(1).norm(dim=1), 2),
                "clean_psnr_db": interval(psnr(_each(method, subject.forward, images), images), 2),
                "perturbed_psnr_db": interval(psnr(found.reconstruction, images), 2),
                "random_psnr_db": interval(quality, 2),
                "status": sorted({str(status) for status in found.status}),
            }
            print(f"{radius:g} {name} {row[name]}", file=sys.stderr, flush=True)
            if given is None:
                given = found.perturbation
            else:
                damage, quality = _shaken(problem, images, chosen(given, count), arguments.domain)
                sizes = chosen(given, count).flatten(1).norm(dim=1)
                row["total_variation_given_the_networks"] = {
                    "amplification": interval(damage / sizes, 2),
                    "perturbed_psnr_db": interval(quality, 2),
                }
        result[f"{radius:g}"] = row
    return result


def _drawn(found: Tensor) -> Tensor:
    """White noise where the found perturbations are not zero, each of the same size as the found one."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(found.shape, dtype=found.dtype, generator=generator)
    noise = noise * (found != 0)
    sizes = found.flatten(1).norm(dim=1) / noise.flatten(1).norm(dim=1)
    return noise * sizes.reshape(-1, *[1] * (found.ndim - 1))


def _shaken(
    problem: Problem, images: Tensor, perturbation: Tensor, domain: str
) -> tuple[Tensor, Tensor]:
    """Error ``(B,)`` and PSNR ``(B,)`` under perturbations."""
    errors, qualities = [], []
    for image, shift in zip(images, perturbation, strict=True):
        clean = problem.forward(image[None])
        moved = clean + (problem.forward(shift[None]) if domain == "image" else shift[None])
        with torch.no_grad():
            before, after = (problem.reconstruct(y, problem.forward) for y in (clean, moved))
        errors.append((after - before).norm())
        qualities.append(psnr(after, image[None])[0])
    return torch.stack(errors), torch.stack(qualities)


def methods(subject: Subject, arguments: argparse.Namespace) -> dict[str, object]:
    """PSNR and SSIM of network and reference methods at every strength, from the same data."""
    network, forward = subject.network, subject.forward
    values = "real" if network.real else "complex"

    def zero_filled(y: Tensor, A: ForwardMap) -> Tensor:
        image = A.adjoint(y)
        return image.real if network.real else image

    rows: list[Row] = [
        ("network", network.reconstruct, arguments.count),
        ("zero_filled", zero_filled, arguments.count),
        *stable_rows(STRENGTHS, arguments, values=values),
    ]
    images = subject.problem(network.reconstruct, "network").prepare(subject.images)
    data = noisy_data(forward, images, arguments.noise)
    return qualities(rows, forward, images, data, at_once=1, magnitudes=True)


def details(subject: Subject, arguments: argparse.Namespace) -> dict[str, object]:
    """Contrast recovery and correlation of inserted details, at ``--contrast`` of the peak."""
    small = min(subject.forward.image_shape) < 64
    result: dict[str, object] = {}
    for name, method, count in subject.methods:
        rows: dict[str, list[tuple[Tensor, Tensor]]] = {}
        images = subject.problem(method, name).prepare(chosen(subject.images, count))
        for number, image in enumerate(images):
            before = _each(method, subject.forward, image[None])
            made = make_details(
                image,
                FEW_DETAILS if small else DETAILS,
                contrast=arguments.contrast,
                seed=number,
            )
            for detail in made:
                after = _each(method, subject.forward, (image + detail.array)[None])
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


def rates(subject: Subject, arguments: argparse.Namespace) -> dict[str, object]:  # noqa: ARG001
    """PSNR against the sampling rate, in multiples of the trained one."""
    if subject.network.name == "automap":
        raise SystemExit("not applicable: a dense layer takes the points that it was trained with")
    result: dict[str, object] = {}
    for factor in RATES:
        forward = subject.at_rate(factor)
        if forward is None:
            continue
        row: dict[str, object] = {}
        for name, method, count in subject.methods:
            images = subject.problem(method, name).prepare(chosen(subject.images, count))
            row[name] = interval(psnr(_each(method, forward, images), images), 2)
        result[f"{factor * subject.network.trained_rate:.3f}"] = row
    return result


def _each(method: Method, forward: ForwardMap, images: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([method(forward(image[None]), forward) for image in images])


def main() -> None:
    torch.set_num_threads(1)
    arguments = _parsed()
    result: dict[str, Any] = {
        "worst": worst,
        "methods": methods,
        "details": details,
        "rates": rates,
    }[arguments.what](Subject(arguments), arguments)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    settings = {key: str(value) for key, value in vars(arguments).items() if value is not None}
    head = {**settings, "processor_seconds": round(usage.ru_utime + usage.ru_stime)}
    print(json.dumps({"settings": head, "results": result}, indent=1, allow_nan=False))
    if arguments.store:
        keep(head, result)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("worst", "methods", "details", "rates"))
    parser.add_argument("data", type=Path)
    parser.add_argument(
        "--network", choices=("automap", "dagan", "deep-mri", "mri-vn"), required=True
    )
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--images", choices=("patient12", "cardiac"), default="patient12")
    parser.add_argument("--size", type=int, help="for deep-mri: another size than its own")
    parser.add_argument("--domain", choices=("image", "data"), default="image")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--stable", type=int, default=20)
    parser.add_argument("--gradients", type=int, default=30)
    parser.add_argument("--others", type=int, default=0)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--store", action="store_true", help="for the tables of docs/paper.md")
    parser.add_argument("--strength", type=float, default=TotalVariation().strength)
    parser.add_argument("--contrast", type=float, default=0.3)
    parser.add_argument("--radii", type=float, nargs="+", default=list(RADII))
    arguments = parser.parse_args()
    if not 0 <= arguments.stable <= arguments.count <= 20 or not arguments.count:
        parser.error("--count is from 1 to 20, --stable from 0 to --count")
    return arguments


if __name__ == "__main__":
    main()
