"""What is climbed: an objective over the coordinates of a ball, with its gradient."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.chain import Chain
from shaketable.search.ball import BoundBall
from shaketable.search.objectives import Objective, Reference
from shaketable.search.search import Search

# On its way back a gradient passes through numbers that are too small to be stored normally, which a
# CPU takes a quarter longer for. A power of two lifts them and changes no digit; this one is small
# enough for networks in half precision.
_SCALE = 2.0**8


@dataclass(frozen=True, kw_only=True, eq=False)
class Landscape:
    """``z -> objective(f(A(x + embed(z))))``: chain, ball, objective and reference of the same rows."""

    chain: Chain
    ball: BoundBall
    objective: Objective
    reference: Reference

    @classmethod
    def of(cls, chain: Chain, radius: Tensor, search: Search) -> Landscape:
        """What a search climbs at relative radii ``(B,)``; computes the clean reconstructions."""
        with torch.no_grad():
            clean = chain.reconstruct()
        index = torch.arange(len(clean), device=clean.device)
        return cls(
            chain=chain, ball=search.ball.bind(chain, radius), objective=search.objective,
            reference=Reference(clean=clean, truth=chain.images, index=index),
        )  # fmt: skip

    def value(self, coordinates: Tensor) -> tuple[Tensor, Tensor]:
        """Reconstruction and objective ``(B,)`` at a point."""
        perturbation = self.ball.perturbation(coordinates)
        output = self.chain.reconstruct(perturbation)
        return output, self.objective(output, perturbation, self.reference)

    def gradient(self, coordinates: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruction, objective (float64) and its gradient in coordinates."""
        variable = coordinates.detach().requires_grad_()
        with torch.enable_grad():
            output, value = self.value(variable)
            total = value.sum()
        if not total.requires_grad:  # nothing of the chain depends on the perturbation
            return output, value.double(), torch.zeros_like(coordinates)
        (gradient,) = torch.autograd.grad(total * _SCALE, variable)
        return output.detach(), value.detach().double(), gradient / _SCALE

    def rows(self, index: Tensor) -> Landscape:
        """The landscape of some rows."""
        return Landscape(
            chain=self.chain.rows(index), ball=self.ball.rows(index), objective=self.objective,
            reference=self.reference.rows(index),
        )  # fmt: skip
