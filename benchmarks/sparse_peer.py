"""One library on one stored problem, in an interpreter of its own; `sparse_speed.py` starts it.

    python sparse_peer.py LIBRARY PROBLEM.npz FOLDER SECONDS

Solves ``min_x 1/2 |A x - y|^2 + lambda R(x)`` by the numbers of iterations of `search`, stores
every image as ``FOLDER/N.npy`` and prints ``run N cpu_seconds timed megabytes`` per line, and at the
end ``megabytes M``: how far the memory rose at most in a run above what was held before it. ``R`` is
isotropic periodic total variation or l1 of PyWavelets' periodised wavelets. Libraries without a
projector of their own get ours as a SciPy matrix, and all get the same coil maps.

`search` is what all solvers are timed by; `sparse_speed.py` has ours and BART run by it.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

GAP = 1e-3
FIRST = 5
"""Iterations of the first run; they double from there."""
FINE = 0.05
"""How near the shortest good number is to the longest that is not, relative to itself."""
LONG = 10.0
"""Seconds; a longer run is timed once, a shorter one three times."""

Solver = Callable[[int], np.ndarray]
"""Iterations -> image, from the start each time."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """The problem, scaled so that ``|A| = 1``; ``matrix`` for Radon, ``coils`` for parallel MRI."""

    kind: str
    penalty: str
    data: np.ndarray
    strength: float
    shape: tuple[int, int]
    mask: np.ndarray | None
    coils: np.ndarray | None
    matrix: Any
    wavelet: str
    levels: int
    best: float

    def forward(self, x: np.ndarray) -> np.ndarray:
        if self.matrix is not None:
            return (self.matrix @ x.ravel()).reshape(self.data.shape)
        assert self.mask is not None
        seen = x if self.coils is None else self.coils * x
        return self.mask * np.fft.fft2(seen, norm="ortho").astype(self.data.dtype)

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        if self.matrix is not None:
            return (self.matrix.T @ y.ravel()).reshape(self.shape)
        image = np.fft.ifft2(self.mask * y, norm="ortho").astype(self.data.dtype)
        return image if self.coils is None else (self.coils.conj() * image).sum(0)

    def analyse(self, x: np.ndarray) -> np.ndarray:
        import pywt

        def one(part: np.ndarray) -> np.ndarray:
            found = pywt.wavedec2(part, self.wavelet, "periodization", self.levels)
            return pywt.coeffs_to_array(found)[0]

        return one(x.real) + 1j * one(x.imag) if np.iscomplexobj(x) else one(x)

    def synthesise(self, c: np.ndarray) -> np.ndarray:
        import pywt

        layout = pywt.wavedec2(np.zeros(self.shape), self.wavelet, "periodization", self.levels)
        slices = pywt.coeffs_to_array(layout)[1]

        def one(part: np.ndarray) -> np.ndarray:
            found = pywt.array_to_coeffs(part, slices, output_format="wavedec2")
            return pywt.waverec2(found, self.wavelet, "periodization")

        return one(c.real) + 1j * one(c.imag) if np.iscomplexobj(c) else one(c)


def objective(stored: Stored, image: np.ndarray) -> float:
    """In double precision, by NumPy alone."""
    x = image.astype(np.result_type(image.dtype, np.float64))
    value = 0.5 * float(np.sum(np.abs(stored.forward(x) - stored.data) ** 2))
    if stored.penalty == "tv":
        return value + stored.strength * float(np.sqrt((np.abs(differences(x)) ** 2).sum(0)).sum())
    return value + stored.strength * float(np.abs(stored.analyse(x)).sum())


def read(path: str) -> Stored:
    held = np.load(path)
    matrix = None
    if "values" in held:
        from scipy.sparse import csr_matrix

        parts = (held["values"], held["indices"], held["pointers"])
        matrix = csr_matrix(parts, shape=tuple(held["matrix_shape"]))
    return Stored(
        kind=str(held["kind"]),
        penalty=str(held["penalty"]),
        data=held["data"],
        strength=float(held["strength"]),
        shape=tuple(int(n) for n in held["shape"]),
        mask=held.get("mask"),
        coils=held.get("coils"),
        matrix=matrix,
        wavelet=str(held["wavelet"]),
        levels=int(held["levels"]),
        best=float(held["best"]),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """One solve: its iterations, its cost, what it reached.

    ``seconds`` of the processor, the median where ``timed`` says more than one; ``megabytes`` at
    most above what was held before. Neither includes the objective, which is in double precision.
    """

    iterations: int
    seconds: float
    megabytes: float
    objective: float
    image: np.ndarray
    timed: int = 1

    def good(self, best: float) -> bool:
        """Whether it is near the best; what diverged is not."""
        return self.objective <= best * (1 + GAP)


def attempt(solver: Solver, stored: Stored, n: int) -> Run:
    at_rest, start = forget_peak(), cpu_seconds()
    image = np.asarray(solver(n))
    seconds = cpu_seconds() - start
    # The objective copies the matrix, so that the peak is read before it.
    megabytes = resident("VmHWM") - at_rest
    value = objective(stored, image)
    return Run(iterations=n, seconds=seconds, megabytes=megabytes, objective=value, image=image)


def search(solver: Solver, stored: Stored, limit: float) -> Iterator[Run]:
    """Runs up to the shortest that is near the best known, which comes again at the end, timed.

    The number of iterations doubles until a run is near or more than ``limit`` seconds are used up.
    Then it is bisected, as if every longer run were near too; the limit does not end that.
    """
    low, spent = 0, 0.0
    while True:
        high = attempt(solver, stored, 2 * low or FIRST)
        yield high
        spent += high.seconds
        if high.good(stored.best):
            break
        if spent > limit:
            return
        low = high.iterations
    while high.iterations - low > max(1, FINE * high.iterations):
        middle = attempt(solver, stored, (low + high.iterations) // 2)
        yield middle
        if middle.good(stored.best):
            high = middle
        else:
            low = middle.iterations
    if high.seconds <= LONG:
        again = [attempt(solver, stored, high.iterations).seconds for _ in range(2)]
        yield replace(high, seconds=median([high.seconds, *again]), timed=3)


def differences(x: np.ndarray) -> np.ndarray:
    return np.stack([np.roll(x, -1, 0) - x, np.roll(x, -1, 1) - x])


def divergence(g: np.ndarray) -> np.ndarray:
    """The adjoint of `differences`."""
    return np.roll(g[0], 1, 0) - g[0] + np.roll(g[1], 1, 1) - g[1]


def sigpy(p: Stored) -> Solver:
    """`LinearLeastSquares`: primal-dual for total variation, accelerated gradients for wavelets."""
    import sigpy as sp

    class Map(sp.linop.Linop):  # type: ignore[misc]
        def __init__(self, inner: Any, outer: Any, there: Any, back: Any) -> None:
            self.there, self.back = there, back
            super().__init__(outer, inner)

        def _apply(self, x: np.ndarray) -> np.ndarray:
            return self.there(x)

        def _adjoint_linop(self) -> Map:
            return Map(self.oshape, self.ishape, self.back, self.there)

    class Joint(sp.prox.Prox):  # type: ignore[misc]
        """Soft shrinkage of the length of each pixel's pair."""

        def _prox(self, step: Any, g: np.ndarray) -> np.ndarray:
            size = np.sqrt((np.abs(g) ** 2).sum(0, keepdims=True))
            return g * (1 - p.strength * step / np.maximum(size, p.strength * step))

    A = Map(p.shape, p.data.shape, p.forward, p.adjoint)

    def run(n: int) -> np.ndarray:
        # Its norms come from random images of this generator; a run is timed again as it was.
        np.random.seed(0)  # noqa: NPY002
        common = {"max_iter": n, "show_pbar": False, "max_power_iter": 10}
        x = np.zeros(p.shape, p.data.dtype)
        if p.penalty == "tv":
            G = Map(p.shape, (2, *p.shape), differences, divergence)
            prox = Joint((2, *p.shape))
            return sp.app.LinearLeastSquares(A, p.data, x=x, proxg=prox, G=G, **common).run()
        W = Map(p.shape, p.shape, p.analyse, p.synthesise)
        prox = sp.prox.UnitaryTransform(sp.prox.L1Reg(p.shape, p.strength), W)
        return sp.app.LinearLeastSquares(A, p.data, x=x, proxg=prox, **common).run()

    return run


