"""The check of a forward map before anything is built on it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from shaketable.errors import InputError, MapError
from shaketable.maps.behaviour import (
    autograd_gap,
    batch_gap,
    linearity_gap,
    spectral_norm,
    unsampled_share,
)
from shaketable.maps.dot_test import adjoint_gap
from shaketable.maps.probing import Probing, called, norm
from shaketable.maps.shapes import at_precision
from shaketable.protocols import ForwardMap

_LIMITS = {torch.float32: 1e-6, torch.float64: 1e-12}


@dataclass(frozen=True, kw_only=True)
class MapCheck:
    """One property of a map that was measured and held.

    Parameters
    ----------
    name
        Of the property.
    value, limit
        The relative gap, and the largest that passes.
    sentence
        What was compared.
    """

    name: str
    value: float
    limit: float
    sentence: str


@dataclass(frozen=True, kw_only=True)
class MapReport:
    """What :func:`check_map` measured.

    Parameters
    ----------
    adjoint_gap
        The largest ``|⟨A x, y⟩ − ⟨x, A* y⟩| / (‖A x‖ ‖y‖)``.
    linearity_gap
        The larger relative gap of superposition, of A and of its adjoint.
    norm
        Lower bound of ``‖A‖₂`` by the power method.
    norm_change
        Relative change of ``norm`` in the last step: what it is worth.
    dtype, data_dtype
        Of the images used, and of the data made of them.
    image_shape, data_shape
        As the map states them, and as they came back.
    checks
        Everything that was checked, each with value and limit.
    """

    adjoint_gap: float
    linearity_gap: float
    norm: float
    norm_change: float
    dtype: torch.dtype
    data_dtype: torch.dtype
    image_shape: tuple[int, ...]
    data_shape: tuple[int, ...]
    checks: tuple[MapCheck, ...]


def check_map(
    forward: ForwardMap,
    *,
    seed: int = 0,
    dtype: torch.dtype = torch.complex64,
    device: str = "cpu",
    n_pairs: int = 5,
    limit: float | None = None,
    differentiable: bool = True,
) -> MapReport:
    """Check that a map is linear, has the shapes it states and the adjoint it claims.

    Shapes are compared first, then values looked at, then ``A(a x + b z) = a A x + b A z`` and
    ``⟨A x, y⟩ = ⟨x, A* y⟩`` tried on random vectors with sums in double precision; and that nothing
    is written where nothing is sampled, images of a batch do not mix, and torch's gradient through
    A is ``A*``.

    Parameters
    ----------
    forward
        The map.
    seed
        Decides the random vectors.
    dtype
        Of the images: float32, float64, complex64 or complex128. For real ones the inner product
        is the real part.
    device
        Where the random vectors are put.
    n_pairs
        Number of dot tests.
    limit
        Largest relative gap of a dot test; 1e-6 in single and 1e-12 in double precision if not
        given. Norms of differences may be ten times as large.
    differentiable
        False for a map that torch cannot differentiate: its gradients are not looked at.

    Returns
    -------
    MapReport
        What was measured; every check in it has passed.

    Raises
    ------
    ShapeError
        If A or its adjoint returns another shape than the map states.
    LinearityError
        If A or its adjoint is not linear.
    AdjointError
        If the adjoint is not the adjoint; the sentence says what it looks like.
    MapError
        If a call fails or returns NaN, infinity, zeros, another precision, mixes the batch, or if
        the gradient through A is not the adjoint.
    InputError
        If the map lacks a part of the protocol or a setting is impossible.

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps import FourierMap, check_map
    >>> report = check_map(FourierMap(torch.eye(8)), dtype=torch.complex128)
    >>> report.adjoint_gap < 1e-12, round(report.norm, 6)
    (True, 1.0)
    """
    _require_protocol(forward, dtype, n_pairs)
    tolerance = _LIMITS[at_precision(dtype, complex_valued=False)] if limit is None else limit
    probing = _first_calls(forward, seed, dtype, torch.device(device), tolerance)
    checks = _measured(probing, n_pairs, differentiable)
    gaps = {check.name: check.value for check in checks}
    with torch.no_grad():
        size, change = spectral_norm(probing)
    return MapReport(
        adjoint_gap=gaps["adjoint"],
        linearity_gap=gaps["linearity"],
        norm=size,
        norm_change=change,
        dtype=dtype,
        data_dtype=probing.data_dtype,
        image_shape=tuple(forward.image_shape),
        data_shape=tuple(forward.data_shape),
        checks=checks,
    )


def _measured(probing: Probing, n_pairs: int, differentiable: bool) -> tuple[MapCheck, ...]:
    """Measure every property, those first without which the later ones mean little."""
    loose = probing.loose_limit
    with torch.no_grad():
        rows = [
            (
                "linearity",
                linearity_gap(probing),
                loose,
                "A(a x + b z) = a A x + b A z, and the same for the adjoint",
            ),
            ("sampled", unsampled_share(probing), 0.0, "A x is 0 where nothing is sampled"),
            ("adjoint", adjoint_gap(probing, n_pairs), probing.limit, "⟨A x, y⟩ = ⟨x, A* y⟩"),
            ("batch", batch_gap(probing), loose, "a batch of two equals its two parts"),
        ]
    if differentiable:
        sentence = "the gradient through A is the adjoint, and the other way round"
        rows.append(("autograd", autograd_gap(probing), loose, sentence))
    return tuple(
        MapCheck(name=name, value=value, limit=limit, sentence=sentence)
        for name, value, limit, sentence in rows
    )


def _require_protocol(forward: ForwardMap, dtype: torch.dtype, n_pairs: int) -> None:
    missing = [
        name
        for name in ("image_shape", "data_shape", "sampled", "adjoint", "__call__")
        if not hasattr(forward, name)
    ]
    if missing:
        raise InputError(
            "Expected a forward map with image_shape, data_shape, sampled, adjoint and a call, got "
            f"{type(forward).__name__} without {', '.join(missing)}; add them (sampled = None if "
            "all data are sampled), or use MatrixMap or NumpyMap."
        )
    if dtype not in (torch.float32, torch.float64, torch.complex64, torch.complex128):
        raise InputError(
            f"Expected float32, float64, complex64 or complex128 images, got {dtype}; choose one."
        )
    if n_pairs < 1:
        raise InputError(f"Expected at least one dot test, got n_pairs={n_pairs}; 5 are usual.")


def _first_calls(
    forward: ForwardMap, seed: int, dtype: torch.dtype, device: torch.device, limit: float
) -> Probing:
    """Call the map and its adjoint once, shapes first, and return what to go on with."""
    random = torch.Generator().manual_seed(seed)
    image_shape, data_shape = tuple(forward.image_shape), tuple(forward.data_shape)
    image = torch.randn((2, *image_shape), dtype=dtype, generator=random).to(device)
    with torch.no_grad():
        data = called(forward, image, data_shape, "A")
        if norm(data) == 0:
            raise MapError(
                "Expected A to map a random image to something, got zeros; "
                "look at the mask or the matrix."
            )
        called(forward.adjoint, data, image_shape, "A.adjoint")
    return Probing(
        forward=forward,
        image_dtype=dtype,
        data_dtype=data.dtype,
        device=device,
        random=random,
        limit=limit,
    )
