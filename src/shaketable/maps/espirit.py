"""Coil maps estimated from the fully sampled middle of Fourier data."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shaketable.errors import InputError, MissingDependencyError
from shaketable.maps.centring import to_centred

Library = Literal["sigpy", "bart"]


def espirit_coils(
    kspace: Tensor,
    *,
    calibration: int | None = None,
    kernel_width: int = 6,
    threshold: float = 0.02,
    crop: float = 0.95,
    library: Library | None = None,
) -> Tensor:
    """Estimate coil maps from multi-coil data by ESPIRiT.

    The fully sampled middle of Fourier space gives the linear relations between neighbouring
    samples of all coils; coil maps are, pixel by pixel, the eigenvector of eigenvalue 1 of these
    relations. Where the largest eigenvalue is below ``crop`` nothing is seen and the maps are zero;
    elsewhere their root sum of squares is 1 and the first coil is real and positive.

    Parameters
    ----------
    kspace
        ``(C, H, W)`` complex, DC at ``[0, 0]``, zero where not sampled: data of a
        :class:`MultiCoilFourierMap`. Data of a scanner, with DC in the middle, go through
        :func:`shaketable.maps.from_centred` first.
    calibration
        Side of the middle square to use; not given: the largest that is fully sampled, at most 24.
    kernel_width
        Side of the squares of samples that are related.
    threshold
        Singular values below this share of the largest are noise.
    crop
        Smallest eigenvalue of a pixel that is seen.
    library
        ``"sigpy"`` or ``"bart"`` (the program ``bart ecalib``); not given: the first installed.

    Returns
    -------
    Tensor
        ``(C, H, W)`` complex64.

    Raises
    ------
    InputError
        If the data are not ``(C, H, W)`` and complex, a setting is impossible, or the square of the
        middle is not fully sampled or smaller than ``kernel_width + 2``.
    MissingDependencyError
        If the library is not installed.

    References
    ----------
    Uecker, Lai, Murphy, Virtue, Elad, Pauly, Vasanawala, Lustig: "ESPIRiT: an eigenvalue approach to
    autocalibrating parallel MRI", Magn. Reson. Med. 71 (2014).
    """
    _require_settings(kernel_width, threshold, crop)
    if kspace.ndim != 3 or not kspace.is_complex() or not bool((kspace != 0).any()):
        raise InputError(
            f"Expected complex data of shape (C, H, W) that are not all zero, got {kspace.dtype} of "
            f"shape {tuple(kspace.shape)}; pass the data of one image."
        )
    if not bool(torch.isfinite(kspace.abs()).all()):
        raise InputError("Expected finite data, got NaN or infinity; look at how they were read.")
    centred = to_centred(kspace.detach().cpu()).to(torch.complex64).numpy()
    side = _calibration(centred, calibration, kernel_width + 2)
    # Both libraries judge sizes relative to the data, BART less so; none likes very small numbers.
    centred = centred / np.abs(centred).max()
    if _chosen(library) == "sigpy":
        maps = _by_sigpy(centred, side, kernel_width, threshold, crop)
    else:
        maps = _by_bart(centred, side, kernel_width, threshold, crop)
    return torch.from_numpy(np.ascontiguousarray(maps.astype(np.complex64)))


def _require_settings(kernel_width: int, threshold: float, crop: float) -> None:
    if int(kernel_width) != kernel_width or kernel_width < 2:
        raise InputError(
            f"Expected a kernel of at least 2 samples, got {kernel_width}; 6 are usual."
        )
    if not (0 < threshold < 1 and 0 <= crop < 1):
        raise InputError(
            f"Expected threshold and crop between 0 and 1, got {threshold} and {crop}; 0.02 and "
            "0.95 are usual."
        )


def _calibration(centred: NDArray[Any], wanted: int | None, smallest: int) -> int:
    """Side of the middle square to use, which is fully sampled."""
    sampled = (centred != 0).any(axis=0)
    longest = min(sampled.shape)
    sides = range(smallest, min(longest, 24 if wanted is None else wanted) + 1)
    full = 0
    for side in sides:
        if not _middle(sampled, side).all():
            break
        full = side
    if full < smallest or (wanted is not None and full < wanted):
        raise InputError(
            f"Expected a fully sampled middle of at least {wanted or smallest} x "
            f"{wanted or smallest} positions, got less; take fewer, sample the middle, or check that "
            "DC is at [0, 0]."
        )
    return full


def _middle(array: NDArray[Any], side: int) -> NDArray[Any]:
    """The middle square, where both libraries look for it."""
    top, left = (length // 2 - side // 2 for length in array.shape)
    return array[top : top + side, left : left + side]


def _chosen(library: Library | None) -> Library:
    every: tuple[Library, ...] = ("sigpy", "bart")
    if library is not None and library not in every:
        raise InputError(f'Expected library "sigpy" or "bart", got {library!r}; choose one.')
    names = every if library is None else (library,)
    for name in names:
        if _sigpy_is_installed() if name == "sigpy" else shutil.which("bart") is not None:
            return name
    raise MissingDependencyError(
        f"Expected {' or '.join(names)} to estimate coil maps, got none installed; run "
        "pip install 'shaketable[mri]', or install the program bart."
    )


def _sigpy_is_installed() -> bool:
    from importlib.util import find_spec

    return find_spec("sigpy") is not None


def _by_sigpy(
    centred: NDArray[Any], side: int, kernel_width: int, threshold: float, crop: float
) -> NDArray[Any]:
    from sigpy.mri.app import EspiritCalib

    maps: NDArray[Any] = EspiritCalib(
        centred, calib_width=side, kernel_width=kernel_width, thresh=threshold, crop=crop,
        show_pbar=False,
    ).run()  # fmt: skip
    return maps


def _by_bart(
    centred: NDArray[Any], side: int, kernel_width: int, threshold: float, crop: float
) -> NDArray[Any]:
    """Let ``bart ecalib`` do it; its files hold the axes (x, y, z, coil) in columns."""
    n_coils, height, width = centred.shape
    with TemporaryDirectory() as folder:
        data, maps = Path(folder, "data"), Path(folder, "maps")
        data.with_suffix(".hdr").write_text(f"# Dimensions\n{height} {width} 1 {n_coils}\n")
        centred.astype("<c8").transpose(0, 2, 1).tofile(data.with_suffix(".cfl"))
        command = [
            "bart", "ecalib", "-m1", f"-r{side}", f"-k{kernel_width}", f"-t{threshold**2}",
            f"-c{crop}", "data", "maps",
        ]  # fmt: skip
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise InputError(
                f"Expected bart ecalib to estimate coil maps, got its error: "
                f"{done.stderr.strip().splitlines()[-1:]}; try library='sigpy'."
            )
        values = np.fromfile(maps.with_suffix(".cfl"), dtype="<c8")
    result = values[: n_coils * height * width].reshape(n_coils, width, height).transpose(0, 2, 1)
    first = result[:1]
    phase = np.where(first == 0, 1, first / np.maximum(np.abs(first), np.finfo(np.float32).tiny))
    turned: NDArray[Any] = result * phase.conj()
    return turned
