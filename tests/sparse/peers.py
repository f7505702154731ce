"""Independent solvers of the same problems, in NumPy, PyWavelets, sigpy and BART."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

Array = npt.NDArray[np.complex128]
Mask = npt.NDArray[np.bool_]


def differences(image: Array) -> Array:
    return np.stack([np.roll(image, -1, 0) - image, np.roll(image, -1, 1) - image])


def data_objective(image: Array, data: Array, mask: Mask) -> float:
    residual = mask * (np.fft.fft2(image, norm="ortho") - data)
    return 0.5 * float(np.sum(np.abs(residual) ** 2))


def variation(image: Array, *, values: str = "complex", isotropic: bool = True) -> float:
    gradient = differences(image)
    parts = [gradient] if values == "complex" else [gradient.real, gradient.imag]
    total = 0.0
    for part in parts:
        size = np.abs(part)
        total += float(np.sqrt((size**2).sum(0)).sum() if isotropic else size.sum())
    return total


def wavelet_coefficients(image: Array, wavelet: str, levels: int) -> Array:
    """PyWavelets' own transform, as one array."""
    import pywt

    parts = [
        pywt.coeffs_to_array(pywt.wavedec2(part, wavelet, "periodization", levels))[0]
        for part in (image.real, image.imag)
    ]
    return np.asarray(parts[0] + 1j * parts[1])


def wavelet_synthesis(coefficients: Array, wavelet: str, levels: int) -> Array:
    import pywt

    shape = np.zeros(coefficients.shape)
    slices = pywt.coeffs_to_array(pywt.wavedec2(shape, wavelet, "periodization", levels))[1]
    parts = [
        pywt.waverec2(
            pywt.array_to_coeffs(part, slices, output_format="wavedec2"), wavelet, "periodization"
        )
        for part in (coefficients.real, coefficients.imag)
    ]
    return np.asarray(parts[0] + 1j * parts[1])


def chambolle_pock(
    data: Array, mask: Mask, strength: float, n_iterations: int, values: str = "complex"
) -> Array:
    """Isotropic total variation by the primal-dual method; the proximal of the data is exact.

    A real image ties each frequency to its negative, so that it sees the mean of the mask at both.
    """
    start = np.fft.ifft2(mask * data, norm="ortho")
    weight: npt.NDArray[np.float64] = mask.astype(float)
    if values == "real":
        start = start.real + 0j
        weight = (weight + np.roll(weight[::-1, ::-1], (1, 1), (0, 1))) / 2
    seen = np.fft.fft2(start, norm="ortho")
    leading, dual, x = start, np.zeros((2, *start.shape), complex), start
    primal_step, dual_step = 10 / np.sqrt(8), 1 / 10 / np.sqrt(8)
    for _ in range(n_iterations):
        dual = dual + dual_step * differences(leading)
        if values == "complex":
            dual = _within(dual, strength)
        else:
            dual = _within(dual.real, strength) + 1j * _within(dual.imag, strength)
        divergence = np.roll(dual[0], 1, 0) - dual[0] + np.roll(dual[1], 1, 1) - dual[1]
        spectrum = np.fft.fft2(x - primal_step * divergence, norm="ortho")
        spectrum = (spectrum + primal_step * seen) / (1 + primal_step * weight)
        previous, x = x, np.fft.ifft2(spectrum, norm="ortho")
        leading = 2 * x - previous
    return x


def _within(dual: npt.NDArray[Any], radius: float) -> npt.NDArray[Any]:
    """Project every pair onto a disc."""
    size = np.sqrt((np.abs(dual) ** 2).sum(0))
    return np.asarray(dual / np.maximum(1, size / radius))


def fista(
    data: Array,
    mask: Mask,
    strength: float,
    wavelet: str,
    levels: int,
    n_iterations: int,
    values: str = "complex",
) -> Array:
    """Wavelet l1 by accelerated proximal gradient steps of length 1."""
    x = np.zeros(data.shape, complex)
    leading, momentum = x, 1.0
    for _ in range(n_iterations):
        residual = mask * (np.fft.fft2(leading, norm="ortho") - data)
        step = leading - np.fft.ifft2(residual, norm="ortho")
        if values == "real":
            step = step.real + 0j
        c = wavelet_coefficients(step, wavelet, levels)
        if values == "complex":
            c = _shorter(c, strength)
        else:
            c = _shorter(c.real, strength) + 1j * _shorter(c.imag, strength)
        previous, x = x, wavelet_synthesis(c, wavelet, levels)
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        leading = x + (momentum - 1) / following * (x - previous)
        momentum = following
    return x


def _shorter(coefficients: npt.NDArray[Any], length: float) -> npt.NDArray[Any]:
    """Soft thresholding."""
    size = np.maximum(np.abs(coefficients), 1e-300)
    return np.asarray(coefficients * np.maximum(0, 1 - length / size))


def sigpy_anisotropic(data: Array, mask: Mask, strength: float, n_iterations: int) -> Array:
    """Sigpy's total variation: l1 of periodic differences, its Fourier transform is centred."""
    mri = pytest.importorskip("sigpy.mri", reason="needs sigpy, an optional peer")
    app = mri.app.TotalVariationRecon(
        np.fft.fftshift(mask * data),
        np.ones((1, *data.shape), complex)[0][None],
        strength,
        weights=np.fft.fftshift(mask).astype(float),
        max_iter=n_iterations,
        show_pbar=False,
    )
    return np.fft.ifftshift(np.asarray(app.run()))


def bart_total_variation(
    data: Array,
    mask: Mask,
    strength: float,
    folder: Path,
    n_iterations: int,
    rho: float = 0.3,
    coils: Array | None = None,
) -> Array:
    """BART's total variation: isotropic, periodic, but of backward differences; centred, float32.

    ``(H, W)`` data, or ``(C, H, W)`` with coil maps of that shape.
    """
    if shutil.which("bart") is None:
        pytest.skip("needs the program bart (BART) on the PATH")
    axes = (-2, -1)
    inputs = {"kspace": np.fft.fftshift(mask * data, axes=axes), "coils": np.ones(data.shape)}
    if coils is not None:
        inputs["coils"] = np.fft.fftshift(coils, axes=axes)
    inputs["pattern"] = np.fft.fftshift(mask)
    for name, array in inputs.items():
        # BART's dimensions are x, y, z, coil.
        ordered = array if array.ndim == 2 else np.moveaxis(array, 0, -1)[:, :, None, :]
        _write_bart(folder / name, ordered)
    options = ["-S", "-w", "1", "-d", "0", "-i", str(n_iterations), "-u", str(rho)]
    options += ["-R", f"T:3:0:{strength}", "-p", str(folder / "pattern")]
    files = [str(folder / name) for name in ("kspace", "coils", "image")]
    subprocess.run(["bart", "pics", *options, *files], check=True, capture_output=True)
    return np.fft.ifftshift(_read_bart(folder / "image"))


def _write_bart(path: Path, array: npt.NDArray[np.generic]) -> None:
    shape = [*array.shape, *([1] * (16 - array.ndim))]
    path.with_suffix(".hdr").write_text("# Dimensions\n" + " ".join(map(str, shape)) + "\n")
    array.astype(np.complex64).ravel(order="F").tofile(path.with_suffix(".cfl"))


def _read_bart(path: Path) -> Array:
    shape = [int(n) for n in path.with_suffix(".hdr").read_text().splitlines()[1].split()]
    values = np.fromfile(path.with_suffix(".cfl"), np.complex64)
    return values.reshape(shape, order="F").squeeze().astype(complex)
