"""Features of a network that was trained to see: VGG16 of torchvision."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

# The fourth pooling layer, as in DAGAN.
_N_LAYERS = 24
_SIZE = 244
_MEANS = (0.485, 0.456, 0.406)
_DEVIATIONS = (0.229, 0.224, 0.225)


def vgg_features(device: torch.device) -> Callable[[Tensor], Tensor] | None:
    """Features of an image in VGG16 after its fourth pooling layer, as a function.

    Needs torchvision and its weights ``IMAGENET1K_V1``, which torchvision fetches when they are
    first used. Where either cannot be had this warns and returns None: the loss is then without its
    perceptual term.

    Parameters
    ----------
    device
        Where to compute.

    Returns
    -------
    Callable or None
        ``(B, 1, H, W)`` in [-1, 1] -> ``(B, 512, 15, 15)``.

    References
    ----------
    Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition. ICLR
    2015.
    """
    try:
        from torchvision.models import VGG16_Weights, vgg16

        layers = vgg16(weights=VGG16_Weights.IMAGENET1K_V1).features[:_N_LAYERS]
    except (ImportError, OSError, RuntimeError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        warnings.warn(
            f"The perceptual loss is left out, because VGG16 of torchvision cannot be had ({why}); "
            "install torchvision and let it fetch its weights to train with it.",
            stacklevel=2,
        )
        return None
    return as_features(layers.to(device))


def as_features(layers: nn.Module) -> Callable[[Tensor], Tensor]:
    """Layers that expect ImageNet's colours, as a function of grey images in [-1, 1]."""
    layers = layers.eval().requires_grad_(False)

    def features(image: Tensor) -> Tensor:
        resized = functional.interpolate(
            (image + 1) / 2, (_SIZE, _SIZE), mode="bilinear", align_corners=False
        )
        means, deviations = (
            torch.tensor(values, dtype=image.dtype, device=image.device)[:, None, None]
            for values in (_MEANS, _DEVIATIONS)
        )
        seen: Tensor = layers((resized.expand(-1, 3, -1, -1) - means) / deviations)
        return seen

    return features
