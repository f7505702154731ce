"""Shape and precision rules that all maps share."""

from __future__ import annotations

import torch
from torch import Tensor

from shaketable.errors import InputError, ShapeError

_COMPLEX_OF = {
    torch.float32: torch.complex64,
    torch.float64: torch.complex128,
    torch.complex64: torch.complex64,
    torch.complex128: torch.complex128,
}
_REAL_OF = {
    torch.float32: torch.float32,
    torch.float64: torch.float64,
    torch.complex64: torch.float32,
    torch.complex128: torch.float64,
}


def require_batch(x: Tensor, shape: tuple[int, ...], what: str) -> None:
    """Refuse a tensor that is not a batch of the given shape.

    Parameters
    ----------
    x
        ``(B, *shape)`` expected.
    shape
        Shape of one item.
    what
        ``"image"`` or ``"data"``, for the sentence.

    Raises
    ------
    ShapeError
        If the shape differs.
    """
    got = tuple(x.shape)
    if got[1:] == shape and len(got) == len(shape) + 1 and got[0] > 0:
        return
    expected = "(" + ", ".join(["B", *map(str, shape)]) + ")"
    hint = "add a batch dimension with x[None]" if got == shape else "B, the batch, is at least 1"
    raise ShapeError(
        f"Expected {what} of shape {expected}, got {got}; {hint}.", expected=(-1, *shape), got=got
    )


def require_precision(x: Tensor) -> None:
    """Refuse tensors that are neither in single nor in double precision.

    Raises
    ------
    InputError
        If the dtype is none of float32, float64, complex64, complex128.
    """
    if x.dtype not in _REAL_OF:
        raise InputError(
            f"Expected float32, float64, complex64 or complex128, got {x.dtype}; "
            "convert it, for example with x.to(torch.float32)."
        )


def at_precision(dtype: torch.dtype, *, complex_valued: bool) -> torch.dtype:
    """Return the real or complex dtype of the same precision."""
    return _COMPLEX_OF[dtype] if complex_valued else _REAL_OF[dtype]