def pyproximal(p: Stored) -> Solver:
    """`PrimalDual` with the data in the dual too; `ProximalGradient` (FISTA) for wavelets."""
    import pylops
    import pyproximal as pp

    dtype, size = p.data.dtype, int(np.prod(p.shape))

    def operator(outer: tuple[int, ...], there: Any, back: Any) -> Any:
        # Its iterates become double on the way, for which SciPy would copy the matrix every time.
        return pylops.FunctionOperator(
            lambda x: there(x.reshape(p.shape).astype(dtype)).ravel().astype(dtype),
            lambda y: back(y.reshape(outer).astype(dtype)).ravel().astype(dtype),
            int(np.prod(outer)),
            size,
            dtype=dtype,
        )

    A = operator(p.data.shape, p.forward, p.adjoint)
    if p.penalty == "tv":
        D = operator((2, *p.shape), differences, divergence)
        data = pp.L2(Op=A, b=p.data.ravel(), niter=10, warm=True)
        joint = pp.L21(ndim=2, sigma=p.strength)

        def run(n: int) -> np.ndarray:
            data.x0 = None  # where its inner solver ended in the run before
            # ``tau mu |D|² = 1``, with the balance that suits images of size 1.
            return pp.optimization.primaldual.PrimalDual(
                data, joint, D, x0=np.zeros(size, dtype), tau=10 / 8**0.5, mu=0.1 / 8**0.5, niter=n
            ).reshape(p.shape)

        return run
    W = operator(p.shape, p.analyse, p.synthesise)
    data = pp.L2(Op=A, b=p.data.ravel())
    sparse = pp.Orthogonal(pp.L1(sigma=p.strength), W)
    return lambda n: pp.optimization.primal.ProximalGradient(
        data, sparse, x0=np.zeros(size, dtype), tau=1.0, niter=n, acceleration="fista"
    ).reshape(p.shape)


