"""How a reconstruction responds to infinitely small perturbations: the spectrum of its Jacobian."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.chain import Chain, Domain
from shaketable.errors import InputError
from shaketable.problem import Problem
from shaketable.search.jacobian import Jacobian, flat
from shaketable.search.lanczos import LeadingPairs, pairs_of
from shaketable.search.vectors import generators

_TOLERANCE = 1e-3


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """The leading singular values of the Jacobian ``J``, and its size as a whole, per image.

    Parameters
    ----------
    singular_values
        ``(B, k)`` float64, descending: the largest amplifications of small perturbations.
        Lower bounds; NaN where a derivative is not finite.
    vectors
        ``(B, k, *perturbation shape)`` right singular vectors: the perturbations.
    left_vectors
        ``(B, k, *image_shape)`` what they make appear in the image.
    residuals
        ``(B, k)`` ``‖Jᵀ u − σ v‖₂``; a singular value lies within this distance.
    frobenius, frobenius_error
        ``(B,)`` estimate of ``‖J‖_F`` and its standard error.
    n_dimensions
        Real dimension of the space of perturbations.
    domain
        Where the perturbation is added.
    n_products
        Products with J and its transpose, per image.
    """

    singular_values: Tensor
    vectors: Tensor
    left_vectors: Tensor
    residuals: Tensor
    frobenius: Tensor
    frobenius_error: Tensor
    n_dimensions: int
    domain: Domain
    n_products: int

    @property
    def rms_amplification(self) -> Tensor:
        """``(B,)`` ``‖J‖_F / √n``: root mean square amplification of random perturbations."""
        return self.frobenius / math.sqrt(self.n_dimensions)

    @property
    def dilution(self) -> Tensor:
        """``(B,)`` ``σ1 / rms``: how much worse the worst is than a random one; NaN if J = 0."""
        return self.singular_values[:, 0] / self.rms_amplification

    @property
    def stable_rank(self) -> Tensor:
        """``(B,)`` ``‖J‖_F² / σ1²``: about how many directions are as bad; NaN if J = 0."""
        return (self.frobenius / self.singular_values[:, 0]).square()


def local_spectrum(
    problem: Problem,
    images: Tensor,
    *,
    k: int = 4,
    domain: Domain = "image",
    n_steps: int = 20,
    n_probes: int = 16,
    seed: int = 0,
) -> Spectrum:
    """Leading singular values and vectors of the Jacobian of ``r ↦ f(A(x + r))`` at r = 0.

    In the data domain of ``e ↦ f(y + e)``, e only where data were sampled. σ1 is the limit of the
    worst amplification as the radius goes to zero. Pairs come from `leading_pairs`; the size of
    the rest from Hutchinson's estimate on what is orthogonal to the left vectors U::

        ‖J‖_F² = Σ_i ‖Jᵀ u_i‖² + E ‖Jᵀ (I − U Uᵀ) w‖²,    w random signs

    Hutchinson, Commun. Stat. Simul. Comput. 18 (1989); deflated as in Meyer, Musco, Musco and
    Woodruff, SOSA 2021.

    Parameters
    ----------
    problem
        Forward map and reconstructor.
    images
        ``(B, *image_shape)``.
    k
        Number of singular values.
    domain
        Where the perturbation is added.
    n_steps
        Largest number of pairs of products, at least k; fewer where the residuals are below 0.1 %
        of σ1 before.
    n_probes
        Random vectors of the estimate, at least 2; one product each.
    seed
        Seeds start and probes, per image.

    Raises
    ------
    ShapeError, InputError
        If the images or a number do not fit, or the reconstructor is a black box, declared or not.

    Examples
    --------
    >>> import torch
    >>> from shaketable import FourierMap, Problem
    >>> problem = Problem(forward=FourierMap(torch.ones(4, 4)),
    ...                   reconstruct=lambda y, A: 3 * A.adjoint(y))
    >>> spectrum = local_spectrum(problem, torch.ones(1, 4, 4), k=1)
    >>> round(float(spectrum.singular_values), 3), round(float(spectrum.rms_amplification), 1)
    (3.0, 3.0)
    """
    if not problem.differentiable:
        raise InputError(
            "Expected a reconstructor that torch can differentiate, got one declared "
            "differentiable=False; a black box has no Jacobian: search it without gradients."
        )
    if n_probes < 2:
        raise InputError(
            f"Expected at least 2 probes, got n_probes={n_probes}; one has no standard error."
        )
    chain = Chain.of(problem, problem.prepare(images), domain)
    point = torch.zeros_like(chain.unperturbed)
    jacobian = Jacobian(lambda r: chain.reconstruct(chain.allowed(r)), point)
    pairs = pairs_of(jacobian, k, n_steps, generators(seed, len(images), "spectrum"), _TOLERANCE)
    seeds = generators(seed, len(images), "hutchinson")
    frobenius, error = _frobenius(jacobian, pairs, n_probes, seeds)
    return Spectrum(
        singular_values=pairs.values, vectors=pairs.right, left_vectors=pairs.left,
        residuals=pairs.residuals, frobenius=frobenius, frobenius_error=error,
        n_dimensions=_n_dimensions(chain), domain=domain, n_products=jacobian.n_products,
    )  # fmt: skip


def _n_dimensions(chain: Chain) -> int:
    """The real dimension of the perturbations of one image."""
    like = chain.unperturbed
    shape = like.shape[1:]
    n = math.prod(shape) if chain.sampled is None else int(chain.sampled.expand(shape).sum())
    return n * (2 if like.is_complex() else 1)


def _frobenius(
    jacobian: Jacobian, pairs: LeadingPairs, n_probes: int, seeds: list[torch.Generator]
) -> tuple[Tensor, Tensor]:
    """``(B,)`` ``‖J‖_F`` and its standard error, by the delta method from that of the square."""
    basis = torch.stack([flat(u) for u in pairs.left.unbind(1)], 1)
    known = (pairs.values.square() + pairs.residuals.square()).sum(1)
    draws = []
    for _ in range(n_probes):
        signs = [torch.randint(0, 2, basis.shape[2:], generator=g) * 2.0 - 1 for g in seeds]
        probe = torch.stack(signs).to(basis)
        probe = probe - (basis.mT @ (basis @ probe[..., None]))[..., 0]
        draws.append(jacobian.transposed(probe).square().sum(1))
    rest = torch.stack(draws, 1)
    frobenius = (known + rest.mean(1)).sqrt()
    error = rest.std(1) / math.sqrt(n_probes) / (2 * frobenius).clamp_min(1e-300)
    broken = ~jacobian.finite
    return frobenius.masked_fill(broken, torch.nan), error.masked_fill(broken, torch.nan)
