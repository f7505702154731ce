"""Deep MRI: a cascade of residual convolutional networks with hard data consistency."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from shaketable.errors import InputError
from shaketable.protocols import ForwardMap


def data_consistency(image: Tensor, data: Tensor, sampled: Tensor) -> Tensor:
    """Put the measured Fourier coefficients back into an image.

    Returns ``F* (P y + (1 - P) F x)`` with ``F`` the unitary FFT and ``P`` the sampling mask.

    Parameters
    ----------
    image
        ``(B, H, W)`` complex.
    data
        ``(B, H, W)`` complex, DC at ``[0, 0]``; values where nothing was sampled are ignored.
    sampled
        ``(H, W)`` or ``(B, H, W)`` boolean.

    Examples
    --------
    >>> import torch
    >>> y = torch.randn(1, 4, 4, dtype=torch.complex64)
    >>> everything = torch.ones(4, 4, dtype=torch.bool)
    >>> x = data_consistency(torch.zeros_like(y), y, everything)
    >>> torch.allclose(torch.fft.fft2(x, norm="ortho"), y, atol=1e-6)
    True
    """
    coefficients = torch.fft.fft2(image, norm="ortho")
    result: Tensor = torch.fft.ifft2(torch.where(sampled, data, coefficients), norm="ortho")
    return result


class ResidualBlock(nn.Module):
    """Convolutions with ReLU between them, added to their input.

    Parameters
    ----------
    n_features
        Channels of the hidden layers.
    n_convolutions
        Number of 3x3 convolutions, at least 2.
    """

    def __init__(self, n_features: int, n_convolutions: int) -> None:
        super().__init__()
        channels = [2, *[n_features] * (n_convolutions - 1), 2]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(n_in, n_out, kernel_size=3, padding=1) for n_in, n_out in pairwise(channels)
        )

    def forward(self, channels: Tensor) -> Tensor:
        """``(B, 2, H, W)`` real -> ``(B, 2, H, W)``."""
        hidden = channels
        for convolution in self.convolutions[:-1]:
            hidden = torch.relu(convolution(hidden))
        # Under autocast the convolutions answer in bfloat16; the sum keeps the image's precision.
        correction: Tensor = self.convolutions[-1](hidden)
        return channels + correction.to(channels.dtype)


class DeepMRI(nn.Module):
    """The network D5C5 of Schlemper et al. (2018), which Antun et al. (2020) call Deep MRI.

    Starting from the zero-filled image ``x_0 = F* P y``, each cascade computes
    ``x_{k+1} = DC(x_k + CNN_k(x_k), y)`` with :func:`data_consistency` as ``DC``. The mask ``P`` is
    taken from the forward map, so the same weights serve any single-coil Fourier sampling and any
    image size. Complex images are two real channels inside the convolutions only.

    Parameters
    ----------
    n_cascades
        Number of cascades; the published network has 5.
    n_convolutions
        Convolutions per cascade; the published network has 5.
    n_features
        Channels of the hidden layers; the published network has 64.

    References
    ----------
    Schlemper, Caballero, Hajnal, Price, Rueckert: A deep cascade of convolutional neural networks
    for dynamic MR image reconstruction. IEEE Trans. Med. Imaging 37(2), 2018.

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps.fourier import FourierMap
    >>> network = DeepMRI(n_cascades=1, n_convolutions=2, n_features=4)
    >>> A = FourierMap(torch.eye(8))
    >>> y = A(torch.ones(2, 8, 8))
    >>> network(y, A).shape, network(y, A).dtype
    (torch.Size([2, 8, 8]), torch.complex64)
    """

    def __init__(self, n_cascades: int = 5, n_convolutions: int = 5, n_features: int = 64) -> None:
        super().__init__()
        if n_cascades < 1 or n_convolutions < 2 or n_features < 1:
            raise InputError(
                "Expected at least 1 cascade, 2 convolutions and 1 feature, got "
                f"{n_cascades}, {n_convolutions} and {n_features}; the published network has "
                "5, 5 and 64."
            )
        self.cascades = nn.ModuleList(
            ResidualBlock(n_features, n_convolutions) for _ in range(n_cascades)
        )

    def forward(self, data: Tensor, forward: ForwardMap) -> Tensor:
        """Reconstruct a batch of images.

        Parameters
        ----------
        data
            ``(B, H, W)`` complex, DC at ``[0, 0]``, in the units the network was trained in
            (the brightest pixel of the image near 1).
        forward
            The forward map; only its ``sampled`` is used.

        Returns
        -------
        Tensor
            ``(B, H, W)`` complex, in the precision of the network's parameters.
        """
        sampled = forward.sampled
        if sampled is None:
            sampled = torch.ones(data.shape[-2:], dtype=torch.bool)
        return self.reconstruct(data, sampled.to(data.device))

    def reconstruct(self, data: Tensor, sampled: Tensor) -> Tensor:
        """Reconstruct with a mask for every image: ``data`` and ``sampled`` are ``(B, H, W)``."""
        if data.ndim != 3:
            raise InputError(
                f"Expected single-coil data of shape (B, H, W), got {tuple(data.shape)}; "
                "Deep MRI works on one coil, batch first."
            )
        parameter = next(self.parameters())
        data = data.to(torch.complex128 if parameter.dtype == torch.float64 else torch.complex64)
        image = data_consistency(torch.zeros_like(data), data, sampled)
        for cascade in self.cascades:
            image = data_consistency(_complex(cascade(_channels(image))), data, sampled)
        return image


def _channels(image: Tensor) -> Tensor:
    """``(B, H, W)`` complex -> ``(B, 2, H, W)``: real part, imaginary part."""
    # The permuted view is already in channels-last order, which the convolutions run fastest on.
    return torch.view_as_real(image).permute(0, 3, 1, 2)


def _complex(channels: Tensor) -> Tensor:
    """``(B, 2, H, W)`` real -> ``(B, H, W)`` complex."""
    return torch.view_as_complex(channels.permute(0, 2, 3, 1).contiguous())