def scico(p: Stored) -> Solver:
    """`ADMM` with its penalty parameter at ``20 lambda``; conjugate gradients for the image."""
    import jax

    jax.config.update("jax_platform_name", "cpu")
    import jax.numpy as jnp
    from scico import functional, linop, loss
    from scico.optimize.admm import ADMM, LinearSubproblemSolver

    if p.matrix is not None or p.penalty != "tv":
        raise NotImplementedError("scico has no wavelets, and its projector is ASTRA's")
    mask = jnp.asarray(p.mask)
    coils = jnp.ones((1, 1, 1)) if p.coils is None else jnp.asarray(p.coils)

    def seen(x: Any) -> Any:
        k = mask * jnp.fft.fft2(coils * x, norm="ortho")
        return k[0] if p.coils is None else k

    A = linop.LinearOperator(
        input_shape=p.shape, output_shape=p.data.shape, eval_fn=seen,
        input_dtype=np.complex64, output_dtype=np.complex64, jit=True,
    )  # fmt: skip
    D = linop.FiniteDifference(p.shape, input_dtype=np.complex64, circular=True, jit=True)

    def run(n: int) -> np.ndarray:
        solver = ADMM(
            f=loss.SquaredL2Loss(y=jnp.asarray(p.data), A=A),
            g_list=[p.strength * functional.L21Norm()],
            C_list=[D],
            rho_list=[20 * p.strength],
            x0=A.adj(jnp.asarray(p.data)),
            maxiter=n,
            subproblem_solver=LinearSubproblemSolver(cg_kwargs={"tol": 1e-5, "maxiter": 30}),
        )
        return np.asarray(solver.solve())

    return run


