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
    in a subspace, coordinates stay as they are, and nothing is known of places.

    Parameters
    ----------
    chain, ball
        Of one image.
    places
        The layout has the shape of the image.
    through
        ``A*`` and ``A`` lead from coordinates to the layout and back.
    """

    chain: Chain
    ball: BoundBall
    places: bool
    through: bool

    @classmethod
    def of(cls, chain: Chain, ball: BoundBall) -> Layout:
        """What fits the ball; the forward map is used, the reconstructor is not."""
        if ball.subspace is not None:
            return cls(chain=chain, ball=ball, places=False, through=False)
        if chain.domain == "image":
            return cls(chain=chain, ball=ball, places=True, through=False)
        through = ball.factor is None and _is_isometry(chain, ball)
        return cls(chain=chain, ball=ball, places=through, through=through)

    @property
    def template(self) -> Tensor:
        """``(1, ...)`` zeros of the shape and dtype of the layout."""
        if not self.through:
            return self.ball.template
        return self.placed(self.ball.template)

    def placed(self, coordinates: Tensor) -> Tensor:
        """Coordinates -> layout."""
        if not self.through:
            return coordinates
        return _like_images(self.chain, self.chain.problem.forward.adjoint(coordinates))

    def coordinates(self, placed: Tensor) -> Tensor:
        """Layout -> coordinates, zero outside the support."""
        if not self.through:
            return self.ball.restrict(placed)
        return self.ball.restrict(self.chain.problem.forward(placed))

    def seen(self, placed: Tensor) -> Tensor:
        """The part of a layout that data can show: its projection onto the row space of A.

        Only where the forward map alone decides that; elsewhere everything is kept.
        """
        if self.through:
            return self.placed(self.coordinates(placed))
        restricted = self.ball.restrict(placed)
        plain = self.places and self.ball.mask is None and self.ball.factor is None
        if not plain or not self._projects():
            return restricted
        A = self.chain.problem.forward
        return _like_images(self.chain, A.adjoint(A(placed)))

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
