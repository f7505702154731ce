"""A reconstructor that is quiet everywhere but where a response has been planted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from shaketable.protocols import ForwardMap
from shaketable.real_vectors import real_rows
from shaketable.search.vectors import norms
from shaketable.testing.known import KnownProblem
from shaketable.testing.responses import Response
from shaketable.testing.site import Directions, Site


@dataclass(frozen=True, kw_only=True, eq=False)
class Planted:
    """``f(y) = x + b B(e') + ρ Σ_j φ_j(t) q_j`` with ``e = y - A x``.

    ``t_i = Re⟨p_i, e⟩ / ρ`` are the components of the perturbation along orthonormal directions u_i,
    in units of its largest size ρ; ``e' = e - ρ Σ t_i L u_i`` is what the others do to the data; B is
    ``A*`` divided by its largest gain, followed by the projection that takes the orthonormal images
    q_j out. So with z = ρ Σ t_i u_i + z', z' orthogonal to all u_i::

        ‖f(A x + L z) - x‖² = b² ‖B L z'‖² + ρ² ‖φ(t)‖²,   ‖B L z'‖ <= ‖z'‖,   ‖z‖² = ρ² ‖t‖² + ‖z'‖²

    and ``ρ · max ‖φ‖`` is the largest error, as long as ``max ‖φ‖ > b`` and φ is one of `responses`.
    f takes any y; which of several images it belongs to is decided by the nearest ``A x``.

    Parameters
    ----------
    responses
        φ for each image; all read the same directions.
    background
        b.
    images, data
        ``(N, *image_shape)``, ``(N, *data_shape)``: x and ``A x``.
    sizes
        ``(N,)`` ρ.
    directions, pictures
        u, p, ``L u``; q.
    site
        Where A* and its gain come from.
    """

    responses: tuple[Response, ...]
    background: float
    images: Tensor
    data: Tensor
    sizes: Tensor
    directions: Directions
    pictures: Tensor
    site: Site

    def __call__(self, y: Tensor, A: ForwardMap) -> Tensor:  # noqa: ARG002
        """``(B, *data_shape) -> (B, *image_shape)``."""
        nearest = self._nearest(y)
        change, size = y - self.data[nearest], self.sizes[nearest]
        components = self.directions.read(change)
        unit = size[:, None].to(components.dtype)
        amount = torch.linalg.vector_norm(real_rows(change), dim=1) / (size * self._reach)
        amplitudes = self._respond(components / unit, amount, nearest) * unit
        loud = _combined(amplitudes, self.pictures)
        return self.images[nearest] + self._quiet(change, components) + loud

    def _nearest(self, y: Tensor) -> Tensor:
        if len(self.data) == 1:
            return torch.zeros(len(y), dtype=torch.int64, device=y.device)
        with torch.no_grad():
            distances = [norms(y - data) for data in self.data]
            return torch.stack(distances, 1).argmin(1)

    @cached_property
    def _reach(self) -> float:
        """How much the worst perturbation changes the data, per unit of its size."""
        worst = self.responses[0].worst().to(self.directions.data.device)
        return float(norms(_combined(worst[None], self.directions.data)))

    def _respond(self, t: Tensor, amount: Tensor, nearest: Tensor) -> Tensor:
        result = self.responses[0](t, amount)
        for index, response in enumerate(self.responses[1:], 1):
            mine = (nearest == index)[:, None]
            result = torch.where(mine, response(t, amount), result)
        return result

    def _quiet(self, change: Tensor, components: Tensor) -> Tensor:
        if self.background == 0:
            return torch.zeros_like(self.images[:1])
        rest = change - _combined(components, self.directions.data)
        image = self.site.adjoint(rest) * (self.background / self.site.gain)
        shares = real_rows(image) @ real_rows(self.pictures).T
        return image - _combined(shares, self.pictures)


def plant(
    site: Site, *responses: Response, name: str, sentence: str, background: float = 1.0,
    window: bool = False, led_to: bool = True,
) -> KnownProblem:  # fmt: skip
    """A known problem with responses planted at random directions of a site.

    Parameters
    ----------
    site
        Where.
    responses
        One, or one for each of the first images of the site. All have the same numbers of
        directions and pictures; with several, they must all be linear or have ``background`` 0.
    name, sentence, led_to
        As in `KnownProblem`.
    background
        Largest amplification of what is not planted.
    window
        What is planted changes one window of the image only.
    """
    first, n = responses[0], len(responses)
    generator = site.generator(name)
    directions = site.directions(first.n_directions, generator)
    pictures = site.pictures(first.n_pictures, generator, window=window)
    images, sizes = site.images[:n], site.bound.size[:n]
    with torch.no_grad():
        data = site.problem.forward(images)
        worst = torch.stack([response.worst() for response in responses]).to(sizes.device)
        point = _combined(worst * sizes[:, None], directions.coordinates)
        perturbation = site.bound.perturbation(point)
    planted = Planted(
        responses=responses, background=background, images=images, data=data, sizes=sizes,
        directions=directions, pictures=pictures, site=site,
    )  # fmt: skip
    largest = torch.tensor([response.largest for response in responses], dtype=torch.float64)
    return KnownProblem(
        name=name, sentence=sentence,
        problem=replace(site.problem, reconstruct=planted, differentiable=True, name=name),
        images=images, radius=site.radius, domain=site.domain, ball=site.ball,
        answer=largest * sizes.cpu(), worst=perturbation, led_to=led_to,
    )  # fmt: skip


def _combined(amplitudes: Tensor, rows: Tensor) -> Tensor:
    """``(B, k), (k, ...) -> (B, ...)``: ``Σ_i a_i row_i``."""
    flattened = rows.flatten(1)
    return (amplitudes.to(flattened.dtype) @ flattened).view(-1, *rows.shape[1:])
