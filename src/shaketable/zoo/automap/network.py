"""AUTOMAP: from Fourier samples to the image through two dense layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from shaketable.errors import InputError
from shaketable.protocols import ForwardMap
from shaketable.zoo.mirroring import mirror

# What the dense layers see is this times the FFT without a factor, as in the published network.
_GAIN = 0.00375
_MARGIN = 4


class AUTOMAP(nn.Module):
    """The network of Zhu et al. (2018), as Antun et al. (2020) tested it.

    ``v = 0.00375 √n (Re y_p, -Im y_p)`` holds the samples in one fixed order of points ``p``, with
    ``n`` pixels and the unitary FFT. Then ``z = W₂ tanh(W₁ v + b₁) + b₂`` less its mean, as an
    image mirrored over 4 pixels beyond its border; 5x5 convolution, tanh; 5x5 convolution, ReLU; 7x7
    transposed convolution to one channel; cropped.

    That leaves the mean of the image open: the publication compares images less their means. Here
    it is the measured one, ``Re y_0 / √n``.

    Parameters
    ----------
    positions
        ``(m, 2)`` rows and columns of the points, whole numbers, DC at ``[0, 0]`` among them; 9855 in
        the publication. They are stored with the weights, which mean nothing without their order.
    image_shape
        ``(H, W)``; 128x128 in the publication.
    n_hidden
        Width of the first dense layer; 25000 in the publication.
    n_features
        Channels of the convolutions; 64 in the publication.

    References
    ----------
    Zhu, Liu, Cauley, Rosen, Rosen: Image reconstruction by domain-transform manifold learning.
    Nature 555, 2018.

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps.fourier import FourierMap
    >>> A = FourierMap(torch.rand(8, 8).fill_diagonal_(1) > 0.4)
    >>> network = AUTOMAP(A.mask.nonzero(), (8, 8), n_hidden=5, n_features=2)
    >>> network(A(torch.rand(3, 8, 8)), A).shape
    torch.Size([3, 8, 8])
    """

    positions: Tensor

    def __init__(
        self,
        positions: Tensor,
        image_shape: tuple[int, int] = (128, 128),
        n_hidden: int = 25000,
        n_features: int = 64,
    ) -> None:
        super().__init__()
        positions = _checked_positions(positions, image_shape)
        if n_hidden < 1 or n_features < 1:
            raise InputError(
                f"Expected at least one hidden unit and one feature, got {n_hidden} and "
                f"{n_features}; the published network has 25000 and 64."
            )
        self.image_shape = image_shape
        height, width = image_shape
        self.register_buffer("positions", positions.to(torch.get_default_dtype()))
        self.dense1 = nn.Linear(2 * len(positions), n_hidden)
        self.dense2 = nn.Linear(n_hidden, height * width)
        self.convolution1 = nn.Conv2d(1, n_features, 5, padding=2)
        self.convolution2 = nn.Conv2d(n_features, n_features, 5, padding=2)
        self.transposed = nn.ConvTranspose2d(n_features, 1, 7, padding=3)

    def forward(self, data: Tensor, forward: ForwardMap) -> Tensor:
        """Reconstruct a batch of images.

        Parameters
        ----------
        data
            ``(B, H, W)`` complex, DC at ``[0, 0]``, of images with values in [0, 1].
        forward
            The forward map; it has to sample all points of the network. What else it samples is
            not used.

        Returns
        -------
        Tensor
            ``(B, H, W)`` real, in the precision of the parameters.

        Raises
        ------
        InputError
            If the images have another shape, or a point of the network is not sampled: a dense
            layer cannot do with other points.
        """
        if data.ndim != 3 or tuple(data.shape[1:]) != tuple(self.image_shape):
            raise InputError(
                f"Expected single-coil data of shape (B, {self.image_shape[0]}, "
                f"{self.image_shape[1]}), got {tuple(data.shape)}; AUTOMAP knows one size of image."
            )
        rows, columns = self.positions.long().unbind(1)
        sampled = forward.sampled
        if sampled is not None:
            n_missing = int((~sampled.to(rows.device)[rows, columns]).sum())
            if n_missing:
                raise InputError(
                    f"Expected the {len(rows)} points that AUTOMAP was trained with to be sampled, "
                    f"got a map without {n_missing} of them; other samplings are not applicable to "
                    "it."
                )
        mean = data[:, 0, 0].real / data[0].numel() ** 0.5
        return self.reconstruct(self.inputs(data), mean)

    def inputs(self, data: Tensor) -> Tensor:
        """``(B, H, W)`` complex data -> ``(B, 2 m)``: what the first dense layer sees."""
        rows, columns = self.positions.long().unbind(1)
        samples = _GAIN * data[0].numel() ** 0.5 * data[:, rows, columns]
        return torch.cat([samples.real, -samples.imag], dim=1).to(self.positions.dtype)

    def reconstruct(self, inputs: Tensor, mean: Tensor) -> Tensor:
        """``(B, 2 m)`` inputs and the means ``(B,)`` of the images -> ``(B, H, W)``."""
        values = self.dense2(torch.tanh(self.dense1(inputs)))
        values = values - values.mean(dim=1, keepdim=True)
        hidden = mirror(values.reshape(-1, 1, *self.image_shape), _MARGIN)
        hidden = torch.tanh(self.convolution1(hidden))
        hidden = functional.relu(self.convolution2(hidden))
        image = self.transposed(hidden)[:, 0, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
        result: Tensor = image + (mean.to(image.dtype) - image.mean(dim=(1, 2)))[:, None, None]
        return result


def _checked_positions(positions: Tensor, image_shape: tuple[int, int]) -> Tensor:
    height, width = image_shape
    whole = positions.ndim == 2 and positions.shape[-1] == 2 and len(positions) > 0
    if whole:
        rows, columns = positions.long().unbind(1)
        flat = (rows * width + columns).tolist()
        inside = bool(((rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)).all())
        whole = inside and bool((positions == positions.long()).all())
        whole = whole and len(set(flat)) == len(flat) and 0 in flat
    if not whole:
        raise InputError(
            f"Expected different whole positions (m, 2) inside {height}x{width}, DC at (0, 0) among "
            f"them, got {tuple(positions.shape)}; take mask.nonzero() of a mask with DC at [0, 0]."
        )
    return positions
