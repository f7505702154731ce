"""Measure whether the adjoint is the adjoint, and say what it is if not."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from shaketable.errors import AdjointError
from shaketable.maps.probing import Probing, norm, relative_gap

_Adjoint = Callable[[Tensor], Tensor]
_Pair = tuple[Tensor, Tensor, Tensor]


def adjoint_gap(probing: Probing, n_pairs: int) -> float:
    """Return the largest relative gap of dot tests.

    ``|⟨A x, y⟩ − ⟨x, A* y⟩| / (‖A x‖ ‖y‖)`` for one pair with ``y = A x`` and for others with
    independent random ``x`` and ``y``.

    Raises
    ------
    AdjointError
        If the gap is above the limit; the sentence says what the adjoint looks like instead.
    """
    pairs = _pairs(probing, n_pairs)
    gap = max(_gaps(probing, pairs, probing.adjoint, 1.0))
    if gap > probing.limit:
        raise AdjointError(
            f"Expected ⟨A x, y⟩ = ⟨x, A* y⟩ to a relative {probing.limit:.0e}, got a gap of "
            f"{gap:.2g}: {_diagnosis(probing, pairs)}.",
            gap=gap,
            limit=probing.limit,
        )
    return gap


def _pairs(probing: Probing, n_pairs: int) -> list[_Pair]:
    pairs = []
    for index in range(n_pairs):
        image = probing.image()
        mapped = probing.forward(image)
        # Random pairs have a small inner product; with y = A x a wrong factor shows in full.
        data = mapped if index == 0 else probing.data()
        pairs.append((image, mapped, data))
    return pairs


def _gaps(probing: Probing, pairs: list[_Pair], adjoint: _Adjoint, factor: complex) -> list[float]:
    """Return the gaps of the dot tests were the adjoint divided by the factor."""
    return [
        abs(probing.inner(mapped, data) - probing.inner(image, adjoint(data)) / factor)
        / (norm(mapped) * norm(data))
        for image, mapped, data in pairs
    ]


def _factor(probing: Probing, pairs: list[_Pair], adjoint: _Adjoint) -> complex:
    """Return the number that ``⟨x, A* y⟩`` is best explained by as a multiple of ``⟨A x, y⟩``."""
    products = [
        (probing.inner(mapped, data), probing.inner(image, adjoint(data)))
        for image, mapped, data in pairs
    ]
    weight = sum(abs(left) ** 2 for left, _ in products)
    return sum(left.conjugate() * right for left, right in products) / weight


def _diagnosis(probing: Probing, pairs: list[_Pair]) -> str:
    for name, advice, reading in _readings(probing):
        factor = _factor(probing, pairs, reading)
        if factor != 0 and max(_gaps(probing, pairs, reading, factor)) <= probing.loose_limit:
            return _sentence(name, advice, factor, probing.loose_limit)
    if _is_forward(probing, pairs):
        return "A.adjoint returns the same as A; it must map data back to images"
    return (
        "A.adjoint is no multiple, conjugate or transpose of the adjoint; it must be the conjugate "
        "transpose of A, not an inverse or a filtered back-projection"
    )


def _readings(probing: Probing) -> list[tuple[str, str, _Adjoint]]:
    """Return what a wrong adjoint may be, how to mend it, and the mended adjoint to try."""
    adjoint = probing.adjoint
    readings: list[tuple[str, str, _Adjoint]] = [
        ("the adjoint", "", adjoint),
        (
            "the transpose without the conjugate",
            "conjugate the data before and the image after",
            lambda y: adjoint(y.conj()).conj(),
        ),
    ]
    sampled = probing.forward.sampled
    if sampled is not None:
        only = sampled.to(probing.device)
        name = "the adjoint that also reads data where nothing is sampled"
        advice = "multiply the data by A.sampled first"
        readings.append((name, advice, lambda y: adjoint(y * only)))
    height_width = probing.forward.image_shape[-2:]
    if len(height_width) == 2 and height_width[0] == height_width[1]:
        name = "the adjoint with rows and columns swapped"
        readings.append((name, "swap them", lambda y: adjoint(y).mT))
    return readings


def _sentence(name: str, advice: str, factor: complex, tolerance: float) -> str:
    if abs(factor - 1) <= tolerance:
        return f"A.adjoint looks like {name}; {advice}"
    number = _number(factor, tolerance)
    steps = [advice] if advice else []
    return f"A.adjoint looks like {name} times {number}; " + " and ".join(
        [*steps, f"divide its image by {number}"]
    )


def _number(factor: complex, tolerance: float) -> str:
    """Write a complex number without the part that is only rounding error."""
    if abs(factor.imag) <= tolerance * abs(factor):
        return f"{factor.real:.4g}"
    if abs(factor.real) <= tolerance * abs(factor):
        return f"{factor.imag:.4g}j"
    return f"{factor:.4g}"


def _is_forward(probing: Probing, pairs: list[_Pair]) -> bool:
    if probing.forward.image_shape != probing.forward.data_shape:
        return False
    data = pairs[-1][2]
    return relative_gap(probing.forward(data), probing.forward.adjoint(data)) <= probing.loose_limit
