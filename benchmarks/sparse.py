"""The sparse methods beside their peers: time to a relative objective gap of 1e-3, and PSNR.

Run ``python benchmarks/sparse.py [--size 256]`` with one thread (``OMP_NUM_THREADS=1``). Times are
cpu seconds, those of started programs included. A peer's time is that of the shortest of a series
of runs whose objective is within 1e-3 of the best; it knows when to stop, ours has to prove it.
Images are slices of nilearn's MNI152 template and, where they lie beside the checkout, of the
brain-openms data.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "sparse"))

import peers  # noqa: E402

from shaketable.maps import FourierMap  # noqa: E402
from shaketable.maps.sampling import cartesian_variable_density  # noqa: E402
from shaketable.metrics import psnr, ssim  # noqa: E402
from shaketable.sparse import SparseMethod, TotalVariation, WaveletL1  # noqa: E402

ITERATIONS = (10, 20, 30, 50, 80, 120, 200, 400, 800, 1600)
Peer = tuple[str, Callable[[int], peers.Array], Callable[[peers.Array], float]]


def cpu_seconds() -> float:
    return sum(os.times()[:4])


def timed(function: Callable[[], object]) -> float:
    start = cpu_seconds()
    function()
    return cpu_seconds() - start


def square(image: np.ndarray, size: int) -> np.ndarray:
    """Pad to a square, resize, scale the maximum to 1."""
    from skimage.transform import resize

    side = max(image.shape)
    before = [(side - length) // 2 for length in image.shape]
    pads = [(b, side - length - b) for b, length in zip(before, image.shape, strict=True)]
    small = resize(np.pad(image, pads), (size, size), order=1, anti_aliasing=True)
    return small / small.max()


def template_slices(size: int) -> Tensor:
    from nilearn.datasets import load_mni152_template

    volume = load_mni152_template(resolution=1).get_fdata().astype(np.float32)
    slices = [square(volume[:, :, index], size) for index in (70, 85, 95, 110)]
    return torch.from_numpy(np.stack(slices)).to(torch.complex64)


def openms_slices(size: int) -> Tensor | None:
    import nibabel

    path = ROOT.parent / "shared/data/brain-openms/patient12_study1_T2W.nii.gz"
    if not path.exists():
        return None
    volume = nibabel.load(path).get_fdata(dtype=np.float32)
    slices = [square(volume[:, :, index], size) for index in (18, 22, 26, 30)]
    return torch.from_numpy(np.stack(slices)).to(torch.complex64)


def peers_of(method: SparseMethod, y: np.ndarray, mask: np.ndarray, strength: float) -> list[Peer]:
    """The independent solvers of the method's own problem, each with the objective it minimises."""

    def objective(penalty: Callable[[peers.Array], float]) -> Callable[[peers.Array], float]:
        return lambda image: peers.data_objective(image, y, mask) + strength * penalty(image)

    if method.values != "complex":
        return []
    if isinstance(method, WaveletL1):
        wavelet, levels = method.wavelet, method.levels

        def coefficients(image: peers.Array) -> float:
            return float(np.abs(peers.wavelet_coefficients(image, wavelet, levels)).sum())

        run = lambda n: peers.fista(y, mask, strength, wavelet, levels, n)  # noqa: E731
        return [("FISTA, PyWavelets", run, objective(coefficients))]
    if not getattr(method, "isotropic", True):
        run = lambda n: peers.sigpy_anisotropic(y, mask, strength, n)  # noqa: E731
        value = objective(lambda image: peers.variation(image, isotropic=False))
        return [("sigpy, PDHG", run, value)]

    def bart(n: int) -> peers.Array:
        with tempfile.TemporaryDirectory() as folder:
            # The penalty parameter that was found best for our own iteration.
            rho = 4 * method.strength
            return peers.bart_total_variation(y, mask, strength, Path(folder), n, rho)

    def mirrored(image: peers.Array) -> float:
        return peers.variation(np.roll(image[::-1, ::-1], (1, 1), (0, 1)))

    primal_dual = lambda n: peers.chambolle_pock(y, mask, strength, n)  # noqa: E731
    return [
        ("BART, ADMM", bart, objective(mirrored)),
        ("Chambolle-Pock, NumPy", primal_dual, objective(peers.variation)),
    ]


