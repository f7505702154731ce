"""Checks of single numbers that users set: one sentence for all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real

from shaketable.errors import InputError


def require_number(
    name: str, value: object, *, above: float | None = None, at_least: float | None = None,
    below: float | None = None, at_most: float | None = None,
) -> None:  # fmt: skip
    """Raise an `InputError` for what is no finite number within the bounds.

    Examples
    --------
    >>> require_number("contrast", 1.5, above=0, at_most=1)
    Traceback (most recent call last):
    shaketable.errors.InputError: Expected contrast to be a finite number above 0 and at most 1, got 1.5.
    """
    good = isinstance(value, Real) and not isinstance(value, bool) and _is_finite(value)
    _require(good, "a finite number", name, value, above, at_least, below, at_most)


def require_whole(
    name: str, value: object, *, at_least: int | None = None, at_most: int | None = None
) -> None:
    """Raise an `InputError` for what is no whole number within the bounds.

    Examples
    --------
    >>> require_whole("n_draws", 2.5, at_least=1)
    Traceback (most recent call last):
    shaketable.errors.InputError: Expected n_draws to be a whole number of at least 1, got 2.5.
    """
    good = isinstance(value, Integral) and not isinstance(value, bool)
    _require(good, "a whole number", name, value, None, at_least, None, at_most)


@contextmanager
def about(field: str) -> Iterator[None]:
    """Say of errors inside which setting they are about; what they say themselves is put behind it.

    Examples
    --------
    >>> try:
    ...     with about("sampling"):
    ...         require_number("rate", 2, at_most=1)
    ... except InputError as error:
    ...     error.field
    'sampling.rate'
    """
    try:
        yield
    except InputError as error:
        error.field = f"{field}.{error.field}" if error.field else field
        raise


def _is_finite(value: Real) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floating-point ones
        return False


def _require(
    good: bool, kind: str, name: str, value: object,
    above: float | None, at_least: float | None, below: float | None, at_most: float | None,
) -> None:  # fmt: skip
    inside = (
        good
        and (above is None or value > above)  # type: ignore[operator]
        and (at_least is None or value >= at_least)  # type: ignore[operator]
        and (below is None or value < below)  # type: ignore[operator]
        and (at_most is None or value <= at_most)  # type: ignore[operator]
    )
    if inside:
        return
    named = (("above", above), ("of at least", at_least), ("below", below), ("at most", at_most))
    bounds = " and ".join(f"{word} {bound:g}" for word, bound in named if bound is not None)
    raise InputError(
        f"Expected {name} to be {kind}{' ' if bounds else ''}{bounds}, got {value!r}.", field=name
    )
