"""Products with the Jacobian of a response at a point, and with its transpose: no matrix is built."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd import forward_ad

from shaketable.errors import InputError
from shaketable.real_vectors import from_real_rows, real_rows

Response = Callable[[Tensor], Tensor]


def flat(x: Tensor) -> Tensor:
    """``(B, ...) -> (B, n)`` float64, detached: the vectors that a Jacobian is multiplied with."""
    return real_rows(x.detach()).to(torch.float64)


class Jacobian:
    """The derivative ``J`` of a batched response at a point, as a real-linear map.

    Networks are not complex-linear, so real and imaginary parts are two real coordinates and the
    transpose belongs to ``Re⟨a, b⟩``. Vectors are ``(B, n)`` float64 as `flat` makes them; row b
    is multiplied with the Jacobian of item b. A row whose product is not finite becomes zero and
    is taken out of `finite`.

    One forward pass is kept and serves all products with the transpose; it holds the memory of one
    gradient. In gradients (forward + backward = 1): building costs 1/2, `transposed` 1/2,
    `applied` at least 1 by forward mode (a forward pass that carries tangents); 2.2 were measured
    on convolutions, of which torch 2.13 makes three where two are needed. Where an operation has
    no forward mode, `applied` differentiates the transpose instead, at about the same cost and
    with the memory of a second gradient.

    Parameters
    ----------
    response
        ``(B, *shape) -> (B, *output_shape)``, row by row; deterministic.
    point
        ``(B, *shape)``, real or complex.
    """

    def __init__(self, response: Response, point: Tensor) -> None:
        self._response = response
        with torch.enable_grad():
            self.point = point.detach().clone().requires_grad_()
            self.output = response(self.point)
        self.finite = torch.isfinite(flat(self.output)).all(1)
        if self.constant:
            self._require_constant()
        self.n_products = 0
        self._forward_mode: bool | None = None
        self._probe: Tensor | None = None
        self._pulled: Tensor | None = None

    @property
    def constant(self) -> bool:
        """Nothing in the output depends on the point."""
        return not self.output.requires_grad

    def _require_constant(self) -> None:
        """What torch calls constant does not move: else its zeros would be no derivative."""
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn(self.point.shape, generator=generator, dtype=self.point.dtype)
        size = 1e-2 * max(1.0, float(flat(self.point).abs().max()))
        with torch.no_grad():
            moved = self._response(self.point.detach() + size * noise.to(self.point.device))
        if not torch.equal(flat(moved)[self.finite], flat(self.output)[self.finite]):
            raise InputError(
                "Expected a reconstructor that torch can differentiate, got one whose output changes "
                "with its input without torch seeing it (detached, or computed elsewhere); declare it "
                "differentiable=False."
            )

    def transposed(self, left: Tensor) -> Tensor:
        """``Jᵀ w`` for ``(B, m)`` -> ``(B, n)``."""
        self.n_products += 1
        product = None
        if not self.constant:
            (product,) = torch.autograd.grad(
                self.output, self.point, from_real_rows(left, self.output),
                retain_graph=True, allow_unused=True,
            )  # fmt: skip
        return self._clean(product, self.point)

    def applied(self, right: Tensor) -> Tensor:
        """``J v`` for ``(B, n)`` -> ``(B, m)``."""
        self.n_products += 1
        direction = from_real_rows(right, self.point)
        if self.constant:
            return self._clean(None, self.output)
        if self._forward_mode is None:
            return self._clean(self._first(direction), self.output)
        product = self._pushed(direction) if self._forward_mode else self._twice(direction)
        return self._clean(product, self.output)

    def _first(self, direction: Tensor) -> Tensor | None:
        """The first product decides once for all how products are made."""
        try:
            product = self._pushed(direction)
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, NotImplementedError) as error:
            self._forward_mode = False
            return self._second_choice(direction, error)
        self._forward_mode = product is not None
        return product if self._forward_mode else self._second_choice(direction, None)

    def _second_choice(self, direction: Tensor, first: Exception | None) -> Tensor | None:
        try:
            product = self._twice(direction)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise _neither(first, _first_line(error)) from error
        # A backward pass that torch cannot see into gives zeros and no error.
        pushed = self._clean(product, self.output)
        probe = torch.randn(pushed.shape[1], generator=torch.Generator().manual_seed(0)).to(pushed)
        pulled, along = self.transposed(probe.expand_as(pushed)), flat(direction)
        gap = (pushed @ probe - (pulled * along).sum(1)).abs()
        if bool((gap > 1e-3 * pulled.norm(dim=1) * along.norm(dim=1)).any()):
            raise _neither(first, "the derivative of its gradient is not that of its output")
        return product

    def _pushed(self, direction: Tensor) -> Tensor | None:
        """Forward mode; None where no tangent reaches the output."""
        with torch.no_grad(), forward_ad.dual_level():
            dual = forward_ad.make_dual(self.point.detach(), direction)  # type: ignore[no-untyped-call]
            unpacked = forward_ad.unpack_dual(self._response(dual))  # type: ignore[no-untyped-call]
            tangent: Tensor | None = unpacked.tangent
            return tangent

    def _twice(self, direction: Tensor) -> Tensor | None:
        """``w ↦ Jᵀ w`` is linear, and its transpose is ``J``."""
        if self._probe is None or self._pulled is None:
            self._probe = torch.zeros_like(self.output).requires_grad_()
            (self._pulled,) = torch.autograd.grad(
                self.output, self.point, self._probe, create_graph=True, materialize_grads=True
            )
        if not self._pulled.requires_grad:
            return None
        (product,) = torch.autograd.grad(
            self._pulled, self._probe, direction, retain_graph=True, allow_unused=True
        )
        return product

    def _clean(self, product: Tensor | None, like: Tensor) -> Tensor:
        if product is None:
            return flat(torch.zeros_like(like))
        if like.is_complex() and not product.is_complex():
            product = product.to(like.dtype)
        coordinates = flat(product)
        self.finite &= torch.isfinite(coordinates).all(1)
        return torch.where(self.finite[:, None], coordinates, 0.0)


def _neither(first: Exception | None, second: str) -> InputError:
    why = _first_line(first) if first is not None else "no tangent reaches the output"
    return InputError(
        "Expected a reconstructor with forward-mode derivatives or with gradients that can be "
        f"differentiated, got neither ({why}; {second}); give its autograd.Function a jvp, or a "
        "backward pass made of torch operations."
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
