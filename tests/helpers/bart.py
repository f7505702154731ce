"""BART's files and its program, as an oracle."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

Complex = npt.NDArray[np.complex64]


def run_bart(*words: str | Path) -> None:
    """Run the program on one thread; skip the test where it is not installed."""
    if shutil.which("bart") is None:
        pytest.skip("needs the program bart (BART) on the PATH")
    command = ["bart", *map(str, words)]
    subprocess.run(
        command,
        check=True,
        capture_output=True,
        env={"OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
    )


def write_cfl(path: Path, array: npt.NDArray[np.generic]) -> Path:
    """Write one array, the first index fastest; returns the path without ending."""
    path.with_suffix(".hdr").write_text("# Dimensions\n" + " ".join(map(str, array.shape)) + "\n")
    array.astype(np.complex64).ravel(order="F").tofile(path.with_suffix(".cfl"))
    return path


def write_several_cfl(path: Path, *arrays: npt.NDArray[np.generic]) -> Path:
    """Write several arrays one after the other, with their shapes in the header, as reconet does."""
    flat = np.concatenate([array.ravel(order="F") for array in arrays]).astype(np.complex64)
    shapes = [" ".join(map(str, array.shape)) for array in arrays]
    lines = ["# Dimensions", str(flat.size), "# SizesDimensions"]
    lines += [" ".join(str(array.ndim) for array in arrays), "# MultiDimensions", *shapes]
    path.with_suffix(".hdr").write_text("\n".join([*lines, "# Command", "reconet -t 1 2", ""]))
    flat.tofile(path.with_suffix(".cfl"))
    return path


def read_cfl(path: Path) -> Complex:
    """Read one array, without the axes of length 1."""
    shape = [int(n) for n in path.with_suffix(".hdr").read_text().splitlines()[1].split()]
    values = np.fromfile(path.with_suffix(".cfl"), np.complex64)
    return values.reshape(shape, order="F").squeeze()
