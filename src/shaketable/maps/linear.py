"""One mechanism for differentiating through a pair (forward, adjoint)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Linear = Callable[[Tensor], Tensor]


class _Apply(torch.autograd.Function):
    """Apply a linear function; its vector-Jacobian product is the stated adjoint.

    The backward pass applies the same function class with the roles swapped, so that gradients of
    any order and forward-mode derivatives exist.
    """

    @staticmethod
    def forward(x: Tensor, function: Linear, adjoint: Linear) -> Tensor:
        return function(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, ctx.function, ctx.adjoint = inputs

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return apply_linear(gradients[0], ctx.adjoint, ctx.function), None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        return apply_linear(tangents[0], ctx.function, ctx.adjoint)


def apply_linear(x: Tensor, function: Linear, adjoint: Linear) -> Tensor:
    """``function(x)`` with ``adjoint`` as its backward pass.

    Parameters
    ----------
    x
        ``(B, *shape)``, real or complex.
    function, adjoint
        A linear function of batches and its adjoint under ``⟨a, b⟩ = Σ conj(a) b``.
    """
    result: Tensor = _Apply.apply(x, function, adjoint)  # type: ignore[no-untyped-call]
    return result
