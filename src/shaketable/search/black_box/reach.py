"""How far from a perturbation the reconstruction responds, along every axis, from a few queries."""

from __future__ import annotations

import torch
from torch import Tensor

from shaketable.search.black_box.layout import Layout
from shaketable.search.black_box.queries import Queries
from shaketable.search.vectors import norms

_PLACES = (0.35, 0.65)  # of the length of an axis


def find_reach(
    queries: Queries, layout: Layout, point: Tensor, output: Tensor, step: float,
    within: float, generator: torch.Generator,
) -> tuple[int | None, ...]:  # fmt: skip
    """The reach along every axis: the half-bandwidth of the Jacobian, or None where it is not banded.

    Two queries per axis, each with a random perturbation one index wide.

    An axis along which the directions themselves spread, or along which fewer than two groups could
    be probed together, has no reach (None).

    Parameters
    ----------
    queries, layout
        Of one image.
    point, output
        The iterate and the reconstruction there.
    step
        Size of the perturbations, in radii.
    within
        Share of the energy of a response that is to lie within reach; the rest is taken for noise.
    generator
        Draws them.
    """
    shape = tuple(output.shape[1:])
    nowhere = (None,) * len(shape)
    if not layout.is_image or len(shape) < 2:
        return nowhere
    found: list[int | None] = []
    for axis, length in enumerate(shape):
        places = [int(share * length) for share in _PLACES]
        drawn = [_slab(layout, axis, place, generator) for place in places]
        if any(not kept for _, kept in drawn):
            found.append(None)
            continue
        reaches = []
        for (slab, _), place in zip(drawn, places, strict=True):
            move = layout.ball.to_boundary(layout.coordinates(slab), step)
            response, _ = queries.ask(point + move)
            if len(response) == 0:
                return nowhere
            reaches.append(_extent(response - output, axis, place, within))
        reach = max(reaches)
        found.append(reach if 2 * (2 * reach + 1) <= length else None)
    return tuple(found)


def _slab(layout: Layout, axis: int, place: int, generator: torch.Generator) -> tuple[Tensor, bool]:
    """A random slab, the part of it that data can show, and whether that stays in the slab."""
    template = layout.template
    draw = torch.randn(template.shape, generator=generator, dtype=template.dtype)
    slab = torch.zeros_like(template)
    index = torch.tensor([place], device=template.device)
    slab.index_copy_(axis + 1, index, draw.to(template.device).index_select(axis + 1, index))
    measured = layout.measured(slab)
    inside = measured.index_select(axis + 1, index)
    kept = bool((norms(inside) ** 2 >= 0.999 * norms(measured) ** 2) & (norms(measured) > 0))
    return measured, kept


def _extent(change: Tensor, axis: int, place: int, share: float) -> int:
    """The smallest distance from a place within which the share of the energy lies."""
    energy = (change.conj() * change).real.double()
    profile = energy.movedim(axis + 1, 1).flatten(2).sum((0, 2))
    distance = (torch.arange(len(profile), device=profile.device) - place).abs()
    within = torch.zeros_like(profile).index_add_(0, distance, profile).cumsum(0)
    if not bool(torch.isfinite(within[-1]) & (within[-1] > 0)):
        return len(profile)
    return int((within < share * within[-1]).sum())
