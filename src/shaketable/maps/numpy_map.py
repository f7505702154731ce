"""A forward map given as two NumPy functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shaketable.errors import MapError, ShapeError
from shaketable.maps.linear import apply_linear
from shaketable.maps.shapes import at_precision, require_batch, require_precision

NumpyFunction = Callable[[npt.NDArray[Any]], npt.ArrayLike]


class NumpyMap:
    """Two NumPy functions, a linear one and its adjoint, as a forward map that torch can use.

    The functions work on the CPU and torch never looks into them: the gradient of ``A`` is its
    ``adjoint`` and the other way round, to any order, so a wrong adjoint gives wrong gradients.
    Run :func:`shaketable.check_map` on it. The result has the precision of what comes in, whatever
    the functions compute in, and is complex where they return complex numbers.

    Parameters
    ----------
    forward
        Image of ``image_shape`` to data of ``data_shape``.
    adjoint
        Data to image, the adjoint under ``⟨a, b⟩ = Σ conj(a) b``.
    image_shape, data_shape
        Shapes of one image and of its data, without a batch dimension.
    vectorized
        True if the functions take and return whole batches, ``(B, *shape)``.

    Examples
    --------
    >>> import numpy as np, torch
    >>> A = NumpyMap(
    ...     forward=lambda x: np.diff(x, axis=1),
    ...     adjoint=lambda y: -np.diff(y, axis=1, prepend=0, append=0),
    ...     image_shape=(2, 3),
    ...     data_shape=(2, 2),
    ... )
    >>> x = torch.zeros(1, 2, 3, requires_grad=True)
    >>> (A(x) * torch.tensor([[1.0, 3.0], [5.0, 7.0]])).sum().backward()
    >>> x.grad
    tensor([[[-1., -2.,  3.],
             [-5., -2.,  7.]]])
    """

    def __init__(
        self,
        *,
        forward: NumpyFunction,
        adjoint: NumpyFunction,
        image_shape: tuple[int, ...],
        data_shape: tuple[int, ...],
        vectorized: bool = False,
    ) -> None:
        self._functions = {"forward": forward, "adjoint": adjoint}
        self._image_shape = tuple(image_shape)
        self._data_shape = tuple(data_shape)
        self._vectorized = vectorized

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of one image."""
        return self._image_shape

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Shape of the data of one image."""
        return self._data_shape

    @property
    def sampled(self) -> None:
        """None: every data value is sampled."""
        return

    def describe(self) -> dict[str, object]:
        """Return what the record of a run says about this map."""
        return {
            "type": "numpy",
            "image_shape": list(self.image_shape),
            "data_shape": list(self.data_shape),
        }

    def __call__(self, image: Tensor) -> Tensor:
        """``(B, *image_shape) -> (B, *data_shape)``, on the device of the image."""
        require_batch(image, self.image_shape, "image")
        require_precision(image)
        return apply_linear(image, self._forward, self._adjoint)

    def adjoint(self, data: Tensor) -> Tensor:
        """``(B, *data_shape) -> (B, *image_shape)``, on the device of the data."""
        require_batch(data, self.data_shape, "data")
        require_precision(data)
        return apply_linear(data, self._adjoint, self._forward)

    def _forward(self, image: Tensor) -> Tensor:
        return self._call("forward", image, self.data_shape)

    def _adjoint(self, data: Tensor) -> Tensor:
        return self._call("adjoint", data, self.image_shape)

    def _call(self, name: str, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        function = self._functions[name]
        # A copy, so that a function that works in place cannot change the caller's tensor.
        array = x.detach().cpu().resolve_conj().resolve_neg().numpy().copy()
        if self._vectorized:
            result = _checked(function(array), name, (len(array), *shape))
        else:
            result = np.stack([_checked(function(single), name, shape) for single in array])
        dtype = at_precision(x.dtype, complex_valued=np.iscomplexobj(result))
        return torch.as_tensor(np.ascontiguousarray(result)).to(device=x.device, dtype=dtype)


def _checked(result: npt.ArrayLike, name: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    array = np.asarray(result)
    if array.shape != shape:
        raise ShapeError(
            f"Expected the NumPy function {name} to return shape {shape}, got {array.shape}; "
            "correct the function, the stated shapes, or vectorized=.",
            expected=shape,
            got=array.shape,
        )
    if not np.issubdtype(array.dtype, np.number):
        raise MapError(
            f"Expected the NumPy function {name} to return numbers, got dtype {array.dtype}; "
            "it must return an array of real or complex numbers."
        )
    return array
