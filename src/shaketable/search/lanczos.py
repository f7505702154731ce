"""Leading singular pairs of a Jacobian by Golub-Kahan-Lanczos bidiagonalisation, matrix-free."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.real_vectors import from_real_rows
from shaketable.search.jacobian import Jacobian, Response, flat

_TOLERANCE = 1e-3


@dataclass(frozen=True, kw_only=True)
class LeadingPairs:
    """The largest singular values of ``(B)`` Jacobians, with their vectors.

    Parameters
    ----------
    values
        ``(B, k)`` float64, descending; zero beyond the rank, NaN where a product is not finite.
        Lower bounds on the true singular values.
    right
        ``(B, k, *shape)`` orthonormal in ``Re⟨a, b⟩``; zero where no direction responds.
    left
        ``(B, k, *output_shape)`` ``J v / σ``.
    residuals
        ``(B, k)`` ``‖Jᵀ u − σ v‖₂`` where ``J v = σ u`` holds already; a singular value of J lies
        within this distance of σ.
    n_products
        Products with J and its transpose, per item.
    """

    values: Tensor
    right: Tensor
    left: Tensor
    residuals: Tensor
    n_products: int


def leading_pairs(
    response: Response,
    point: Tensor,
    *,
    k: int,
    n_steps: int,
    generators: list[torch.Generator],
    tolerance: float = _TOLERANCE,
) -> LeadingPairs:
    """The k largest singular values and vectors of the Jacobian ``J`` of a response at a point.

    Golub-Kahan-Lanczos with full reorthogonalisation in double precision, started at ``Jᵀ w`` with
    a Gaussian w::

        α_j u_j = J v_j − β_j u_{j−1},    β_{j+1} v_{j+1} = Jᵀ u_j − α_j v_j

    so that ``J V = U B`` with an upper bidiagonal B, whose singular values approximate those of J
    from below. An invariant subspace is left by a new random w. A value that occurs several times
    may be listed once: its copies only appear when the bases are exhausted. Maps that are linear
    over the complex numbers have every value twice (v and i v). Golub and Kahan, SIAM J. Numer.
    Anal. 2 (1965); Simon and Zha, SIAM J. Sci. Comput. 21 (2000).

    Parameters
    ----------
    response
        ``(B, *shape) -> (B, *output_shape)``, row by row, deterministic.
    point
        ``(B, *shape)``; its real and imaginary parts are two real coordinates.
    k
        Number of pairs.
    n_steps
        Largest number of steps. A step is a pair of products; one product with the transpose comes
        before the first, and one with every restart. What a product costs in gradients stands at
        `Jacobian`.
    generators
        One per item; an item's numbers do not depend on its neighbours.
    tolerance
        An item ends when its k residuals are below this share of its largest value.

    Raises
    ------
    InputError
        If k or n_steps do not fit, or the response cannot be differentiated.

    Examples
    --------
    >>> import torch
    >>> scale = torch.tensor([3.0, 2.0, 1.0])
    >>> pairs = leading_pairs(lambda x: scale * x, torch.zeros(1, 3), k=2, n_steps=3,
    ...                       generators=[torch.Generator().manual_seed(0)])
    >>> [round(value, 4) for value in pairs.values[0].tolist()]
    [3.0, 2.0]
    """
    return pairs_of(Jacobian(response, point), k, n_steps, generators, tolerance)


def pairs_of(
    jacobian: Jacobian, k: int, n_steps: int, generators: list[torch.Generator], tolerance: float
) -> LeadingPairs:
    """`leading_pairs` of a Jacobian that is at hand."""
    if not 1 <= k <= n_steps:
        raise InputError(
            f"Expected 1 <= k <= n_steps, got k={k} and n_steps={n_steps}; a pair needs a step."
        )
    process = _Process(jacobian, generators)
    ended = torch.full((len(jacobian.point),), n_steps)
    for step in range(1, n_steps + 1):
        process.forward()
        process.backward(last=step == n_steps)
        if step < k:
            continue
        values, _, _, residuals = process.ritz(ended.clamp(max=step), k)
        done = (residuals.amax(1) <= tolerance * values[:, 0]) | ~process.finite
        ended = torch.where(done & (ended > step), step, ended)
        if bool((ended <= step).all()):
            break
    values, right, left, residuals = process.ritz(ended, k)
    return LeadingPairs(
        values=values, residuals=residuals, n_products=jacobian.n_products,
        right=torch.stack([from_real_rows(v, jacobian.point) for v in right.unbind(1)], 1),
        left=torch.stack([from_real_rows(u, jacobian.output.detach()) for u in left.unbind(1)], 1),
    )  # fmt: skip


class _Process:
    """The bases so far, ``(B, j, n)`` and ``(B, j, m)``, and the entries of B."""

    def __init__(self, jacobian: Jacobian, generators: list[torch.Generator]) -> None:
        self.jacobian = jacobian
        self.generators = generators
        n, m = flat(jacobian.point).shape[1], flat(jacobian.output).shape[1]
        new = flat(jacobian.point).new_zeros
        batch = len(jacobian.point)
        precision = jacobian.output.dtype.to_real()
        self.floor = 10 * max(
            torch.finfo(precision).eps, torch.finfo(jacobian.point.dtype.to_real()).eps
        )
        self.right, self.left = new(batch, 0, n), new(batch, 0, m)
        self.alpha, self.beta = new(batch, 0), new(batch, 0)
        self.scale = new(batch)
        self.next = self._fresh()

    @property
    def finite(self) -> Tensor:
        """``(B,)`` items whose products have all been finite."""
        return self.jacobian.finite

    def forward(self) -> None:
        """``α_j u_j = J v_j − ...``; a direction without response of its own gets ``u_j = 0``."""
        self.right = torch.cat([self.right, self.next[:, None]], 1)
        product = self.jacobian.applied(self.next)
        self.scale = torch.maximum(self.scale, product.norm(dim=1))
        unit, length = _outside(product, self.left, self.floor * self.scale)
        self.left = torch.cat([self.left, unit[:, None]], 1)
        self.alpha = torch.cat([self.alpha, length[:, None]], 1)

    def backward(self, *, last: bool = False) -> None:
        """``β_{j+1} v_{j+1} = Jᵀ u_j − ...``; a new start where nothing is left."""
        product = self.jacobian.transposed(self.left[:, -1])
        self.next, length = _outside(product, self.right, self.floor * self.scale)
        self.beta = torch.cat([self.beta, length[:, None]], 1)
        ended = length == 0
        if bool((ended & self.finite & (self.scale > 0)).any()) and not last:
            self.next = torch.where(ended[:, None], self._fresh(), self.next)

    def _fresh(self) -> Tensor:
        """A unit vector ``Jᵀ w`` outside the basis, w Gaussian; zero where there is none."""
        m = self.left.shape[2]
        drawn = [torch.randn(m, generator=g, dtype=torch.float64) for g in self.generators]
        noise = torch.stack(drawn).to(self.left.device)
        noise = noise - _along(noise, self.left)
        product = self.jacobian.transposed(noise)
        return _outside(product, self.right, self.floor * product.norm(dim=1))[0]

    def ritz(self, n_steps: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Values, right, left and residuals after the first ``n_steps`` ``(B,)`` steps."""
        size = self.alpha.shape[1]
        used = torch.arange(size)[None] < n_steps[:, None]
        used = used.to(self.alpha.device)
        alpha = torch.where(used & self.finite[:, None], self.alpha, 0.0)
        known = torch.where(used[:, : self.beta.shape[1]] & self.finite[:, None], self.beta, 0.0)
        inner = known[:, : size - 1] * used[:, 1:]
        small = torch.diag_embed(alpha) + torch.diag_embed(inner, 1)
        y, values, xh = torch.linalg.svd(small)
        values, y, x = values[:, :k], y[..., :k].mT, xh[:, :k]
        responds = (values > self.floor * values[:, :1])[..., None]
        y, x = y * responds * used[:, None], x * used[:, None]
        values = torch.where(responds[..., 0], values, 0.0)
        outer = known - torch.nn.functional.pad(inner, (0, known.shape[1] - size + 1))
        residuals = (y[..., : known.shape[1]] * outer[:, None]).norm(dim=2)
        broken = ~self.finite[:, None]
        values = values.masked_fill(broken, torch.nan)
        residuals = residuals.masked_fill(broken, torch.nan)
        finite = self.finite[:, None, None]
        right = torch.where(finite, x @ self.right, 0.0)
        left = torch.where(finite, y @ self.left, 0.0)
        return values, right, left, residuals


def _along(vector: Tensor, basis: Tensor) -> Tensor:
    """``(B, n)`` part of a vector in the span of an orthonormal basis ``(B, j, n)``."""
    return (basis.mT @ (basis @ vector[..., None]))[..., 0]


def _outside(vector: Tensor, basis: Tensor, floor: Tensor) -> tuple[Tensor, Tensor]:
    """Unit part outside the basis and its length; both zero where it is not above the floor."""
    for _ in range(2):  # twice is enough (Parlett 1998, section 6.9)
        vector = vector - _along(vector, basis)
    length = vector.norm(dim=1)
    kept = length > floor
    unit = torch.where(kept[:, None], vector / length.clamp_min(1e-300)[:, None], 0.0)
    # Small parts are mostly rounding after the subtraction: once more on the unit vector.
    unit = unit - _along(unit, basis)
    return unit / unit.norm(dim=1).clamp_min(1e-300)[:, None], torch.where(kept, length, 0.0)
