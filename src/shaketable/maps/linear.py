"""One mechanism for differentiating through a pair (forward, adjoint)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.autograd import Function

Linear = Callable[[Tensor], Tensor]


class _Apply(Function):
    """Apply a linear function; its vector-Jacobian product is the stated adjoint.

    The backward pass applies the same function class with the roles swapped, so that gradients of
    any order and forward-mode derivatives exist.
    """

    @staticmethod
    def forward(x: Tensor, function: Linear, adjoint: Linear) -> Tensor:  # noqa: ARG004
        return function(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        x, ctx.function, ctx.adjoint = inputs
        ctx.is_real = not x.is_complex()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        gradient = apply_linear(gradients[0], ctx.adjoint, ctx.function)
        # Over real images the adjoint of A is Re A*, which torch does not know of A* alone.
        if ctx.is_real and gradient.is_complex():
            gradient = gradient.real
        return gradient, None, None

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
        A linear function of batches and its adjoint under ``⟨a, b⟩ = Σ conj(a) b``. They need not
        be differentiable by torch. They must not return their own argument.

    Returns
    -------
    Tensor
        What ``function`` returns. The gradient with respect to a real ``x`` is real.

    Examples
    --------
    >>> import torch
    >>> x = torch.ones(1, 2, requires_grad=True)
    >>> apply_linear(x, lambda x: 3 * x, lambda y: 3 * y).sum().backward()
    >>> x.grad
    tensor([[3., 3.]])
    """
    result: Tensor = _Apply.apply(x, function, adjoint)  # type: ignore[no-untyped-call]
    return result
