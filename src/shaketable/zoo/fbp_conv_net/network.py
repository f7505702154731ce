"""FBPConvNet: a U-Net that predicts what filtered back-projection got wrong."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from shaketable.errors import InputError, ShapeError
from shaketable.maps.back_projection import filtered_back_projection
from shaketable.protocols import ForwardMap

_N_POOLINGS = 4
# The published first level has one convolution more than the others.
_N_FIRST = 3
_N_OTHERS = 2
# MatConvNet adds this to the variance that it divides by.
_EPSILON = 1e-4
# An image weaker than this counts as empty.
_SMALLEST_SCALE = 1e-12


class NormalizedConvolution(nn.Module):
    """Convolution, normalisation by the statistics of each image, ReLU.

    Parameters
    ----------
    n_in, n_out
        Channels.
    upsample
        A transposed convolution that doubles height and width instead.
    """

    def __init__(self, n_in: int, n_out: int, *, upsample: bool = False) -> None:
        super().__init__()
        self.convolution: nn.Conv2d | nn.ConvTranspose2d = (
            nn.ConvTranspose2d(n_in, n_out, 3, stride=2)
            if upsample
            else nn.Conv2d(n_in, n_out, 3, padding=1)
        )
        # Batch normalisation with the statistics of one image is instance normalisation.
        self.normalization = nn.InstanceNorm2d(n_out, eps=_EPSILON, affine=True)

    def forward(self, features: Tensor) -> Tensor:
        """``(B, n_in, H, W) -> (B, n_out, H, W)``, twice as high and wide after upsampling."""
        convolved = self.convolution(features)
        if isinstance(self.convolution, nn.ConvTranspose2d):
            # The published network cuts off the last row and column of 2 H + 1.
            convolved = convolved[..., :-1, :-1]
        return torch.relu(self.normalization(convolved))


class FBPConvNet(nn.Module):
    """The network of Jin et al. (2017), which Antun et al. (2020) call Ell 50 and Med 50.

    ``f(y, A) = b + U(b)`` with ``b`` the filtered back-projection of the data and ``U`` a U-Net of
    five levels: three convolutions on the first level, two on each other, features doubled and the
    image halved by max pooling from level to level; back up by transposed convolutions, with the
    features of the way down beside them; a 1x1 convolution at the end. Every convolution but the last
    is followed by batch normalisation and ReLU.

    **Batch normalisation always uses the statistics of the current image**, in evaluation as in
    training, as the published programs do. They run one image at a time. Here each image of a batch
    has its own statistics, which is the same number for one image and makes the result for an image
    independent of its neighbours: statistics over the whole batch would let a perturbation of
    one image change the others, and records would depend on how images were grouped.

    Normalisation removes the scale of what enters the first convolution, so that ``U(s b) = U(b)`` for
    ``s > 0``: as published, the correction does not grow with the image, and the images have to be in
    the units of training. With ``equivariant`` the network computes ``b + |b| U(b)`` with ``|b|``
    the root mean square of ``b``, so that ``f(s y) = s f(y)``, as for the map itself: units do not
    matter. The networks that are trained for this package are equivariant.

    Parameters
    ----------
    width
        Features of the first level; the published networks have 64 (and 34.5 million weights).
    equivariant
        Scale the correction with the image.

    References
    ----------
    Jin, McCann, Froustey, Unser: "Deep convolutional neural network for inverse problems in imaging",
    IEEE TIP 26 (2017), section III and Fig. 2.

    Examples
    --------
    >>> import torch
    >>> from shaketable.maps.radon import RadonMap
    >>> network = FBPConvNet(width=2)
    >>> A = RadonMap([0.0, 0.8, 1.6], (32, 32))
    >>> network(A(torch.ones(2, 32, 32)), A).shape
    torch.Size([2, 32, 32])
    """

    def __init__(self, width: int = 64, *, equivariant: bool = False) -> None:
        super().__init__()
        if width < 1:
            raise InputError(
                f"Expected at least 1 feature, got {width}; the published networks have 64."
            )
        self.width = width
        # Stored with the weights, because it decides what they compute.
        self.scaling = nn.Buffer(torch.tensor(float(equivariant)))
        widths = [width * 2**level for level in range(_N_POOLINGS + 1)]
        self.down = nn.ModuleList(
            _level(1 if level == 0 else widths[level - 1], n, _N_OTHERS if level else _N_FIRST)
            for level, n in enumerate(widths)
        )
        upward = [(widths[level + 1], widths[level]) for level in reversed(range(_N_POOLINGS))]
        self.enlarge = nn.ModuleList(
            NormalizedConvolution(n_in, n_out, upsample=True) for n_in, n_out in upward
        )
        self.up = nn.ModuleList(_level(2 * n_out, n_out, _N_OTHERS) for _, n_out in upward)
        self.last = nn.Conv2d(width, 1, 1)

    def forward(self, data: Tensor, forward: ForwardMap) -> Tensor:
        """Reconstruct a batch of images.

        Parameters
        ----------
        data
            ``(B, n_angles, n_detectors)`` real, image values times pixels.
        forward
            The :class:`shaketable.RadonMap` that the data came from.

        Returns
        -------
        Tensor
            ``(B, H, W)`` real, in the precision of the network's parameters.

        Raises
        ------
        InputError
            If the map is not a RadonMap or the data are complex.
        ShapeError
            If the image cannot be halved four times and have statistics then.
        """
        if data.is_complex():
            raise InputError(
                "Expected real data for FBPConvNet, got complex; CT images are real: use "
                "Problem(real=True)."
            )
        data = data.to(next(self.parameters()).dtype)
        return self.correct(filtered_back_projection(data, forward))

    def correct(self, image: Tensor, scale: Tensor | None = None) -> Tensor:
        """Correct filtered back-projections.

        Parameters
        ----------
        image
            ``(B, H, W)`` filtered back-projections, or parts of them.
        scale
            ``(B, 1, 1)`` root mean squares of the whole images; of ``image`` if not given.

        Returns
        -------
        Tensor
            ``(B, H, W)``.
        """
        _require_levels(image)
        if not self.equivariant:
            return image + self._correction(image)
        if scale is None:
            scale = root_mean_square(image)
        return image + scale * self._correction(image / scale)

    @property
    def equivariant(self) -> bool:
        """Whether the correction is scaled with the image."""
        return bool(self.scaling)

    def _correction(self, image: Tensor) -> Tensor:
        features = image[:, None]
        kept = []
        for level, convolutions in enumerate(self.down):
            features = convolutions(nn.functional.max_pool2d(features, 2) if level else features)
            kept.append(features)
        for enlarge, convolutions, beside in zip(
            self.enlarge, self.up, reversed(kept[:-1]), strict=True
        ):
            features = convolutions(torch.cat([beside, enlarge(features)], dim=1))
        # Under autocast the convolutions answer in bfloat16; the sum keeps the image's precision.
        correction: Tensor = self.last(features)[:, 0].to(image.dtype)
        return correction


def _require_levels(image: Tensor) -> None:
    """The lowest level needs whole pixels, and two of them: one has no statistics."""
    height, width = image.shape[-2:]
    step = 2**_N_POOLINGS
    if height % step or width % step or height * width < 2 * step**2:
        raise ShapeError(
            f"Expected height and width that are multiples of {step} and not both {step}, got "
            f"{(height, width)}; resize or pad the images.",
            expected=(step, 2 * step),
            got=(height, width),
        )


def root_mean_square(image: Tensor) -> Tensor:
    """``(B, H, W) -> (B, 1, 1)``."""
    mean_square = image.square().mean(dim=(1, 2), keepdim=True)
    return mean_square.clamp_min(_SMALLEST_SCALE**2).sqrt()


def _level(n_in: int, n_out: int, count: int) -> nn.Sequential:
    return nn.Sequential(
        *(NormalizedConvolution(n_out if number else n_in, n_out) for number in range(count))
    )
