"""MRI-VN: the variational network, gradient descent with learned filters and activations."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from shaketable.errors import InputError
from shaketable.protocols import ForwardMap
from shaketable.zoo.mirroring import mirror
from shaketable.zoo.mri_vn.radial_activation import radial_activation

_FIRST_HEIGHT = 0.04
_FIRST_DATA_WEIGHT = 0.2


class FieldOfExperts(nn.Module):
    """The gradient of a learned regulariser: filters, activations, the same filters transposed.

    ``K(x) = (1/F) Σ_f k_f^T * φ_f(k_f * x)``, with complex images as two real channels, the image
    continued by mirroring over ``kernel_size - 1`` pixels beyond its border, and the activations of
    :func:`shaketable.zoo.mri_vn.radial_activation.radial_activation`.

    Parameters
    ----------
    n_filters, kernel_size, n_centres
        Number of filters, their height and width (odd), Gaussians per activation.
    """

    def __init__(self, n_filters: int, kernel_size: int, n_centres: int) -> None:
        super().__init__()
        self.kernels = nn.Parameter(torch.randn(n_filters, 2, kernel_size, kernel_size))
        # A gentle shrinkage of every response, as BART begins with.
        ramp = _FIRST_HEIGHT * torch.linspace(-1, 1, n_centres)
        self.weights = nn.Parameter(ramp.repeat(n_filters, 1))
        self.project_()

    @torch.no_grad()
    def project_(self) -> None:
        """Make every filter's real and imaginary part of zero mean, and the filter of unit norm."""
        centred = self.kernels - self.kernels.mean(dim=(2, 3), keepdim=True)
        norms = torch.linalg.vector_norm(centred, dim=(1, 2, 3), keepdim=True)
        self.kernels.copy_(centred / norms)

    def forward(self, channels: Tensor) -> Tensor:
        """``(B, 2, H, W)`` real -> ``(B, 2, H, W)``."""
        n_filters, _, size, _ = self.kernels.shape
        margin = size - 1
        height, width = channels.shape[-2:]
        # Channels last, which costs a copy and makes both convolutions a third faster on a CPU.
        continued = mirror(channels, margin).contiguous(memory_format=torch.channels_last)
        responses = functional.conv2d(continued, self.kernels)
        activated = radial_activation(responses, self.weights)
        back = functional.conv_transpose2d(activated, self.kernels)
        inside: Tensor = back[:, :, margin : margin + height, margin : margin + width]
        return inside / n_filters


class MRIVN(nn.Module):
    """The variational network of Hammernik et al. (2018), which Antun et al. (2020) call MRI-VN.

    With ``b = A* y / s``, ``s = max |A* y|``, it takes ``x_0 = b`` and in stage ``t``

    ``x_t = x_{t-1} - λ_t (A* A x_{t-1} - b) - K_t(x_{t-1})``,

    with ``K_t`` a :class:`FieldOfExperts`, and returns ``s x_T``: what units the data have does not
    matter. The forward map is used through ``A`` and ``A*`` only, so the same weights serve any
    number of coils, any sampling and any image size; the coil maps belong to the map.

    Parameters
    ----------
    n_stages, n_filters, kernel_size, n_centres
        The published network has 10 stages of 24 filters of 11x11 and 31 Gaussians.

    References
    ----------
    Hammernik, Klatzer, Kobler, Recht, Sodickson, Pock, Knoll: Learning a variational network for
    reconstruction of accelerated MRI data. Magn. Reson. Med. 79, 2018. Scaling, padding and the
    division by the number of filters as in BART (``bart reconet --network varnet --normalize``).

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps import MultiCoilFourierMap, birdcage_coils
    >>> A = MultiCoilFourierMap(torch.ones(8, 8), birdcage_coils(3, (8, 8)))
    >>> network = MRIVN(n_stages=2, n_filters=4, kernel_size=3)
    >>> x = torch.rand(2, 8, 8).to(torch.complex64)
    >>> network(A(x), A).shape, network(A(x), A).dtype
    (torch.Size([2, 8, 8]), torch.complex64)
    """

    def __init__(
        self,
        n_stages: int = 10,
        n_filters: int = 24,
        kernel_size: int = 11,
        n_centres: int = 31,
    ) -> None:
        super().__init__()
        if min(n_stages, n_filters) < 1 or n_centres < 2 or kernel_size < 3 or kernel_size % 2 == 0:
            raise InputError(
                "Expected at least 1 stage, 1 filter, 2 Gaussians and an odd kernel size from 3, "
                f"got {n_stages}, {n_filters}, {n_centres} and {kernel_size}; the published network "
                "has 10, 24, 31 and 11."
            )
        self.data_weights = nn.Parameter(torch.full((n_stages,), _FIRST_DATA_WEIGHT))
        self.regularisers = nn.ModuleList(
            FieldOfExperts(n_filters, kernel_size, n_centres) for _ in range(n_stages)
        )

    def forward(self, data: Tensor, forward: ForwardMap) -> Tensor:
        """Reconstruct a batch of images.

        Parameters
        ----------
        data
            ``(B, *forward.data_shape)``, in any unit.
        forward
            The forward map, of images ``(H, W)``.

        Returns
        -------
        Tensor
            ``(B, H, W)`` complex, in the unit of the data and the precision of the parameters.
        """
        if data.ndim != 1 + len(forward.data_shape) or len(forward.image_shape) != 2:
            raise InputError(
                f"Expected data of shape (B, {', '.join(map(str, forward.data_shape))}) of images "
                f"(H, W), got {tuple(data.shape)}; the variational network works on whole images, "
                "batch first."
            )
        double = self.data_weights.dtype == torch.float64
        data = data.to(torch.complex128 if double else torch.complex64)
        back = forward.adjoint(data)
        scale = back.abs().amax(dim=(1, 2), keepdim=True)
        start = back / torch.where(scale > 0, scale, 1)
        image = start
        for weight, regulariser in zip(self.data_weights, self.regularisers, strict=True):
            residual = forward.adjoint(forward(image)) - start
            image = image - weight * residual - _complex(regulariser(_channels(image)))
        return scale * image

    def project_(self) -> None:
        """Make all filters of zero mean and unit norm, after a step that moved them."""
        for regulariser in self.regularisers:
            assert isinstance(regulariser, FieldOfExperts)  # noqa: S101 - ModuleList forgets it
            regulariser.project_()


def _channels(image: Tensor) -> Tensor:
    """``(B, H, W)`` complex -> ``(B, 2, H, W)``: real part, imaginary part."""
    return torch.stack([image.real, image.imag], dim=1)


def _complex(channels: Tensor) -> Tensor:
    """``(B, 2, H, W)`` real -> ``(B, H, W)`` complex."""
    return torch.complex(channels[:, 0], channels[:, 1])
