"""Measure whether a map is linear, keeps images apart, and is what torch differentiates."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from shaketable.errors import LinearityError, MapError, ShapeError
from shaketable.maps.probing import Probing, norm, relative_gap

_N_POWER_STEPS = 100
_POWER_TOLERANCE = 1e-6


def linearity_gap(probing: Probing) -> float:
    """Return the larger relative gap of ``A(a x + b z) = a A x + b A z`` for A and its adjoint.

    Raises
    ------
    LinearityError
        If the gap is above the limit; the sentence says whether the map is noisy, affine or linear
        over real numbers only.
    """
    gaps = [
        _linearity_gap(probing, "A", probing.forward, probing.image),
        _linearity_gap(probing, "A.adjoint", probing.forward.adjoint, probing.data),
    ]
    return max(gaps)


def _linearity_gap(
    probing: Probing, name: str, function: Callable[[Tensor], Tensor], draw: Callable[[], Tensor]
) -> float:
    x, z = draw(), draw()
    # Over complex numbers the factor must be complex: real-linear maps pass with real ones.
    a = 0.6 - 0.8j if x.is_complex() and not probing.is_real else 0.6
    b = -1.3
    expected = a * function(x) + b * function(z)
    gap = relative_gap(function(a * x + b * z), expected)
    if not gap <= probing.loose_limit:
        raise LinearityError(
            f"Expected {name} to be linear to a relative {probing.loose_limit:.0e}, got a gap of "
            f"{gap:.2g}: {_why_not_linear(probing, function, x, z)}."
        )
    return gap


def _why_not_linear(
    probing: Probing, function: Callable[[Tensor], Tensor], x: Tensor, z: Tensor
) -> str:
    size = norm(function(x))
    if relative_gap(function(x), function(x)) > probing.loose_limit:
        return "two calls with the same argument differ; take the noise out of the map"
    if norm(function(torch.zeros_like(x))) > probing.loose_limit * size:
        return "it sends zero to something else; take the constant out of the map"
    limit = probing.loose_limit
    if x.is_complex() and relative_gap(function(1j * x), -1j * function(x)) <= limit:
        return "it conjugates its argument or its result; take the conjugation out"
    real_sum = 0.6 * function(x) - 1.3 * function(z)
    if relative_gap(function(0.6 * x - 1.3 * z), real_sum) <= probing.loose_limit:
        return (
            "it is linear over real numbers only; if images are real, check with "
            "dtype=torch.float32, else let it keep the imaginary part"
        )
    return "a search needs a linear map; put what is not linear into the reconstructor"


def batch_gap(probing: Probing) -> float:
    """Return how much an image's data depend on its neighbour in the batch.

    Raises
    ------
    MapError
        If they do.
    """
    images, data = probing.image(2), probing.data(2)
    gap = max(_apart_gap(probing.forward, images), _apart_gap(probing.forward.adjoint, data))
    if not gap <= probing.loose_limit:
        raise MapError(
            "Expected every image of a batch to be mapped on its own, got a relative difference of "
            f"{gap:.2g} between a batch of two and its parts; the first axis is the batch."
        )
    return gap


def _apart_gap(function: Callable[[Tensor], Tensor], pair: Tensor) -> float:
    return relative_gap(function(pair), torch.cat([function(pair[:1]), function(pair[1:])]))


def unsampled_share(probing: Probing) -> float:
    """Return the relative size of what A writes where ``A.sampled`` says nothing is sampled.

    Raises
    ------
    ShapeError
        If ``A.sampled`` has not the shape of data.
    MapError
        If it is not boolean, or A writes where it says False.
    """
    sampled = probing.forward.sampled
    if sampled is None:
        return 0.0
    shape = tuple(probing.forward.data_shape)
    if tuple(sampled.shape) != shape:
        raise ShapeError(
            f"Expected A.sampled of shape {shape}, as data_shape, got {tuple(sampled.shape)}; "
            "it has no batch dimension.",
            expected=shape,
            got=tuple(sampled.shape),
        )
    if sampled.dtype != torch.bool:
        raise MapError(f"Expected A.sampled to be boolean, got {sampled.dtype}; compare with 0.")
    data = probing.forward(probing.image())
    share = norm(data * ~sampled.to(data.device)) / max(norm(data), torch.finfo(torch.float64).tiny)
    if share > 0:
        raise MapError(
            f"Expected zeros where A.sampled is False, got a share of {share:.2g} of the data "
            "there; A and A.sampled must agree."
        )
    return share


def autograd_gap(probing: Probing) -> float:
    """Return the relative difference of torch's gradients from ``A*`` and, of the adjoint, ``A``.

    Raises
    ------
    MapError
        If torch cannot differentiate the map or finds another gradient.
    """
    image, data = probing.image(), probing.data()
    through_forward = _gradient("A", probing.forward, image, data)
    gap = relative_gap(through_forward, probing.adjoint(data))
    back = probing.forward.adjoint(data)
    along = image.to(back.dtype)
    through_adjoint = _gradient("A.adjoint", probing.forward.adjoint, data, along)
    expected = probing.forward(along)
    if not data.is_complex() and expected.is_complex():
        expected = expected.real
    gap = max(gap, relative_gap(through_adjoint, expected))
    if not gap <= probing.loose_limit:
        raise MapError(
            "Expected the gradient through A to be A.adjoint, and the other way round, got a "
            f"relative difference of {gap:.2g}; look for .detach(), .data or in-place changes."
        )
    return gap


def _gradient(name: str, function: Callable[[Tensor], Tensor], at: Tensor, along: Tensor) -> Tensor:
    at = at.clone().requires_grad_()
    with torch.enable_grad():
        result = function(at)
        if not result.requires_grad:
            raise MapError(
                f"Expected torch to differentiate through {name}, got a result without gradient; "
                "wrap NumPy functions in NumpyMap, or check with differentiable=False."
            )
        gradient: Tensor = torch.autograd.grad(result, at, along)[0]
    return gradient


def spectral_norm(probing: Probing) -> tuple[float, float]:
    """Return a lower bound of ``‖A‖₂`` by the power method, and its last relative change."""
    x = probing.image()
    x = x / norm(x)
    estimate, change = 0.0, float("inf")
    for _ in range(_N_POWER_STEPS):
        mapped = probing.forward(x)
        previous, estimate = estimate, norm(mapped)
        change = abs(estimate - previous) / estimate
        if change <= _POWER_TOLERANCE:
            break
        x = probing.adjoint(mapped)
        x = x / norm(x)
    return estimate, change
