"""Where perturbations may lie: a norm, a radius, a support, a scale per sample.

A perturbation is written in *coordinates* ``z``: ``r = embed(z)`` with ``embed`` linear. Without a
support or a scale coordinates are the perturbation itself. Sampled positions, a region and a scale
are one multiplication, a subspace is its own embedding. In coordinates every ball is a plain
``‖z‖ <= size``, so updates know nothing of what the coordinates mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from shaketable.chain import Chain
from shaketable.errors import InputError, ShapeError
from shaketable.search.support import Subspace
from shaketable.search.vectors import dots, draws, expands, norms, per_image

Norm = Literal["l2", "linf"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ball:
    """The shape of the set of perturbations; domain and radius come with the search.

    ``‖r / scale‖ <= radius · ‖x / scale‖`` (data domain: ``y``, at sampled positions), in the norm
    chosen, with r zero outside the support.

    Parameters
    ----------
    norm
        ``"l2"``, or ``"linf"``: the largest magnitude of an entry.
    support
        Where r may differ from zero: a boolean ``perturbation_shape`` mask, or a `Subspace`.
        None: everywhere (data domain: at the sampled positions, always).
    scale
        Standard deviation of the noise at every entry, ``perturbation_shape`` or broadcastable, in
        the unit of the data: the ball is then one in noise-whitened coordinates.

    Raises
    ------
    InputError
        If the norm is unknown, a mask is not boolean, a scale is not positive and finite, or a
        subspace and a scale are combined.

    Examples
    --------
    >>> Ball(norm="linf").norm
    'linf'
    """

    norm: Norm = "l2"
    support: Tensor | Subspace | None = None
    scale: Tensor | None = None

    def __post_init__(self) -> None:
        if self.norm not in ("l2", "linf"):
            raise InputError(
                f"Expected norm 'l2' or 'linf', got {self.norm!r}; choose one of them."
            )
        if self.support is not None and not hasattr(self.support, "embed"):
            _require_mask(self.support)
        if self.scale is not None and not isinstance(self.scale, Tensor):
            raise InputError(
                f"Expected a scale as a tensor, got {type(self.scale).__name__}; torch.tensor(...) "
                "makes one that holds everywhere."
            )
        if self.scale is not None and not bool(((self.scale > 0) & self.scale.isfinite()).all()):
            raise InputError(
                "Expected a positive standard deviation everywhere, got some that are not; "
                "give positions without noise a small one."
            )
        subspace = self.support is not None and not isinstance(self.support, Tensor)
        if subspace and (self.scale is not None or self.norm == "linf"):
            raise InputError(
                "Expected a subspace with the l2 norm and no scale, got "
                f"norm={self.norm!r}{'' if self.scale is None else ' and a scale'}; use a mask, or "
                "a subspace of whitened directions."
            )

    def bind(self, chain: Chain, radius: Tensor) -> BoundBall:
        """The ball for the images of a chain.

        Parameters
        ----------
        chain
            What is perturbed.
        radius
            ``(B,)`` relative radii, float64.

        Raises
        ------
        ShapeError
            If support or scale do not fit the perturbations.
        """
        like = chain.unperturbed
        shape = tuple(like.shape[1:])
        subspace = None
        mask = None if chain.sampled is None else chain.sampled.to(like.device, torch.bool)
        whole = mask
        if isinstance(self.support, Tensor):
            region = _fitting(self.support, shape, "support").to(like.device, torch.bool)
            mask = region if mask is None else mask & region
        elif self.support is not None:
            subspace = _spanning(self.support, like)
        factor = None
        if self.scale is not None:
            scale = _fitting(self.scale, shape, "scale")
            factor = scale.to(like.device, like.dtype.to_real()).expand(shape)
        reference = like if whole is None else like * whole
        unbound = BoundBall(
            norm=self.norm, size=torch.ones_like(radius), template=_template(like, subspace),
            mask=mask, factor=factor, subspace=subspace, sampled=whole,
        )  # fmt: skip
        whitened = reference if factor is None else reference / factor
        return replace(unbound, size=radius.to(like.device) * unbound.norms(whitened))


@dataclass(frozen=True, kw_only=True, eq=False)
class BoundBall:
    """A ball ``‖z‖ <= size`` of coordinates for a batch, and the perturbations they stand for.

    Parameters
    ----------
    norm
        ``"l2"`` or ``"linf"``.
    size
        ``(B,)`` absolute radius in coordinates, float64.
    template
        ``(B, ...)`` zeros with the shape, dtype and device of coordinates.
    mask
        Entries that may differ from zero; None for all.
    factor
        Coordinates are multiplied by it.
    subspace
        Embeds the coordinates, where given; then there is no factor.
    sampled
        Sampled positions of a data-domain perturbation.
    """

    norm: Norm
    size: Tensor
    template: Tensor
    mask: Tensor | None
    factor: Tensor | None
    subspace: Subspace | None
    sampled: Tensor | None

    def perturbation(self, coordinates: Tensor) -> Tensor:
        """``z -> r``: linear, differentiable."""
        if self.subspace is not None:
            embedded = self.subspace.embed(coordinates)
            return embedded if self.sampled is None else embedded * self.sampled
        scaled = coordinates if self.factor is None else coordinates * self.factor
        return scaled if self.mask is None else scaled * self.mask

    def coordinates(self, perturbation: Tensor) -> Tensor:
        """The coordinates of the nearest perturbation that the support allows."""
        if self.subspace is not None:
            return self.subspace.coordinates(perturbation)
        scaled = perturbation if self.factor is None else perturbation / self.factor
        return self.restrict(scaled)

    def restrict(self, coordinates: Tensor) -> Tensor:
        """Zero outside the support."""
        if self.mask is None or self.subspace is not None:
            return coordinates
        return coordinates * self.mask

    def norms(self, coordinates: Tensor) -> Tensor:
        """``(B,)`` norm of coordinates, float64."""
        if self.norm == "l2":
            return norms(coordinates)
        return coordinates.detach().abs().flatten(1).amax(1).double()

    def project(self, coordinates: Tensor) -> Tensor:
        """The nearest coordinates inside support and ball."""
        coordinates, limit = self.restrict(coordinates), self.size
        if self.norm == "linf":
            magnitude = coordinates.abs()
            most = per_image(limit, magnitude)
            return coordinates * (most / magnitude.clamp_min(_TINY)).clamp_max(1)
        norm = norms(coordinates)
        factor = torch.where(norm > limit, limit / norm.clamp_min(_TINY), 1.0)
        return coordinates * per_image(factor, coordinates)

    def to_boundary(self, coordinates: Tensor, fraction: float = 1.0) -> Tensor:
        """Scale to norm ``fraction · size``; zero stays zero."""
        norm = self.norms(coordinates)
        factor = torch.where(norm > 0, fraction * self.size / norm.clamp_min(_TINY), 0.0)
        return coordinates * per_image(factor, coordinates)

    def tangent(self, coordinates: Tensor, gradient: Tensor) -> Tensor:
        """A gradient without what leads out of the ball, at points of the boundary."""
        if self.norm == "l2":
            norm = norms(coordinates)
            outward = dots(coordinates, gradient) / norm.square().clamp_min(_TINY)
            blocked = (outward > 0) & (norm >= self.size * (1 - _ROUNDING))
            share = torch.where(blocked, outward, 0.0)
            return gradient - per_image(share, coordinates) * coordinates
        outward = (coordinates.conj() * gradient).real
        magnitude = coordinates.abs()
        most = per_image(self.size * (1 - _ROUNDING), magnitude)
        blocked = (outward > 0) & (magnitude >= most)
        radial = coordinates * (outward / magnitude.square().clamp_min(_TINY_SINGLE))
        return torch.where(blocked, gradient - radial, gradient)

    def steepest(self, gradient: Tensor) -> Tensor:
        """The direction of norm one along which a function with this gradient rises most."""
        if self.norm == "l2":
            norm = norms(gradient)
            factor = torch.where(norm > 0, 1 / norm.clamp_min(_TINY), 0.0)
            return gradient * per_image(factor, gradient)
        return torch.sgn(gradient)

    def scaled(self, direction: Tensor, length: float | Tensor) -> Tensor:
        """``length · size · direction``; a length is one number, or one per image."""
        return direction * per_image(length * self.size, direction)

    def typical_entry(self) -> Tensor:
        """``(B, 1, ...)`` root mean square of the real entries of a point on the boundary."""
        if self.norm == "linf":
            return per_image(self.size, self.template)
        row = self.template[0] if self.mask is None or self.subspace is not None else self.mask
        n_entries = int(row.sum()) if row.dtype == torch.bool else row.numel()
        n_real = n_entries * (2 if self.template.is_complex() else 1)
        return per_image(self.size / max(n_real, 1) ** 0.5, self.template)

    def enlarged(self, factor: Tensor) -> BoundBall:
        """The ball of ``factor`` ``(B,)`` times the size."""
        return replace(self, size=factor * self.size)

    def random(self, generators: list[torch.Generator], fraction: float = 1.0) -> Tensor:
        """Random coordinates of norm ``fraction · size``, one generator per image.

        Gaussian directions in l2; random signs (phases) of equal magnitude in l-infinity.
        """
        gaussian = self.restrict(draws(self.template, generators))
        direction = gaussian if self.norm == "l2" else torch.sgn(gaussian)
        return self.to_boundary(direction, fraction)

    def rows(self, index: Tensor) -> BoundBall:
        """The ball of some images, in the order of ``index``."""
        return replace(self, size=self.size[index], template=self.template[index])


_TINY = 1e-300
_ROUNDING = 1e-5  # of norms in single precision
_TINY_SINGLE = 1e-30


def _require_mask(support: object) -> None:
    if not isinstance(support, Tensor) or support.dtype != torch.bool:
        got = support.dtype if isinstance(support, Tensor) else type(support).__name__
        raise InputError(
            f"Expected a support as a boolean tensor or a Subspace, got {got}; write mask > 0."
        )


def _template(like: Tensor, subspace: Subspace | None) -> Tensor:
    shape = like.shape[1:] if subspace is None else subspace.shape
    return like.new_zeros((len(like), *shape))


def _fitting(given: Tensor, shape: tuple[int, ...], name: str) -> Tensor:
    if not expands(given, shape):
        raise ShapeError(
            f"Expected a {name} of the perturbation's shape {shape}, got {tuple(given.shape)}; "
            "leave out the batch dimension.",
            expected=shape, got=tuple(given.shape),
        )  # fmt: skip
    return given


def _spanning(subspace: Subspace, like: Tensor) -> Subspace:
    """The subspace, once it has been seen to embed into perturbations of the right shape."""
    with torch.no_grad():
        embedded = subspace.embed(like.new_zeros((1, *subspace.shape)))
    if embedded.shape[1:] != like.shape[1:]:
        raise ShapeError(
            f"Expected a subspace of perturbations of shape {tuple(like.shape[1:])}, got "
            f"{tuple(embedded.shape[1:])}; build it for these images or data.",
            expected=tuple(like.shape[1:]), got=tuple(embedded.shape[1:]),
        )  # fmt: skip
    return subspace
