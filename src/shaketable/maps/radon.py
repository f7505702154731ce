"""The Radon transform along parallel rays: computed tomography."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import ceil, hypot, prod

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shaketable.errors import InputError
from shaketable.maps.linear import apply_linear
from shaketable.maps.projection import Geometry, line_weights
from shaketable.maps.shapes import require_batch, require_precision
from shaketable.maps.stored_matrices import StoredMatrix


class RadonMap:
    """Integrals of an image along parallel rays, for every view and detector.

    ``(A x)(θ, s) = ∫ x along the line {u cos θ + v sin θ = s}`` with ``u`` to the right and ``v``
    up from the middle of the image. **The unit of length is one pixel**: a disc of radius 10
    pixels and value 1 gives 20 in its middle, whatever its size in millimetres. Detectors are one
    pixel apart and centred on the middle of the image; at ``θ = 0`` rays run along columns.

    Between pixels the image is interpolated linearly along one axis (Joseph's method). The weights
    are a sparse matrix in the precision of the argument, made when the map is first used (2 s for 50
    views of 512 x 512 pixels) and shared by all maps of one geometry in a process; the adjoint
    multiplies by its transpose. Complex images are mapped part by part.

    Parameters
    ----------
    angles
        ``(n_angles,)`` in radians, in any order; those of :func:`shaketable.maps.sampling.
        equispaced_views`, for example.
    image_shape
        ``(H, W)``, square or not.
    n_detectors
        Detectors per view; not given: the smallest odd number that covers the diagonal, 363 for
        256 x 256 and 725 for 512 x 512 pixels.

    Raises
    ------
    InputError
        If there is no angle, one is not finite, or the shape or the number of detectors is
        impossible.

    References
    ----------
    Joseph: "An improved algorithm for reprojecting rays through pixel images", IEEE TMI 1 (1982).

    Examples
    --------
    >>> import torch
    >>> A = RadonMap(torch.tensor([0.0, torch.pi / 2]), (2, 3))
    >>> A(torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])).round(decimals=3)
    tensor([[[ 0.0000,  5.0000,  7.0000,  9.0000,  0.0000],
             [ 0.0000,  7.5000, 10.5000,  3.0000,  0.0000]]])
    """

    def __init__(
        self,
        angles: Tensor | Sequence[float] | npt.ArrayLike,
        image_shape: tuple[int, int],
        *,
        n_detectors: int | None = None,
    ) -> None:
        self._angles = torch.from_numpy(_checked_angles(angles))
        height, width = _checked_shape(image_shape)
        if n_detectors is None:
            n_detectors = ceil(hypot(height, width)) | 1
        if int(n_detectors) != n_detectors or n_detectors < 1:
            raise InputError(
                f"Expected a whole number of at least one detector, got {n_detectors}; leave it "
                "out to cover the whole image."
            )
        self.geometry = Geometry(
            angles=tuple(self._angles.tolist()),
            image_shape=(height, width),
            n_detectors=int(n_detectors),
        )
        self._matrices = [
            StoredMatrix(key=("lines", block), make=partial(line_weights, block))
            for block in self.geometry.blocks()
        ]

    @property
    def angles(self) -> Tensor:
        """``(n_angles,)`` float64, in radians."""
        return self._angles

    @property
    def image_shape(self) -> tuple[int, int]:
        """``(H, W)``."""
        return self.geometry.image_shape

    @property
    def data_shape(self) -> tuple[int, int]:
        """``(n_angles, n_detectors)``."""
        return (len(self._angles), self.geometry.n_detectors)

    @property
    def sampled(self) -> None:
        """None: every data value is sampled."""
        return

    def describe(self) -> dict[str, object]:
        """Return what the record of a run says about this map."""
        return {
            "type": "radon",
            "shape": list(self.image_shape),
            "n_angles": len(self._angles),
            "n_detectors": self.geometry.n_detectors,
            "angles": self._angles.tolist(),
        }

    def __call__(self, image: Tensor) -> Tensor:
        """``(B, H, W) -> (B, n_angles, n_detectors)``, image values times pixels."""
        require_batch(image, self.image_shape, "image")
        require_precision(image)
        return apply_linear(image, self._forward, self._adjoint)

    def adjoint(self, data: Tensor) -> Tensor:
        """``(B, n_angles, n_detectors) -> (B, H, W)``: back-projection without a filter."""
        require_batch(data, self.data_shape, "data")
        require_precision(data)
        return apply_linear(data, self._adjoint, self._forward)

    def _forward(self, image: Tensor) -> Tensor:
        pixels = image.flatten(1)
        rays = torch.cat([matrix.times(pixels) for matrix in self._matrices], dim=1)
        return rays.reshape(-1, *self.data_shape)

    def _adjoint(self, data: Tensor) -> Tensor:
        pixels = data.new_zeros(len(data), prod(self.image_shape))
        for matrix, part in zip(self._matrices, self.split_views(data), strict=True):
            pixels += matrix.transpose_times(part.flatten(1))
        return pixels.reshape(-1, *self.image_shape)

    def split_views(self, data: Tensor) -> tuple[Tensor, ...]:
        """``(B, n_angles, n_detectors)`` cut into the blocks of views that are multiplied at once."""
        sizes = [len(block.angles) for block in self.geometry.blocks()]
        parts: tuple[Tensor, ...] = torch.split(data, sizes, dim=1)
        return parts


def _checked_angles(angles: Tensor | Sequence[float] | npt.ArrayLike) -> npt.NDArray[np.float64]:
    try:
        array = angles.detach().cpu().numpy() if isinstance(angles, Tensor) else np.asarray(angles)
        values = np.array(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Expected angles as a list of numbers, got {type(angles).__name__}; "
            "give them in radians."
        ) from error
    if np.iscomplexobj(array):
        raise InputError("Expected real angles, got complex ones; give them in radians.")
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise InputError(
            "Expected at least one finite angle in a list, got "
            f"{'NaN or infinity' if values.ndim == 1 and values.size else f'shape {values.shape}'}"
            "; give one angle in radians for each view."
        )
    return values


def _checked_shape(shape: tuple[int, int]) -> tuple[int, int]:
    if len(shape) != 2 or any(int(length) != length or length < 1 for length in shape):
        raise InputError(
            f"Expected an image of shape (H, W), got {tuple(shape)}; "
            "pass two positive whole numbers."
        )
    return int(shape[0]), int(shape[1])
