"""Probing groups: what a query perturbs, and how far from there the reconstruction responds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod

import torch
from torch import Tensor

from shaketable.real_vectors import from_real_rows, real_rows
from shaketable.search.black_box.layout import Layout

_RANK = 1e-3
_LARGEST = 1024  # real entries of a group whose directions are found by a decomposition


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbingGroups:
    """A partition of the layout into groups of entries, coloured so that one query probes a colour.

    Along an axis where the reconstructor responds only within ``reach`` pixels, the half-bandwidth of
    its Jacobian, a group is one index wide and every ``2 reach + 1``-th group has the same colour:
    perturbed together, their responses do not overlap and are told apart by where they are (Curtis,
    Powell and Reid, J. Inst. Math. Appl. 13, 1974, on sparse Jacobians). Along other axes a group has
    the whole length.

    Parameters
    ----------
    inputs
        ``(C, n)`` positions of the real entries of every group in the layout.
    outputs
        ``(C, m)`` positions of the real entries of its response in the reconstruction; the number of
        entries stands for none.
    colour
        ``(C,)``.
    directions
        ``(C, k, n)`` orthonormal rows, or zero rows, in every group.
    """

    inputs: Tensor
    outputs: Tensor
    colour: Tensor
    directions: Tensor

    @property
    def n_colours(self) -> int:
        """Queries that probe one direction in every group."""
        return int(self.colour.max()) + 1


def make_probing_groups(
    layout: Layout, output: Tensor, reach: tuple[int | None, ...], n_directions: int,
    generator: torch.Generator,
) -> ProbingGroups:  # fmt: skip
    """The probing groups of a reach per image axis; None where the reconstructor responds everywhere.

    Parameters
    ----------
    layout
        Of one image.
    output
        ``(1, *image_shape)`` a reconstruction.
    reach
        In pixels, one per axis of the image; all None where the layout is no image.
    n_directions
        Largest number of directions of a group.
    generator
        Rotates the directions, so that none is a single pixel.
    """
    if all(r is None for r in reach):
        inputs = torch.arange(real_rows(layout.template).shape[1])[None]
        outputs = torch.arange(real_rows(output).shape[1])[None]
        colour = torch.zeros(1, dtype=torch.int64)
    else:
        inputs, outputs, colour = _partition(layout, output, reach)
    device = output.device
    inputs = inputs.to(device)
    directions = _directions(layout, inputs, n_directions, generator)
    return ProbingGroups(inputs=inputs, outputs=outputs.to(device), colour=colour.to(device),
                 directions=directions)  # fmt: skip


def _partition(
    layout: Layout, output: Tensor, reach: tuple[int | None, ...]
) -> tuple[Tensor, Tensor, Tensor]:
    shape = tuple(output.shape[1:])
    local = [axis for axis, r in enumerate(reach) if r is not None]
    spacing = [2 * (reach[axis] or 0) + 1 for axis in local]
    entries_in = _entries(layout.template, shape)
    entries_out = _entries(output, shape)
    nothing = real_rows(output).shape[1]
    inputs, outputs, colour = [], [], []
    for place in product(*(range(shape[axis]) for axis in local)):
        at = entries_in
        window: list[Tensor] = [torch.arange(n) for n in shape]
        for axis, index in zip(local, place, strict=True):
            at = at.index_select(axis, torch.tensor([index]))
            r = reach[axis] or 0
            window[axis] = torch.arange(index - r, index + r + 1)
        around = _window(entries_out, window, nothing)
        inputs.append(at.flatten())
        outputs.append(around.flatten())
        number = 0
        for index, step in zip(place, spacing, strict=True):
            number = number * step + index % step
        colour.append(number)
    return torch.stack(inputs), torch.stack(outputs), torch.tensor(colour)


def _entries(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    """``(*shape, 1 or 2)``: the positions of the real entries of every pixel."""
    parts = 2 if like.is_complex() else 1
    return torch.arange(prod(shape) * parts).reshape(*shape, parts)


def _window(entries: Tensor, window: list[Tensor], nothing: int) -> Tensor:
    """The entries inside a window that may stick out of the image."""
    for axis, index in enumerate(window):
        inside = (index >= 0) & (index < entries.shape[axis])
        entries = entries.index_select(axis, index.clamp(0, entries.shape[axis] - 1))
        shaped = inside.reshape([-1 if a == axis else 1 for a in range(entries.ndim)])
        entries = torch.where(shaped, entries, nothing)
    return entries


def _directions(
    layout: Layout, inputs: Tensor, n_directions: int, generator: torch.Generator
) -> Tensor:
    """``(C, k, n)``: an orthonormal basis of what can be seen of every group, randomly rotated."""
    n_groups, n = inputs.shape
    template = layout.template
    real = real_rows(template)
    k = min(n, n_directions)
    n_draws = n if n <= _LARGEST else k
    draw = torch.randn(n_draws, n, generator=generator, dtype=real.dtype).to(real.device)
    if n_draws == n:
        draw = torch.linalg.qr(draw).Q
    seen = torch.empty(n_draws, n_groups, n, dtype=real.dtype, device=real.device)
    for i in range(n_draws):
        whole = torch.zeros_like(real)
        whole[0, inputs.flatten()] = draw[i].repeat(n_groups)
        seen[i] = real_rows(layout.measured(from_real_rows(whole, template)))[0][inputs]
    rows = seen.transpose(0, 1)
    return _orthonormal(rows)[:, :k]


def _orthonormal(rows: Tensor) -> Tensor:
    """``(C, k, n)`` orthonormal rows with the span of ``(C, d, n)``; zero rows fill up."""
    gram = (rows @ rows.mT).double()
    values, vectors = torch.linalg.eigh(gram)
    kept = values > _RANK**2 * values.amax()
    scale = torch.where(kept, values.clamp_min(1e-300).rsqrt(), 0.0)
    mixed = (vectors * scale[:, None]).mT.to(rows.dtype) @ rows
    mixed = mixed.flip(1)
    most = int(kept.sum(1).max())
    result: Tensor = mixed[:, :most].contiguous()
    return result
