"""Where instabilities are planted: a forward map, an image, a ball, and directions drawn in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

import torch
from torch import Tensor

from shaketable.chain import Chain
from shaketable.errors import InputError
from shaketable.problem import Problem
from shaketable.real_vectors import orthonormal, real_rows
from shaketable.search import Ball, BoundBall, Domain
from shaketable.search.vectors import norms, per_image

_BRIGHTNESS = (1.0, 1.5, 2.0)
_N_POWER = 20  # power iterations; plants stand at least twice above what they may leave out
_APART = 4  # half of which is needed, the rest because the gain is a lower bound
_DEPENDENT = 1e-6  # smallest eigenvalue of a Gram matrix, relative, that counts as a direction


@dataclass(frozen=True, kw_only=True, eq=False)
class Site:
    """A forward map with one image and a ball: what plants are built on.

    With ``r = E z`` the perturbation that belongs to coordinates z of the ball, ``L z = A E z``
    (image domain) or ``L z = E z`` (data domain) is the change of the data.

    Parameters
    ----------
    problem
        Its map and kind of image; its reconstructor plays no part.
    images
        ``(3, *image_shape)``: the image at three brightnesses. All plants but the one in a batch use
        the first.
    domain, radius, ball
        Where perturbations are added, their relative size and shape.
    seed
        Plants derive their random directions from it and from their name.
    bound
        The ball for ``images``.
    gain
        Largest amplification of ``z -> A* L z``, from power iteration: a lower bound, good to some
        percent.
    data_gain
        Amplification of ``z -> L z`` in the same direction: near its largest.

    Examples
    --------
    >>> import torch
    >>> from shaketable import FourierMap
    >>> problem = Problem(forward=FourierMap(torch.ones(8, 8)), reconstruct=lambda y, A: A.adjoint(y))
    >>> site = Site.of(problem, torch.rand(1, 8, 8))
    >>> round(site.gain, 3)
    1.0
    """

    problem: Problem
    images: Tensor
    domain: Domain
    radius: float
    ball: Ball
    seed: int
    bound: BoundBall
    gain: float
    data_gain: float

    @classmethod
    def of(
        cls, problem: Problem, images: Tensor, *, domain: Domain = "image", radius: float = 0.01,
        ball: Ball | None = None, seed: int = 0,
    ) -> Site:  # fmt: skip
        """The site on a problem's map.

        Parameters
        ----------
        problem
            Its map and kind of image are used.
        images
            ``(B, *image_shape)``; the first is used.
        domain, radius, seed
            As in `shaketable.worst_case`.
        ball
            Any ball of the l2 norm: its support and scale are kept.

        Raises
        ------
        InputError
            If the ball is not of the l2 norm, or no perturbation of it changes the data.
        ShapeError
            If images or ball do not fit.
        """
        ball = ball or Ball()
        if ball.norm != "l2":
            raise InputError(
                f"Expected a ball of the l2 norm, got {ball.norm!r}; the answers are known in l2 only."
            )
        image = problem.prepare(images[:1])
        batch = torch.cat([scale * image for scale in _BRIGHTNESS])
        chain = Chain.of(problem, batch, domain)
        bound = ball.bind(chain, torch.full((len(batch),), radius, dtype=torch.float64))
        site = cls(
            problem=problem, images=batch, domain=domain, radius=radius, ball=ball, seed=seed,
            bound=bound, gain=1.0, data_gain=1.0,
        )  # fmt: skip
        gain, data_gain = site._largest_gains()
        if not gain > 0:
            raise InputError(
                "Expected perturbations that change the data, got none; look at the ball's support "
                "and at the sampled positions."
            )
        return replace(site, gain=gain, data_gain=data_gain)

    def data_change(self, coordinates: Tensor) -> Tensor:
        """``z -> L z``, ``(B, ...) -> (B, *data_shape)``, differentiable."""
        perturbation = self.bound.perturbation(coordinates)
        if self.domain == "data":
            return perturbation
        changed: Tensor = self.problem.forward(perturbation)
        return changed

    def adjoint(self, data: Tensor) -> Tensor:
        """``A* y`` in the dtype of the images, differentiable."""
        image = self.problem.forward.adjoint(data)
        image = image.real if self.problem.real and image.is_complex() else image
        return image.to(self.images.dtype)

    def generator(self, name: str) -> torch.Generator:
        """Random numbers of one plant."""
        digest = sha256(f"{self.seed}/plant/{name}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))

    def directions(self, n: int, generator: torch.Generator) -> Directions:
        """Random orthonormal directions among the perturbations that the data show.

        Raises
        ------
        InputError
            If the map has fewer than ``n`` independent directions.
        """
        probes, pulled = self._pulled(n, generator)
        values, basis = torch.linalg.eigh(_gram(pulled))
        if not bool(values[0] > _DEPENDENT * values[-1]):
            raise InputError(
                f"Expected a map and a ball with at least {n} independent directions, got fewer; "
                "choose a plant that needs fewer."
            )
        mixing = (basis / values.sqrt()) @ basis.T
        measures, coordinates = _mixed(mixing, probes), _mixed(mixing, pulled)
        with torch.no_grad():
            data = self.data_change(coordinates)
        return Directions(coordinates=coordinates, measures=measures, data=data)

    @property
    def tells_images_apart(self) -> bool:
        """No perturbation makes the data of one of the images look like those of another."""
        with torch.no_grad():
            data = self.problem.forward(self.images)
        apart = float(norms(data[1:] - data[:-1]).min())
        return apart > _APART * self.data_gain * float(self.bound.size.max())

    def n_independent(self, n: int) -> int:
        """How many of ``n`` random directions are independent."""
        _, pulled = self._pulled(n, self.generator("independent"))
        values = torch.linalg.eigvalsh(_gram(pulled))
        return int((values > _DEPENDENT * values[-1]).sum())

    def _pulled(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Random data p and ``L* p`` in coordinates, n of each."""
        template = self.bound.template[:1].expand(n, *self.bound.template.shape[1:])
        variable = torch.zeros_like(template).requires_grad_()
        with torch.enable_grad():
            changed = self.data_change(variable)
            noise = torch.randn(changed.shape, generator=generator, dtype=changed.dtype)
            probes = noise.to(changed.device)
            product = (real_rows(probes) * real_rows(changed)).sum()
        (pulled,) = torch.autograd.grad(product, variable)
        return probes, pulled

    def pictures(self, n: int, generator: torch.Generator, *, window: bool = False) -> Tensor:
        """``(n, *image_shape)`` random orthonormal images; all inside one small window if asked."""
        like = self.images[:1].expand(n, *self.images.shape[1:])
        drawn = torch.randn(like.shape, generator=generator, dtype=like.dtype)
        if window:
            inside = torch.zeros(like.shape[1:], dtype=torch.bool)
            inside[_window(tuple(like.shape[1:]), generator)] = True
            drawn = drawn * inside
        return orthonormal(drawn).to(self.images)

    def _largest_gains(self) -> tuple[float, float]:
        vector = self.bound.rows(torch.zeros(1, dtype=torch.int64)).random([self.generator("gain")])
        gain, data_gain = 0.0, 0.0
        for _ in range(_N_POWER):
            length = norms(vector)
            vector = (vector / per_image(length.clamp_min(1e-300), vector)).requires_grad_()
            with torch.enable_grad():
                changed = self.data_change(vector)
                image = self.adjoint(changed)
                energy = real_rows(image).square().sum() / 2
            if not energy.requires_grad:
                return 0.0, 0.0
            (product,) = torch.autograd.grad(energy, vector)
            gain, data_gain = float(norms(image)), float(norms(changed))
            vector = product.detach()
        return gain, data_gain


