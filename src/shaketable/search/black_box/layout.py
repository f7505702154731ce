"""Coordinates of a search laid out as images, where the reach of a reconstructor can be seen."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.chain import Chain
from shaketable.real_vectors import real_rows
from shaketable.search.ball import BoundBall

_SAME = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """An isometry between coordinates and what is stored of them.

    In the image domain coordinates are images already. In the data domain ``A*`` lays them out as
    images wherever ``A A*`` is the identity on the sampled positions, as for Fourier maps. Else, and
    in a subspace, coordinates stay as they are, and nothing is known of where they act.

    Parameters
    ----------
    chain, ball
        Of one image.
    is_image
        The layout has the shape of the image.
    by_adjoint
        ``A*`` and ``A`` lead from coordinates to the layout and back.
    """

    chain: Chain
    ball: BoundBall
    is_image: bool
    by_adjoint: bool

    @classmethod
    def of(cls, chain: Chain, ball: BoundBall) -> Layout:
        """What fits the ball; the forward map is used, the reconstructor is not."""
        if ball.subspace is not None:
            return cls(chain=chain, ball=ball, is_image=False, by_adjoint=False)
        if chain.domain == "image":
            return cls(chain=chain, ball=ball, is_image=True, by_adjoint=False)
        isometry = ball.factor is None and _is_isometry(chain, ball)
        return cls(chain=chain, ball=ball, is_image=isometry, by_adjoint=isometry)

    @property
    def template(self) -> Tensor:
        """``(1, ...)`` zeros of the shape and dtype of the layout."""
        if not self.by_adjoint:
            return self.ball.template
        return self.laid_out(self.ball.template)

    def laid_out(self, coordinates: Tensor) -> Tensor:
        """Coordinates -> layout."""
        if not self.by_adjoint:
            return coordinates
        return _like_images(self.chain, self.chain.problem.forward.adjoint(coordinates))

    def coordinates(self, laid_out: Tensor) -> Tensor:
        """Layout -> coordinates, zero outside the support."""
        if not self.by_adjoint:
            return self.ball.restrict(laid_out)
        return self.ball.restrict(self.chain.problem.forward(laid_out))

    def measured(self, laid_out: Tensor) -> Tensor:
        """The part of a layout that data can show: its projection onto the row space of A.

        Only where the forward map alone decides that; elsewhere everything is kept.
        """
        if self.by_adjoint:
            return self.laid_out(self.coordinates(laid_out))
        restricted = self.ball.restrict(laid_out)
        plain = self.is_image and self.ball.mask is None and self.ball.factor is None
        if not plain or not self._projects():
            return restricted
        A = self.chain.problem.forward
        return _like_images(self.chain, A.adjoint(A(laid_out)))

    def _projects(self) -> bool:
        """Whether ``A* A`` is a projection, tried on the image."""
        A, x = self.chain.problem.forward, self.chain.images
        once = _like_images(self.chain, A.adjoint(A(x)))
        twice = _like_images(self.chain, A.adjoint(A(once)))
        return bool((twice - once).norm() <= _SAME * once.norm())


def _is_isometry(chain: Chain, ball: BoundBall) -> bool:
    A = chain.problem.forward
    generator = torch.Generator().manual_seed(0)
    draw = torch.randn(ball.template.shape, generator=generator, dtype=ball.template.dtype)
    data = ball.restrict(draw.to(ball.template.device))
    again = ball.restrict(A(_like_images(chain, A.adjoint(data))))
    return bool((real_rows(again - data).norm() <= _SAME * real_rows(data).norm()).item())


def _like_images(chain: Chain, x: Tensor) -> Tensor:
    return x.real if x.is_complex() and not chain.images.is_complex() else x
