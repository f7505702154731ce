"""One library on one stored problem, in an interpreter of its own; `sparse_speed.py` starts it.

    python sparse_peer.py LIBRARY PROBLEM.npz FOLDER SECONDS

Solves ``min_x 1/2 |A x - y|^2 + lambda R(x)`` for a growing number of iterations until the objective
is near the best known or the time is used up, stores every image as ``FOLDER/N.npy`` and prints
``N cpu_seconds`` per line. ``R`` is
isotropic periodic total variation or l1 of PyWavelets' periodised wavelets. Libraries without a
projector of their own get ours as a SciPy matrix, and all get the same coil maps.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

GAP = 1e-3
ITERATIONS = (10, 20, 40, 60, 80, 120, 160, 240, 320, 480, 640, 960, 1280, 1920, 2560, 3840)


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


def differences(x: np.ndarray) -> np.ndarray:
    return np.stack([np.roll(x, -1, 0) - x, np.roll(x, -1, 1) - x])


def divergence(g: np.ndarray) -> np.ndarray:
    """The adjoint of `differences`."""
    return np.roll(g[0], 1, 0) - g[0] + np.roll(g[1], 1, 1) - g[1]


def sigpy(p: Stored) -> Callable[[int], np.ndarray]:
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


def pyproximal(p: Stored) -> Callable[[int], np.ndarray]:
    """`PrimalDual` with the data in the dual too; `ProximalGradient` (FISTA) for wavelets."""
    import pylops
    import pyproximal as pp

    dtype, size = p.data.dtype, int(np.prod(p.shape))

    def operator(outer: tuple[int, ...], there: Any, back: Any) -> Any:
        return pylops.FunctionOperator(
            lambda x: there(x.reshape(p.shape)).ravel().astype(dtype),
            lambda y: back(y.reshape(outer)).ravel().astype(dtype),
            int(np.prod(outer)),
            size,
            dtype=dtype,
        )

    A = operator(p.data.shape, p.forward, p.adjoint)
    if p.penalty == "tv":
        D = operator((2, *p.shape), differences, divergence)
        data = pp.L2(Op=A, b=p.data.ravel(), niter=10, warm=True)
        joint = pp.L21(ndim=2, sigma=p.strength)
        # ``tau mu |D|² = 1``, with the balance that suits images of size 1.
        return lambda n: pp.optimization.primaldual.PrimalDual(
            data, joint, D, x0=np.zeros(size, dtype), tau=10 / 8**0.5, mu=0.1 / 8**0.5, niter=n
        ).reshape(p.shape)
    W = operator(p.shape, p.analyse, p.synthesise)
    data = pp.L2(Op=A, b=p.data.ravel())
    sparse = pp.Orthogonal(pp.L1(sigma=p.strength), W)
    return lambda n: pp.optimization.primal.ProximalGradient(
        data, sparse, x0=np.zeros(size, dtype), tau=1.0, niter=n, acceleration="fista"
    ).reshape(p.shape)


def scico(p: Stored) -> Callable[[int], np.ndarray]:
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


def odl(p: Stored) -> Callable[[int], np.ndarray]:
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


def deepinv(p: Stored) -> Callable[[int], np.ndarray]:
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
    return sum(os.times()[:4])


def main() -> None:
    library, path, folder, limit = sys.argv[1:]
    stored = read(path)
    run = LIBRARIES[library](stored)
    run(2)  # what is compiled or planned once does not count
    began = cpu_seconds()
    for n in ITERATIONS:
        start = cpu_seconds()
        image = np.asarray(run(n))
        np.save(Path(folder) / f"{n}.npy", image)
        print(n, cpu_seconds() - start, flush=True)
        near = objective(stored, image) <= stored.best * (1 + GAP)
        if near or cpu_seconds() - began > float(limit):
            break


if __name__ == "__main__":
    main()
