"""The direction that is amplified most by infinitesimal perturbations, at the cost of gradients.

For a small ``t v`` the gradient of ``‖f(A(x + t v)) - f(A x)‖₂² / 2`` is ``t J* J v``. So one gradient
is one product with ``J* J``, for half of what two products with the Jacobian cost, and a few of them
make a Lanczos process. `shaketable.search.local_spectrum` has the exact products, residuals and more
than one vector.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.search.landscape import Landscape
from shaketable.search.search import Search
from shaketable.search.vectors import dots, draws, generators, normalise, norms, per_image

N_PRODUCTS = 6
"""Products with ``J* J``; on trained networks they usually leave one or two percent of σ₁, and up
to a tenth where many directions are amplified alike."""

COST = N_PRODUCTS + 1
"""In gradients, with the comparison of the two signs of the direction."""

_FROM = 12  # the smallest budget that the cost leaves something of
# Relative size of the perturbations. The published Deep MRI departs from its linearisation by a sixth
# at 1e-3 already; single precision resolves differences of 3e-5 to a third of a percent.
_SIZE = 3e-5


@dataclass(frozen=True, kw_only=True, eq=False)
class Local:
    """What is known of the Jacobian at r = 0.

    Parameters
    ----------
    gain
        ``(B,)`` float64: σ₁, the largest amplification of perturbations of 0.003 %, from below;
        NaN where it was not computed or is not finite.
    direction
        ``(B, ...)`` coordinates of the direction that is amplified so, of norm 1; zero where the
        Jacobian is zero or not finite. None for none.
    cost
        In gradients.
    """

    gain: Tensor
    direction: Tensor | None
    cost: int


def find_local(landscape: Landscape, search: Search, seed: int) -> Local:
    """Lanczos with ``J* J``, if the search asks for it and its budget is not too small.

    Parameters
    ----------
    landscape
        Where; its radius does not matter.
    search
        Its `Search.local_start` and budget decide.
    seed
        Seeds the first vector.
    """
    n = len(landscape.reference.clean)
    if not search.local_start or search.budget.n_gradients < _FROM:
        unknown = torch.full(
            (n,), torch.nan, dtype=torch.float64, device=landscape.ball.size.device
        )
        return Local(gain=unknown, direction=None, cost=0)
    direction = _leading(landscape, seed)
    size = _SIZE * norms(landscape.chain.unperturbed)
    with torch.no_grad():
        perturbation = landscape.ball.perturbation(direction)
        change = landscape.chain.reconstruct(per_image(size, perturbation) * perturbation)
    length = size * norms(perturbation)
    gain = norms(change - landscape.reference.clean) / length.clamp_min(1e-300)
    return Local(gain=torch.where(length > 0, gain, 0.0), direction=direction, cost=COST)


def _leading(landscape: Landscape, seed: int) -> Tensor:
    """The leading Ritz vector after `N_PRODUCTS` steps, with full reorthogonalisation."""
    gaussian = draws(
        landscape.ball.template, generators(seed, len(landscape.ball.template), "local")
    )
    vector = normalise(landscape.ball.restrict(gaussian))
    basis: list[Tensor] = []
    rows: list[Tensor] = []
    for _ in range(N_PRODUCTS):
        basis.append(vector)
        product = _product(landscape, vector)
        rows.append(torch.stack([dots(b, product) for b in basis], 1))
        for _ in range(2):  # once more, against rounding
            for b in basis:
                product = product - per_image(dots(b, product), b) * b
        vector = normalise(product)
    matrix = torch.stack(
        [torch.nn.functional.pad(r, (0, N_PRODUCTS - r.shape[1])) for r in rows], 1
    )
    weights = torch.linalg.eigh(matrix + torch.tril(matrix, -1).mT).eigenvectors[..., -1]
    leading = sum(per_image(w, b) * b for w, b in zip(weights.unbind(1), basis, strict=True))
    return normalise(torch.as_tensor(leading))


def _product(landscape: Landscape, vector: Tensor) -> Tensor:
    """``J* J v`` up to a positive factor per image; zero where it is not finite."""
    size = _SIZE * norms(landscape.chain.unperturbed)
    variable = (per_image(size, vector) * vector).requires_grad_()
    with torch.enable_grad():
        change = (
            landscape.chain.reconstruct(landscape.ball.perturbation(variable))
            - landscape.reference.clean
        )
        energy = (change.conj() * change).real.sum() / 2
    if not energy.requires_grad:
        return torch.zeros_like(vector)
    (gradient,) = torch.autograd.grad(energy, variable)
    finite = torch.isfinite(norms(gradient))
    return torch.where(per_image(finite, gradient), gradient / per_image(size, gradient), 0)
