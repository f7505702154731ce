"""Where a search begins: what earlier searches found, the leading direction, or anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.search.landscape import Landscape
from shaketable.search.local import Local
from shaketable.search.updates import Origin
from shaketable.search.vectors import norms, per_image

_LINEAR = 0.9  # share of what the linearisation promises that counts as linear


@dataclass(frozen=True, kw_only=True, eq=False)
class Earlier:
    """What earlier searches of the same images leave to a later one.

    Parameters
    ----------
    perturbation
        ``(B, ...)`` perturbations to start from, instead of the leading direction.
    warm_start
        Stay near them; else the search moves as far as one from a random point.
    local
        What is known of the Jacobian already; it is not paid for again.
    spent
        Gradients of the budget that have been spent on it.
    """

    perturbation: Tensor | None = None
    warm_start: bool = True
    local: Local | None = None
    spent: int = 0


def first_point(
    landscape: Landscape, earlier: Earlier, local: Local, n_starts: int
) -> Origin | None:
    """Where the first start of every image begins; None for the update's own choice.

    The leading direction is where the worst case lies as long as the reconstructor is nearly linear.
    Beyond, it leads to one of many maxima, no better than a random start does; with several starts
    it is one of them.
    """
    if earlier.perturbation is not None:
        point = landscape.ball.coordinates(earlier.perturbation)
        return Origin(point=point, warm_start=earlier.warm_start)
    if local.direction is None:
        return None
    point, linear = _better_sign(landscape, local)
    if n_starts == 1:
        point = torch.where(per_image(linear, point), point, 0)
    return Origin(point=point, warm_start=False)


def _better_sign(landscape: Landscape, local: Local) -> tuple[Tensor, Tensor]:
    """``±`` the direction, on the boundary: the one that does more damage at this radius.

    Also ``(B,)`` whether it changes the reconstruction about as much as the linearisation says.
    """
    point = landscape.ball.to_boundary(torch.as_tensor(local.direction))
    with torch.no_grad():
        (first, ahead), (second, behind) = landscape.value(point), landscape.value(-point)
        promised = local.gain * norms(landscape.ball.perturbation(point))
    turn = behind > ahead
    output = torch.where(per_image(turn, first), second, first)
    change = norms(output - landscape.reference.clean)
    linear = (change - promised).abs() <= (1 - _LINEAR) * promised
    return torch.where(per_image(turn, point), -point, point), linear
