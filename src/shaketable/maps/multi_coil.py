"""Multi-coil Cartesian Fourier sampling: parallel MRI."""

from __future__ import annotations

import torch
from torch import Tensor

from shaketable.errors import InputError, ShapeError
from shaketable.files import array_sha256
from shaketable.maps.masks import checked_mask
from shaketable.maps.shapes import at_precision, require_batch, require_precision


class MultiCoilFourierMap:
    """What several receive coils see of an image, each in Fourier space, followed by a mask.

    ``(A x)_c = P F (S_c x)`` with the sensitivities ``S_c``, the unitary 2-D FFT ``F`` and the mask
    ``P``, the same for all coils. The data stay on the full grid and are zero where nothing was
    sampled. The adjoint is ``A* y = Σ_c conj(S_c) F* P y_c``; where the coil maps have a root sum of
    squares of 1 and all is sampled it inverts ``A``.

    Parameters
    ----------
    mask
        ``(H, W)``, 1 or True = sampled, DC at ``[0, 0]``.
    coils
        ``(C, H, W)`` complex, as :func:`shaketable.maps.birdcage_coils` or :func:`shaketable.maps.
        espirit_coils` give them. In double precision both precisions of images are exact.

    Raises
    ------
    InputError
        If the mask is not one, or the coil maps are all zero, not finite or not numbers.
    ShapeError
        If mask and coil maps are not of one ``(H, W)``.

    References
    ----------
    Pruessmann, Weiger, Scheidegger, Boesiger: "SENSE: sensitivity encoding for fast MRI", Magn.
    Reson. Med. 42 (1999).

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps import birdcage_coils
    >>> A = MultiCoilFourierMap(torch.eye(8), birdcage_coils(4, (8, 8)))
    >>> A(torch.ones(2, 8, 8)).shape, A.adjoint(torch.ones(2, 4, 8, 8)).shape
    (torch.Size([2, 4, 8, 8]), torch.Size([2, 8, 8]))
    """

    def __init__(self, mask: Tensor, coils: Tensor) -> None:
        self.mask = checked_mask(mask)
        self.coils = _checked_coils(coils, tuple(self.mask.shape))
        self._cast: dict[tuple[torch.dtype, torch.device], Tensor] = {}

    @property
    def image_shape(self) -> tuple[int, int]:
        """``(H, W)``."""
        return (self.mask.shape[0], self.mask.shape[1])

    def __getstate__(self) -> dict[str, object]:
        """Without the coil maps in other precisions, which are made again when they are needed."""
        return {**self.__dict__, "_cast": {}}

    @property
    def data_shape(self) -> tuple[int, int, int]:
        """``(C, H, W)``, DC at ``[0, 0]``."""
        return (len(self.coils), *self.image_shape)

    @property
    def sampled(self) -> Tensor:
        """The mask as a boolean ``(C, H, W)`` tensor, the same for all coils."""
        return self.mask.expand(self.data_shape)

    @property
    def rate(self) -> float:
        """The share of sampled positions."""
        return float(self.mask.sum()) / self.mask.numel()

    def describe(self) -> dict[str, object]:
        """Return what the record of a run says about this map."""
        return {
            "type": "multi-coil-fourier",
            "shape": list(self.image_shape),
            "n_coils": len(self.coils),
            "coils_sha256": array_sha256(self.coils.detach().cpu().numpy()),
            "rate": self.rate,
        }

    def __call__(self, image: Tensor) -> Tensor:
        """``(B, H, W)`` real or complex -> ``(B, C, H, W)`` complex, zero where not sampled."""
        require_batch(image, self.image_shape, "image")
        require_precision(image)
        seen = self._coils_for(image) * image[:, None]
        data: Tensor = torch.fft.fft2(seen, norm="ortho") * self.mask.to(image.device)
        return data

    def adjoint(self, data: Tensor) -> Tensor:
        """``(B, C, H, W)`` -> ``(B, H, W)`` complex: the coils' zero-filled images combined."""
        require_batch(data, self.data_shape, "data")
        require_precision(data)
        seen: Tensor = torch.fft.ifft2(data * self.mask.to(data.device), norm="ortho")
        return (self._coils_for(data).conj() * seen).sum(dim=1)

    def _coils_for(self, x: Tensor) -> Tensor:
        """The coil maps in the precision and on the device of an argument."""
        key = (at_precision(x.dtype, complex_valued=True), x.device)
        if key not in self._cast:
            self._cast[key] = self.coils.to(dtype=key[0], device=key[1])
        return self._cast[key]


def _checked_coils(coils: Tensor, image_shape: tuple[int, ...]) -> Tensor:
    coils = torch.as_tensor(coils)
    if not (coils.is_complex() or coils.is_floating_point()):
        raise InputError(
            f"Expected coil maps as complex numbers, got {coils.dtype}; convert them, for example "
            "with coils.to(torch.complex64)."
        )
    if coils.ndim != 3 or tuple(coils.shape[1:]) != image_shape or len(coils) == 0:
        height, width = image_shape
        raise ShapeError(
            f"Expected coil maps of shape (C, {height}, {width}), as the mask, got "
            f"{tuple(coils.shape)}; make both for the same images.",
            expected=(-1, *image_shape),
            got=tuple(coils.shape),
        )
    coils = coils.to(at_precision(coils.dtype, complex_valued=True))
    if not bool(torch.view_as_real(coils).isfinite().all()) or not bool((coils != 0).any()):
        raise InputError(
            "Expected finite coil maps that are not all zero, got others; look at how they were "
            "made."
        )
    return coils