@dataclass(frozen=True, kw_only=True, eq=False)
class Directions:
    """Orthonormal directions, and how to read them off the data alone.

    Orthonormal in the real inner product: complex images are real vectors of twice the length.

    Parameters
    ----------
    coordinates
        ``(k, ...)``: ``u_i`` in coordinates of the ball, ``Re⟨u_i, u_j⟩ = δ_ij``.
    measures
        ``(k, *data_shape)``: ``p_i`` with ``L* p_i = u_i``, so ``Re⟨p_i, L z⟩ = Re⟨u_i, z⟩``.
    data
        ``(k, *data_shape)``: ``L u_i``.
    """

    coordinates: Tensor
    measures: Tensor
    data: Tensor

    def read(self, change: Tensor) -> Tensor:
        """``(B, *data_shape) -> (B, k)``: components ``Re⟨u_i, z⟩`` of the z with ``L z = change``."""
        measures = real_rows(self.measures)
        return real_rows(change).to(measures.dtype) @ measures.T


def _gram(rows: Tensor) -> Tensor:
    vectors = real_rows(rows).double()
    return vectors @ vectors.T


def _mixed(mixing: Tensor, rows: Tensor) -> Tensor:
    """Linear combinations of the rows, computed in double precision."""
    wide = rows.to(torch.complex128 if rows.is_complex() else torch.float64).flatten(1)
    return (mixing.to(wide.dtype) @ wide).view_as(rows).to(rows.dtype)


def _window(shape: tuple[int, ...], generator: torch.Generator) -> tuple[slice, ...]:
    """A window of a quarter of every side, rounded up, at a random place."""
    slices = []
    for length in shape:
        side = -(-length // 4)
        first = int(torch.randint(length - side + 1, (1,), generator=generator))
        slices.append(slice(first, first + side))
    return tuple(slices)