def odl(p: Stored) -> Solver:
    """`pdhg` with data and penalty in the dual."""
    import odl as library

    field = library.cn if np.iscomplexobj(p.data) else library.rn
    X, Y = field(p.shape, dtype=p.data.dtype), field(p.data.shape, dtype=p.data.dtype)

    def operator(there: Any, back: Any, domain: Any, outer: Any) -> Any:
        class Adjoint(library.Operator):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__(outer, domain, linear=True)

            def _call(self, y: Any) -> Any:
                return back(y)

        class Map(library.Operator):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__(domain, outer, linear=True)

            def _call(self, x: Any) -> Any:
                return there(x)

            @property
            def adjoint(self) -> Any:
                return Adjoint()

        return Map()

    A = operator(lambda x: p.forward(x.asarray()), lambda y: p.adjoint(y.asarray()), X, Y)
    if p.penalty == "tv":
        G = X**2
        K = operator(
            lambda x: list(differences(x.asarray())),
            lambda g: divergence(np.stack([part.asarray() for part in g])),
            X, G,
        )  # fmt: skip
        penalty = p.strength * library.functionals.GroupL1Norm(G)
        norm = 3.0
    else:
        K = operator(lambda x: p.analyse(x.asarray()), lambda c: p.synthesise(c.asarray()), X, X)
        penalty, norm = p.strength * library.functionals.L1Norm(X), 2**0.5
    data = 0.5 * library.functionals.L2NormSquared(Y).translated(Y.element(p.data))
    both = library.BroadcastOperator(A, K)
    dual = library.functionals.SeparableSum(data, penalty)

    def run(n: int) -> np.ndarray:
        x = X.zero()
        library.solvers.pdhg(
            x, library.functionals.ZeroFunctional(X), dual, both,
            niter=n, tau=1 / norm, sigma=0.99 / norm,
        )  # fmt: skip
        return x.asarray()

    return run


def deepinv(p: Stored) -> Solver:
    """FISTA with the prior's own proximal operator; its wavelets are ptwt's, of the same rule."""
    import torch
    from deepinv.optim import FISTA, L2, Prior
    from deepinv.physics import LinearPhysics

    if p.penalty == "tv":
        raise NotImplementedError("its total variation has another boundary and its own inner loop")
    complex_data = np.iscomplexobj(p.data)

    def tensor(x: np.ndarray) -> Any:
        return torch.from_numpy(np.ascontiguousarray(x))[None, None]

    def array(x: Any) -> np.ndarray:
        return x[0, 0].numpy()

    class Sparse(Prior):  # type: ignore[misc]
        def prox(self, x: Any, *_: Any, gamma: float = 1.0, **__: Any) -> Any:
            c = p.analyse(array(x))
            limit = p.strength * float(gamma)
            return tensor(p.synthesise(c * (1 - limit / np.maximum(np.abs(c), limit))))

    physics = LinearPhysics(
        A=lambda x, **_: tensor(p.forward(array(x))),
        A_adjoint=lambda y, **_: tensor(p.adjoint(array(y))),
    )

    def run(n: int) -> np.ndarray:
        model = FISTA(
            data_fidelity=L2(), prior=Sparse(), stepsize=1.0, lambda_reg=1.0,
            max_iter=n, early_stop=False,
        )  # fmt: skip
        with torch.no_grad():
            start = torch.zeros(1, 1, *p.shape, dtype=torch.complex64 if complex_data else None)
            return array(model(tensor(p.data), physics, init=(start, start)))

    return run


LIBRARIES = {
    "sigpy": sigpy, "pyproximal": pyproximal, "scico": scico, "odl": odl, "deepinv": deepinv,
}  # fmt: skip


def cpu_seconds() -> float:
    """Of this process and of the programs that it started; `os.times` counts in steps of 10 ms."""
    started = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + started.ru_utime + started.ru_stime


def resident(which: str) -> float:
    """Megabytes of this process: ``VmRSS`` now, ``VmHWM`` at most since `forget_peak`."""
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if which in x)
    return int(line.split()[1]) / 1024


def forget_peak() -> float:
    """Start to watch for the highest memory; what is resident now."""
    Path("/proc/self/clear_refs").write_text("5")
    return resident("VmRSS")


def main() -> None:
    library, path, folder, limit = sys.argv[1:]
    stored = read(path)
    run = LIBRARIES[library](stored)
    run(2)  # what is compiled or planned once does not count
    most = 0.0
    for found in search(run, stored, float(limit)):
        np.save(Path(folder) / f"{found.iterations}.npy", found.image)
        print("run", found.iterations, found.seconds, found.timed, found.megabytes, flush=True)
        most = max(most, found.megabytes)
    print("megabytes", most)


if __name__ == "__main__":
    main()
