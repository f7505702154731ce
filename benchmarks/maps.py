"""Print the adjoint gaps of all maps, in single and in double precision.

Run ``python benchmarks/maps.py``. The gap of a dot test is ``|⟨A x, y⟩ − ⟨x, A* y⟩|`` relative to
``‖A x‖ ‖y‖``, the largest of twenty pairs; the program fails where one is above its limit.
"""

from __future__ import annotations

from collections.abc import Iterator

import scipy.fft
import torch
from rich.console import Console
from rich.table import Table

from shaketable.maps import FourierMap, MatrixMap, NumpyMap, check_map, sampling
from shaketable.protocols import ForwardMap

SHAPE = (256, 256)
RATE = 1 / 3


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


def main() -> None:
    table = Table(title="Adjoint gaps (limits: 1e-6 in complex64, 1e-12 in complex128)")
    for column in ("map", "complex64", "complex128", "norm (double)", "its last change"):
        table.add_column(column)
    for maps in (fourier_maps(), matrix_maps(), numpy_maps()):
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


if __name__ == "__main__":
    main()
