"""What threads that wait for each other cost where other programs use the processors too.

    python benchmarks/shared_cores.py

Milliseconds of the clock for a total variation solve and a gradient through the Deep MRI network, one
128x128 image, with PyTorch's way to wait and with that of the command line (``GOMP_SPINCOUNT=10000``);
on processors that do nothing else, and beside as many busy programs as there are processors.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

N_TIMES = 9
BUSY = "while True: sum(range(100_000))"
WAYS = {"PyTorch's": {}, "the command's": {"GOMP_SPINCOUNT": "10000"}}


def measure() -> None:
    """In a process of its own, as the variable is read once, when the library is loaded."""
    import torch

    import shaketable as st
    from shaketable.maps.sampling import cartesian_variable_density
    from shaketable.sparse import TotalVariation
    from shaketable.zoo.images.bundled import axial_slice
    from shaketable.zoo.images.training import square_image

    A = st.FourierMap(cartesian_variable_density((128, 128), seed=0).mask(1 / 3))
    data = A(torch.from_numpy(square_image(axial_slice(95), 128)).to(torch.complex64)[None])
    method, network = TotalVariation(), st.zoo.load("deep-mri")

    def gradient() -> None:
        leaf = data.clone().requires_grad_()
        network.reconstruct(leaf, A).abs().sum().backward()

    print(clocked(lambda: method(data, A)), clocked(gradient))


def clocked(call: Callable[[], object]) -> float:
    call()
    times = []
    for _ in range(N_TIMES):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return median(times)


@contextmanager
def beside(n: int) -> Iterator[None]:
    """Programs of somebody else that keep the processors busy meanwhile."""
    command = [sys.executable, "-c", BUSY]
    programs = [subprocess.Popen(command, start_new_session=True) for _ in range(n)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def main() -> None:
    n_cores = os.cpu_count() or 1
    for n in (0, n_cores):
        for name, variables in WAYS.items():
            with beside(n):
                printed = subprocess.run(
                    [sys.executable, __file__, "measure"], env=os.environ | variables,
                    capture_output=True, text=True, check=True,
                ).stdout  # fmt: skip
            solve, gradient = (1e3 * float(value) for value in printed.split())
            print(f"{n} busy programs on {n_cores} cores, {name} way: total variation "
                  f"{solve:.0f} ms, gradient {gradient:.0f} ms", flush=True)  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:] == ["measure"]:
        measure()
    else:
        main()
