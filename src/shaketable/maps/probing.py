"""Random images and data for the checks of a map, and sums over them in double precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.errors import MapError, ShaketableError, ShapeError
from shaketable.protocols import ForwardMap


@dataclass(frozen=True, kw_only=True)
class Probing:
    """A map with what is needed to try it out.

    Parameters
    ----------
    forward
        The map under test.
    image_dtype, data_dtype
        The dtype of images, and of the data that the map makes of them.
    device
        Where random tensors are put.
    random
        The generator, on the CPU, so that devices see the same numbers.
    limit
        The largest relative gap of a dot test.
    """

    forward: ForwardMap
    image_dtype: torch.dtype
    data_dtype: torch.dtype
    device: torch.device
    random: torch.Generator
    limit: float

    @property
    def is_real(self) -> bool:
        """Whether images are real, so that only real parts of inner products count."""
        return not self.image_dtype.is_complex

    @property
    def loose_limit(self) -> float:
        """The limit for norms of differences, in which rounding errors do not cancel."""
        return 10 * self.limit

    def image(self, batch: int = 1) -> Tensor:
        """``(B, *image_shape)`` of independent normal numbers."""
        return self._draw((batch, *self.forward.image_shape), self.image_dtype)

    def data(self, batch: int = 1) -> Tensor:
        """``(B, *data_shape)`` of independent normal numbers."""
        return self._draw((batch, *self.forward.data_shape), self.data_dtype)

    def adjoint(self, data: Tensor) -> Tensor:
        """Return ``A* y``, or ``Re A* y`` where images are real."""
        image = self.forward.adjoint(data)
        return image.real if self.is_real and image.is_complex() else image

    def inner(self, a: Tensor, b: Tensor) -> complex:
        """Return ``Σ conj(a) b`` in double precision; its real part where images are real."""
        value = complex(torch.vdot(_double(a), _double(b)))
        return complex(value.real) if self.is_real else value

    def _draw(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        return torch.randn(shape, dtype=dtype, generator=self.random).to(self.device)


def norm(x: Tensor) -> float:
    """``‖x‖₂`` over everything, in double precision."""
    return float(torch.linalg.vector_norm(_double(x)))


def relative_gap(a: Tensor, b: Tensor) -> float:
    """Return ``‖a − b‖ / max(‖a‖, ‖b‖)``; 0 where both are zero."""
    size = max(norm(a), norm(b))
    return norm(_double(a) - _double(b)) / size if size > 0 else 0.0


def called(
    function: Callable[[Tensor], Tensor], x: Tensor, shape: tuple[int, ...], what: str
) -> Tensor:
    """Return ``function(x)`` after looking at its type, its shape and its values.

    Parameters
    ----------
    function
        The map or its adjoint.
    x
        ``(B, ...)``.
    shape
        The shape, without batch, that must come back.
    what
        ``"A"`` or ``"A.adjoint"``, for the sentences.

    Raises
    ------
    ShapeError
        If another shape comes back.
    MapError
        If the call fails, or returns no tensor, another precision, NaN or infinity.
    """
    try:
        result = function(x)
    except ShaketableError:
        raise
    except Exception as error:
        raise MapError(
            f"Expected {what} to take {x.dtype} of shape {tuple(x.shape)}, got "
            f"{type(error).__name__}: {error}; if images are real, check with dtype=torch.float32."
        ) from error
    if not isinstance(result, Tensor):
        raise MapError(
            f"Expected {what} to return a tensor, got {type(result).__name__}; "
            "wrap NumPy functions in NumpyMap."
        )
    if tuple(result.shape) != (len(x), *shape):
        raise ShapeError(
            f"Expected {what} to return shape {(len(x), *shape)}, as the map states, got "
            f"{tuple(result.shape)}; correct the map or its image_shape and data_shape.",
            expected=(len(x), *shape),
            got=tuple(result.shape),
        )
    if result.dtype.to_real() != x.dtype.to_real():
        raise MapError(
            f"Expected {what} to keep the precision of {x.dtype}, got {result.dtype}; "
            "convert the result inside the map."
        )
    if not bool(result.isfinite().all()):
        raise MapError(
            f"Expected {what} to return finite numbers, got NaN or infinity for a random argument; "
            "look for a division by zero or an overflow."
        )
    return result


def _double(x: Tensor) -> Tensor:
    return x.detach().to(torch.complex128).flatten()
