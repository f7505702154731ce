"""Where perturbations live: image or data domain, sampled positions, norms per image."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.problem import Problem
from shaketable.search.finding import Domain


def norms(x: Tensor) -> Tensor:
    """``(B, ...) -> (B,)`` l2 norm per image, accumulated in double precision."""
    wide = torch.complex128 if x.is_complex() else torch.float64
    result: Tensor = torch.linalg.vector_norm(x.detach().to(wide).flatten(1), dim=1)
    return result


def per_image(values: Tensor, like: Tensor) -> Tensor:
    """``(B,)`` float64 -> ``(B, 1, ...)`` in the real dtype of ``like``, to multiply with."""
    real = like.real.dtype if like.is_complex() else like.dtype
    return values.to(like.device, real).view(-1, *[1] * (like.ndim - 1))


@dataclass(frozen=True, kw_only=True)
class Ball:
    """Perturbations of a batch of images with ``‖r‖₂ <= size`` per image, and what they do.

    Parameters
    ----------
    problem
        Forward map and reconstructor.
    images
        ``(B, *image_shape)``.
    domain
        ``"image"``: f is given ``A(x + r)``; ``"data"``: f is given ``y + e``, with e only where
        data were sampled.
    size
        ``(B,)`` radius as an absolute l2 norm, float64.
    """

    problem: Problem
    images: Tensor
    domain: Domain
    size: Tensor
    data: Tensor

    @classmethod
    def relative(cls, problem: Problem, images: Tensor, domain: Domain, radius: Tensor) -> Ball:
        """The ball of radius ``radius · ‖x‖₂`` (image domain) or ``radius · ‖y‖₂`` (data)."""
        if domain not in ("image", "data"):
            raise InputError(
                f"Expected domain 'image' or 'data', got {domain!r}; choose one of them."
            )
        with torch.no_grad():
            data = problem.forward(images)
        reference = images if domain == "image" else data
        return cls(
            problem=problem, images=images, domain=domain, data=data,
            size=radius.to(torch.float64) * norms(reference).cpu(),
        )  # fmt: skip

    def reconstruct(self, perturbation: Tensor | None = None) -> Tensor:
        """``f(A(x + r))`` or ``f(y + e)``; the clean reconstruction without a perturbation."""
        A, f = self.problem.forward, self.problem.reconstruct
        if perturbation is None:
            return f(self.data, A)
        if self.domain == "image":
            return f(A(self.images + perturbation), A)
        return f(self.data + self.restrict(perturbation), A)

    def restrict(self, perturbation: Tensor) -> Tensor:
        """Set a data-domain perturbation to zero where nothing was sampled."""
        sampled = self.problem.forward.sampled
        if self.domain == "image" or sampled is None:
            return perturbation
        return perturbation * sampled.to(perturbation.device)

    def to_size(self, perturbation: Tensor) -> Tensor:
        """Scale every perturbation to norm ``size``; zero stays zero."""
        norm = norms(perturbation).cpu()
        factor = torch.where(norm > 0, self.size / norm.clamp_min(1e-300), torch.zeros_like(norm))
        return perturbation * per_image(factor, perturbation)

    def project(self, perturbation: Tensor) -> Tensor:
        """The nearest perturbation of norm at most ``size``."""
        norm = norms(perturbation).cpu()
        factor = torch.where(norm > self.size, self.size / norm.clamp_min(1e-300), 1.0)
        return perturbation * per_image(factor, perturbation)

    def random(self, generators: list[torch.Generator]) -> Tensor:
        """Gaussian directions on the sphere of radius ``size``, one generator per image."""
        like = self.images if self.domain == "image" else self.data
        draws = [torch.randn(like.shape[1:], generator=g, dtype=like.dtype) for g in generators]
        return self.to_size(self.restrict(torch.stack(draws).to(like.device)))


def generators(seed: int, n: int, purpose: str) -> list[torch.Generator]:
    """One generator per image, so that an image's numbers do not depend on its neighbours."""
    result = []
    for index in range(n):
        digest = sha256(f"{seed}/{purpose}/{index}".encode()).digest()
        result.append(torch.Generator().manual_seed(int.from_bytes(digest[:7], "big")))
    return result
