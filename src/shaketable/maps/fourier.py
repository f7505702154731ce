"""Single-coil Cartesian Fourier sampling."""

from __future__ import annotations

import torch
from torch import Tensor

from shaketable.maps.masks import checked_mask
from shaketable.maps.shapes import require_batch, require_precision


class FourierMap:
    """Unitary 2-D discrete Fourier transform followed by a sampling mask.

    ``A x = P F x`` with ``F`` the unitary FFT over the last two axes and ``P`` the mask; the data
    stay on the full grid and are zero where nothing was sampled, so ``A A* A = A``.

    Parameters
    ----------
    mask
        ``(H, W)``, 1 or True = sampled, DC at ``[0, 0]``. Put it on the device of the images to
        save a copy per call.

    Raises
    ------
    InputError
        If the mask is not two-dimensional, holds values other than 0 and 1, or samples nothing.

    Examples
    --------
    >>> import torch
    >>> A = FourierMap(torch.eye(4))
    >>> A.rate
    0.25
    >>> A(torch.ones(2, 4, 4)).shape
    torch.Size([2, 4, 4])
    """

    def __init__(self, mask: Tensor) -> None:
        self.mask = checked_mask(mask)

    @property
    def image_shape(self) -> tuple[int, int]:
        """``(H, W)``."""
        return (self.mask.shape[0], self.mask.shape[1])

    @property
    def data_shape(self) -> tuple[int, int]:
        """``(H, W)``, DC at ``[0, 0]``."""
        return self.image_shape

    @property
    def sampled(self) -> Tensor:
        """The mask as a boolean ``(H, W)`` tensor."""
        return self.mask

    @property
    def rate(self) -> float:
        """The share of sampled positions."""
        return float(self.mask.sum()) / self.mask.numel()

    def describe(self) -> dict[str, object]:
        """Return what the record of a run says about this map."""
        return {"type": "fourier", "shape": list(self.image_shape), "rate": self.rate}

    def __call__(self, image: Tensor) -> Tensor:
        """``(B, H, W)`` real or complex -> ``(B, H, W)`` complex, zero where not sampled."""
        require_batch(image, self.image_shape, "image")
        require_precision(image)
        data: Tensor = torch.fft.fft2(image, norm="ortho") * self.mask.to(image.device)
        return data

    def adjoint(self, data: Tensor) -> Tensor:
        """``(B, H, W)`` -> ``(B, H, W)`` complex: the zero-filled image."""
        require_batch(data, self.data_shape, "data")
        require_precision(data)
        image: Tensor = torch.fft.ifft2(data * self.mask.to(data.device), norm="ortho")
        return image
