"""Print the adjoint gaps of all maps, and the speed of the Radon map beside other libraries.

Run ``python benchmarks/maps.py``. The gap of a dot test is ``|⟨A x, y⟩ − ⟨x, A* y⟩|`` relative to
``‖A x‖ ‖y‖``, the largest of twenty pairs; the program fails where one is above its limit.

``python benchmarks/maps.py --radon`` adds the Radon transform of 50 views: ASTRA and scikit-image,
and odl, pylops and deepinv where they are installed, in turn in one process on one thread. Times are
medians; ratios are what carries over to other machines.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import scipy.fft
import torch
from radon_peers import Peer, peers
from rich.console import Console
from rich.table import Table

from shaketable.maps import (
    FourierMap,
    MatrixMap,
    MultiCoilFourierMap,
    NumpyMap,
    RadonMap,
    birdcage_coils,
    check_map,
    filtered_back_projection,
    sampling,
)
from shaketable.protocols import ForwardMap

SHAPE = (256, 256)
RATE = 1 / 3
ANGLES = sampling.equispaced_views().angles(0.05).numpy()
ROUNDS = 7


def fourier_maps() -> Iterator[tuple[str, ForwardMap]]:
    sequences = (
        sampling.cartesian_variable_density(SHAPE, seed=0),
        sampling.equispaced_lines(SHAPE, rate=RATE),
        sampling.gaussian_columns(SHAPE, seed=0),
        sampling.poisson_disc(SHAPE, seed=0),
        sampling.radial_lines(SHAPE),
    )
    for sequence in sequences:
        yield f"FourierMap, {sequence.name}", FourierMap(sequence.mask(RATE))


def coil_and_radon_maps() -> Iterator[tuple[str, ForwardMap]]:
    mask = sampling.equispaced_lines((640, 368), rate=58 / 368, n_center=28, lines="columns")
    coils = birdcage_coils(15, (640, 368), dtype=torch.complex128)
    yield "MultiCoilFourierMap, 15 coils", MultiCoilFourierMap(mask.mask(58 / 368), coils)
    for n_pixels in (256, 512):
        yield f"RadonMap, 50 views, {n_pixels}", RadonMap(ANGLES, (n_pixels, n_pixels))


def matrix_maps() -> Iterator[tuple[str, ForwardMap]]:
    random = torch.Generator().manual_seed(0)
    real = torch.randn(1000, 1600, dtype=torch.float64, generator=random)
    complex_valued = torch.randn(1000, 1600, dtype=torch.complex128, generator=random)
    few = torch.rand(1000, 1600, generator=random) < 0.02
    shape = (40, 40)
    yield "MatrixMap, real", MatrixMap(real, image_shape=shape)
    yield "MatrixMap, complex", MatrixMap(complex_valued, image_shape=shape)
    yield "MatrixMap, sparse real", MatrixMap((real * few).to_sparse(), image_shape=shape)
    sparse = (complex_valued * few).to_sparse()
    yield "MatrixMap, sparse complex", MatrixMap(sparse, image_shape=shape)


def numpy_maps() -> Iterator[tuple[str, ForwardMap]]:
    mask = sampling.radial_lines(SHAPE).mask(RATE).numpy()
    for vectorized in (False, True):
        yield (
            f"NumpyMap, scipy.fft, {'vectorized' if vectorized else 'one by one'}",
            NumpyMap(
                forward=lambda x: scipy.fft.fft2(x, norm="ortho") * mask,
                adjoint=lambda y: scipy.fft.ifft2(y * mask, norm="ortho"),
                image_shape=SHAPE,
                data_shape=SHAPE,
                vectorized=vectorized,
            ),
        )


def print_gaps() -> None:
    table = Table(title="Adjoint gaps (limits: 1e-6 in complex64, 1e-12 in complex128)")
    for column in ("map", "complex64", "complex128", "norm (double)", "its last change"):
        table.add_column(column)
    for maps in (fourier_maps(), coil_and_radon_maps(), matrix_maps(), numpy_maps()):
        for name, forward in maps:
            single = check_map(forward, dtype=torch.complex64, n_pairs=20)
            double = check_map(forward, dtype=torch.complex128, n_pairs=20)
            table.add_row(
                name,
                f"{single.adjoint_gap:.1e}",
                f"{double.adjoint_gap:.1e}",
                f"{double.norm:.4f}",
                f"{double.norm_change:.0e}",
            )
    Console(width=100).print(table)


def print_radon_speed() -> None:
    torch.set_num_threads(1)
    for n_pixels in (256, 512):
        build_seconds(n_pixels)
        everyone = list(peers(ANGLES, n_pixels))
        for n_images in (1, 8):
            print_timings(everyone, n_pixels, n_images)


def build_seconds(n_pixels: int) -> None:
    A = RadonMap(ANGLES + 1e-3, (n_pixels, n_pixels))  # a geometry that is not kept yet
    image = torch.ones(1, n_pixels, n_pixels)
    spent = [seconds(lambda: A(image))]
    data = A(image)
    spent += [
        seconds(lambda: A.adjoint(data)),
        seconds(lambda: filtered_back_projection(data, A)),
    ]
    first, transpose, filtered = spent
    print(
        f"\nFirst use, {n_pixels} x {n_pixels}: forward {first:.2f} s, adjoint {transpose:.2f} s more, "
        f"filtered back-projection {filtered:.2f} s."
    )


def print_timings(everyone: list[Peer], n_pixels: int, n_images: int) -> None:
    random = torch.Generator().manual_seed(0)
    images = torch.randn(n_images, n_pixels, n_pixels, generator=random)
    data = [peer.forward(images) for peer in everyone]
    spent: dict[str, tuple[list[float], list[float]]] = {peer.name: ([], []) for peer in everyone}
    for round_number in range(ROUNDS + 1):
        for peer, own in zip(everyone, data, strict=True):
            there = seconds(lambda peer=peer: peer.forward(images))
            back = seconds(lambda peer=peer, own=own: peer.adjoint(own))
            if round_number > 0:  # the first one is to get warm
                spent[peer.name][0].append(there)
                spent[peer.name][1].append(back)
    table = Table(title=f"50 views, {n_pixels} x {n_pixels}, {n_images} at once, milliseconds")
    for column in ("library", "forward", "ratio", "adjoint", "ratio", "adjoint gap"):
        table.add_column(column)
    ours = [float(np.median(times)) for times in spent[everyone[0].name]]
    for peer, own in zip(everyone, data, strict=True):
        there, back = (1e3 * float(np.median(times)) for times in spent[peer.name])
        table.add_row(
            peer.name, f"{there:.1f}", f"{there / ours[0] / 1e3:.1f}", f"{back:.1f}",
            f"{back / ours[1] / 1e3:.1f}", f"{gap(peer, images, own):.0e}",
        )  # fmt: skip
    Console(width=100).print(table)


def gap(peer: Peer, images: torch.Tensor, data: torch.Tensor) -> float:
    """``|⟨A x, y⟩ − ⟨x, A* y⟩|`` relative to ``‖A x‖ ‖y‖`` for ``y = A x``, in double precision."""
    norm = float(data.double().square().sum())
    return abs(norm - float((images.double() * peer.adjoint(data).double()).sum())) / norm


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    print_gaps()
    if "--radon" in sys.argv:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the other libraries, about themselves
            print_radon_speed()


if __name__ == "__main__":
    main()
