"""The four losses of DAGAN's generator, and the one of its discriminator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

Features = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """Weights of the terms, as published.

    Parameters
    ----------
    image, fourier, perceptual, adversarial
        See :func:`generator_loss`.
    """

    image: float = 15.0
    fourier: float = 0.1
    perceptual: float = 0.0025
    adversarial: float = 1.0


def generator_loss(
    estimate: Tensor,
    truth: Tensor,
    logits: Tensor | None,
    weights: LossWeights,
    features: Features | None = None,
) -> Tensor:
    """The weighted sum of image, Fourier, perceptual and adversarial loss.

    ``15 mean ‖x̂ - x‖/‖x‖ + 0.1 mean (|F x̂| - |F x|)² + 0.0025 mean (V x̂ - V x)² - mean log D(x̂)``,
    with the FFT ``F`` without a factor and of images in [0, 1]. The publication calls the first term
    a mean squared error; this is what its program computes.

    Parameters
    ----------
    estimate, truth
        ``(B, 1, H, W)`` in [-1, 1].
    logits
        ``(B,)`` of the discriminator on the estimate; None leaves the adversarial term out.
    weights
        Of the terms.
    features
        ``V``, see :func:`shaketable.zoo.dagan.perceptual.vgg_features`; None leaves the term out.

    Returns
    -------
    Tensor
        A scalar.

    References
    ----------
    Yang et al.: DAGAN. IEEE Trans. Med. Imaging 37(6), 2018, section III, and its program.

    Examples
    --------
    >>> x = torch.rand(2, 1, 8, 8)
    >>> fooled = torch.full((2,), 100.0)
    >>> round(float(generator_loss(x, x, fooled, LossWeights())), 6)
    0.0
    """
    difference = torch.linalg.vector_norm(estimate - truth, dim=(1, 2, 3))
    image = (difference / torch.linalg.vector_norm(truth, dim=(1, 2, 3))).mean()
    spectra = [torch.fft.fft2((x + 1) / 2).abs() for x in (estimate, truth)]
    fourier = (spectra[0] - spectra[1]).square().mean()
    total = weights.image * image + weights.fourier * fourier
    if logits is not None:
        entropy = functional.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
        total = total + weights.adversarial * entropy
    if features is not None:
        perceptual = (features(estimate) - features(truth)).square().mean()
        total = total + weights.perceptual * perceptual
    result: Tensor = total
    return result


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """``-mean log D(x) - mean log (1 - D(x̂))`` from logits ``(B,)``."""
    entropy = functional.binary_cross_entropy_with_logits
    loss: Tensor = entropy(real, torch.ones_like(real)) + entropy(fake, torch.zeros_like(fake))
    return loss