def race(method: SparseMethod, data: Tensor, forward: FourierMap) -> None:
    """Print one row for our method and one for each of its peers."""
    method.solve(data, forward)
    solution = method.solve(data, forward)
    ours = min(timed(lambda: method.solve(data, forward)) for _ in range(3))
    leaf = data.clone().requires_grad_()
    loss = method(leaf, forward).abs().square().sum()
    backward = timed(lambda: torch.autograd.grad(loss, leaf))
    best = float(replace(method, gap=5e-5, max_iterations=3000).solve(data, forward).objective)
    label = f"{method.describe()['penalty']}, {method.values}"
    size = "x".join(str(n) for n in forward.image_shape)
    print(
        f"{label} | {size} | shaketable | {ours:.2f} (derivative {backward:.2f}) | "
        f"{int(solution.n_iterations)} | {float(solution.objective) / best - 1:.1e} "
        f"(proven {float(solution.gap):.1e})"
    )
    y, mask = data[0].numpy().astype(complex), forward.mask.numpy()
    for name, run, value in peers_of(method, y, mask, float(solution.strength)):
        try:
            print(f"{label} | {size} | {name} | {time_to_gap(run, value, best)}", flush=True)
        except BaseException as error:  # pytest's skip is not an Exception
            if type(error).__name__ not in ("Skipped", "CalledProcessError"):
                raise
            print(f"{label} | {size} | {name} | not run: {error}")


def time_to_gap(
    run: Callable[[int], peers.Array], value: Callable[[peers.Array], float], best: float
) -> str:
    for n_iterations in ITERATIONS:
        start = cpu_seconds()
        image = run(n_iterations)
        seconds = cpu_seconds() - start
        excess = value(image) / best - 1
        if excess <= 1e-3:
            return f"{seconds:.2f} | {n_iterations} | {excess:.1e}"
    return f"{seconds:.2f} | {n_iterations} | {excess:.1e}, not reached"


def quality(name: str, images: Tensor, forward: FourierMap) -> None:
    """Print the mean PSNR and SSIM of the methods at their default strengths."""
    data = forward(images)
    rows = [("zero-filled", forward.adjoint(data))]
    for values in ("complex", "ri", "real"):
        for kind in (TotalVariation, WaveletL1):
            method = kind(values=values)  # type: ignore[arg-type]
            rows.append((f"{method.describe()['name']}, {values}", method(data, forward)))
    size = "x".join(str(n) for n in forward.image_shape)
    for label, image in rows:
        figures = (
            f"{float(psnr(image, images).mean()):.2f} | {float(ssim(image, images).mean()):.3f}"
        )
        print(f"{name} {size}, rate {forward.rate:.2f} | {label} | {figures}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs="+", default=[128, 256])
    sizes = parser.parse_args().size
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    started = time.time()
    for size in sizes:
        sampling = cartesian_variable_density((size, size), seed=0)
        template, openms = template_slices(size), openms_slices(size)
        forward = FourierMap(sampling.mask(1 / 3))
        print("\nproblem | size | solver | cpu s | iterations | objective above the best")
        data = forward(template[1:2])
        kinds = [TotalVariation(), TotalVariation(isotropic=False), WaveletL1()]
        for method in [*kinds, TotalVariation(values="ri"), TotalVariation(values="real")]:
            race(method, data, forward)
        print("\nimages | method | PSNR dB | SSIM")
        for rate in (1 / 3, 1 / 4):
            for name, images in (("MNI152", template), ("openms patient 12", openms)):
                if images is not None:
                    quality(name, images, FourierMap(sampling.mask(rate)))
    print(f"\n{time.time() - started:.0f} s in all")


if __name__ == "__main__":
    main()
