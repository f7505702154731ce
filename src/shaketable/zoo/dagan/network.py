"""DAGAN: a U-Net that removes the aliasing of a zero-filled magnitude image."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from shaketable.errors import InputError
from shaketable.protocols import ForwardMap

_SLOPE = 0.2
# As TensorLayer's layers have them, which the publication was trained with.
_EPSILON = 1e-5
_MOMENTUM = 0.1
_LEAST_LEVELS = 5


class BatchNorm(nn.Module):
    """Batch normalisation without the counter that PyTorch's keeps: its state is floating point.

    Parameters
    ----------
    n_channels
        Channels of ``(B, C, H, W)``.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n_channels))
        self.bias = nn.Parameter(torch.zeros(n_channels))
        self.register_buffer("running_mean", torch.zeros(n_channels))
        self.register_buffer("running_var", torch.ones(n_channels))

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)``; by the statistics of the batch in training, else by the running ones."""
        return functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training,
            _MOMENTUM, _EPSILON,
        )  # fmt: skip


class DAGANGenerator(nn.Module):
    """The U-Net of DAGAN with "refinement": it predicts what is to be added to its input.

    Down: ``L`` convolutions 4x4 with stride 2, batch normalisation and leaky ReLU (slope 0.2) after
    all but the first (neither) and the last (no normalisation). Up: ``L`` transposed convolutions
    4x4 with stride 2, batch normalisation, ReLU, each but the last joined with the level of its
    size on the way down. Then 1x1, tanh, plus the input, limited to [-1, 1].

    Parameters
    ----------
    width
        Channels of the first level; the published network has 64, and 512 at the bottom.
    n_levels
        ``L``; the published network has 8, for 256x256. Height and width of an image are multiples
        of ``2^L``.
    """

    def __init__(self, width: int = 64, n_levels: int = 8) -> None:
        super().__init__()
        if width < 1 or n_levels < _LEAST_LEVELS:
            raise InputError(
                f"Expected a width of at least 1 and at least {_LEAST_LEVELS} levels, got {width} "
                f"and {n_levels}; the published network has 64 and 8."
            )
        down = [width * min(2**level, 8) for level in range(n_levels)]
        up = [width * n for n in (8, *[16] * (n_levels - 5), 4, 2, 1, 1)]
        self.down = nn.ModuleList(
            nn.Conv2d(n_in, n_out, 4, stride=2, padding=1)
            for n_in, n_out in zip([1, *down[:-1]], down, strict=True)
        )
        self.down_norms = nn.ModuleList(BatchNorm(n) for n in down[1:-1])
        joined = [down[-1], *[a + b for a, b in zip(up[:-1], reversed(down[:-1]), strict=True)]]
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1)
            for n_in, n_out in zip(joined, up, strict=True)
        )
        self.up_norms = nn.ModuleList(BatchNorm(n) for n in up)
        self.last = nn.Conv2d(up[-1], 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        """``(B, 1, H, W)`` in [-1, 1] -> ``(B, 1, H, W)`` in [-1, 1]."""
        levels = [self.down[0](image)]
        for convolution, norm in zip(self.down[1:-1], self.down_norms, strict=True):
            levels.append(functional.leaky_relu(norm(convolution(levels[-1])), _SLOPE))
        hidden = functional.leaky_relu(self.down[-1](levels[-1]), _SLOPE)
        for convolution, norm in zip(self.up, self.up_norms, strict=True):
            hidden = torch.relu(norm(convolution(hidden)))
            if levels:
                hidden = torch.cat([hidden, levels.pop()], dim=1)
        correction: Tensor = torch.tanh(self.last(hidden))
        return (correction.to(image.dtype) + image).clamp(-1, 1)


class DAGAN(nn.Module):
    """De-aliasing of Yang et al. (2018): the generator on the magnitude of the zero-filled image.

    ``f(y) = (G(2 |A* y| - 1) + 1) / 2`` for real images in [0, 1]. The forward map is used through
    ``A*`` only: nothing keeps the output close to the data.

    Parameters
    ----------
    width, n_levels
        Of :class:`DAGANGenerator`.

    References
    ----------
    Yang et al.: DAGAN: deep de-aliasing generative adversarial networks for fast compressed sensing
    MRI reconstruction. IEEE Trans. Med. Imaging 37(6), 2018.

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps.fourier import FourierMap
    >>> A = FourierMap(torch.ones(32, 32))
    >>> network = DAGAN(width=2, n_levels=5).eval()
    >>> network(A(torch.rand(2, 32, 32)), A).shape
    torch.Size([2, 32, 32])
    """

    def __init__(self, width: int = 64, n_levels: int = 8) -> None:
        super().__init__()
        self.generator = DAGANGenerator(width, n_levels)

    def forward(self, data: Tensor, forward: ForwardMap) -> Tensor:
        """Reconstruct a batch of images.

        Parameters
        ----------
        data
            ``(B, *forward.data_shape)``, of images with values in [0, 1].
        forward
            The forward map of images ``(H, W)``, both multiples of ``2^n_levels``.

        Returns
        -------
        Tensor
            ``(B, H, W)`` real, in the precision of the parameters.
        """
        multiple = 2 ** len(self.generator.down)
        if len(forward.image_shape) != 2 or any(n % multiple for n in forward.image_shape):
            raise InputError(
                f"Expected images of height and width that are multiples of {multiple}, got "
                f"{tuple(forward.image_shape)}; this network halves them "
                f"{len(self.generator.down)} times."
            )
        if data.ndim != 1 + len(forward.data_shape):
            raise InputError(
                f"Expected data of shape (B, {', '.join(map(str, forward.data_shape))}), got "
                f"{tuple(data.shape)}; DAGAN works on whole images, batch first."
            )
        aliased = forward.adjoint(data).abs().to(self.generator.last.weight.dtype)
        refined: Tensor = self.generator(2 * aliased[:, None] - 1)
        return (refined[:, 0] + 1) / 2


class DAGANDiscriminator(nn.Module):
    """Tells reconstructions from images; used in training only.

    Six convolutions 4x4 with stride 2 up to 32 times ``width`` channels, two of 1x1, a residual
    block, one dense layer; batch normalisation after all but the first, leaky ReLU (slope 0.2).

    Parameters
    ----------
    width
        Channels of the first layer; 64 in the publication.
    size
        Height and width of the images, a multiple of 64.
    """

    def __init__(self, width: int = 64, size: int = 256) -> None:
        super().__init__()
        if width < 1 or size < 64 or size % 64:
            raise InputError(
                f"Expected a width of at least 1 and a size that is a multiple of 64, got {width} "
                f"and {size}; the published discriminator has 64 and 256."
            )
        channels = [1, *[width * 2**level for level in range(6)]]
        shrinking: list[nn.Module] = [nn.Conv2d(1, width, 4, stride=2, padding=1), _leaky()]
        for n_in, n_out in pairwise(channels[1:]):
            shrinking += [
                nn.Conv2d(n_in, n_out, 4, stride=2, padding=1),
                BatchNorm(n_out),
                _leaky(),
            ]
        self.shrinking = nn.Sequential(*shrinking)
        self.mixing = nn.Sequential(
            nn.Conv2d(32 * width, 16 * width, 1), BatchNorm(16 * width), _leaky(),
            nn.Conv2d(16 * width, 8 * width, 1), BatchNorm(8 * width),
        )  # fmt: skip
        self.residual = nn.Sequential(
            nn.Conv2d(8 * width, 2 * width, 1), BatchNorm(2 * width), _leaky(),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1), BatchNorm(2 * width), _leaky(),
            nn.Conv2d(2 * width, 8 * width, 3, padding=1), BatchNorm(8 * width),
        )  # fmt: skip
        self.last = nn.Linear(8 * width * (size // 64) ** 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        """``(B, 1, size, size)`` in [-1, 1] -> ``(B,)`` logits, large for what looks real."""
        mixed = self.mixing(self.shrinking(image))
        hidden = functional.leaky_relu(mixed + self.residual(mixed), _SLOPE)
        logits: Tensor = self.last(hidden.flatten(1))[:, 0]
        return logits


def _leaky() -> nn.LeakyReLU:
    return nn.LeakyReLU(_SLOPE)
