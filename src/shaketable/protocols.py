"""What users bring: a forward map and a reconstructor. Nobody needs to inherit from these.

Conventions, stated once: tensors are ``(batch, *shape)``; complex tensors are native complex;
``⟨a, b⟩ = Σ conj(a) b``.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class ForwardMap(Protocol):
    """The linear sampling operator ``A``: image -> data, with its adjoint."""

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of one image, without the batch dimension."""
        ...

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Shape of the data of one image, without the batch dimension."""
        ...

    @property
    def sampled(self) -> Tensor | None:
        """Boolean ``data_shape`` tensor of the sampled positions; None when all are sampled."""
        ...

    def __call__(self, image: Tensor) -> Tensor:
        """``(B, *image_shape) -> (B, *data_shape)``, differentiable by torch."""
        ...

    def adjoint(self, data: Tensor) -> Tensor:
        """``(B, *data_shape) -> (B, *image_shape)``, differentiable by torch."""
        ...


@runtime_checkable
class Reconstructor(Protocol):
    """Data -> image: a network or a sparse-regularisation method."""

    def __call__(self, data: Tensor, forward: ForwardMap, /) -> Tensor:
        """``(B, *data_shape)`` and the forward map -> ``(B, *image_shape)``."""
        ...
