"""How Deep MRI learns: its samples, its loss, and the measurement on held-out images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from shaketable.maps.fourier import FourierMap
from shaketable.maps.sampling import SamplingSequence, cartesian_variable_density
from shaketable.zoo.deep_mri.network import DeepMRI
from shaketable.zoo.deep_mri.recipe import DeepMRIRecipe
from shaketable.zoo.images.augmentation import augment
from shaketable.zoo.images.training import require_training_images
from shaketable.zoo.training.learner import Learner, SingleLossLearner, generator_of, image_psnr

# Initial scale of each cascade's last layer: the untrained network is almost the zero-filled image.
_LAST_LAYER_SCALE = 0.1
_NOISY_SHARE = 0.25


def new_network(recipe: DeepMRIRecipe) -> DeepMRI:
    """The untrained network: weights after He et al. (2015), last layers small, biases zero."""
    network = DeepMRI(recipe.n_cascades, recipe.n_convolutions, recipe.n_features)
    generator = torch.Generator().manual_seed(recipe.seed)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    with torch.no_grad():
        for number, layer in enumerate(layers, start=1):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            if number % recipe.n_convolutions == 0:
                layer.weight.mul_(_LAST_LAYER_SCALE)
            if layer.bias is not None:
                layer.bias.zero_()
    return network


def deep_mri_learner(recipe: DeepMRIRecipe, images: Tensor, device: torch.device) -> Learner:
    """Deep MRI at step 0.

    Parameters
    ----------
    recipe
        What to train.
    images
        ``(N, 2 size, 2 size)`` magnitudes with peak 1, twice the size of the training images, so
        that turning and bending them costs no sharpness; see
        :func:`shaketable.zoo.images.training.read_training_images`.
    device
        Where to compute.

    Raises
    ------
    InputError
        If the images have another shape.
    """
    require_training_images(images, 2 * recipe.size)
    model = new_network(recipe).to(device)
    # Convolutions run fastest in this layout; the images arrive in it, see DeepMRI.
    for parameter in model.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.to(memory_format=torch.channels_last)
    return SingleLossLearner(
        recipe,
        model,
        loss=lambda network, step: batch_loss(_deep_mri(network), recipe, images, step),
        measure=lambda network, held_out: float(
            quality(_deep_mri(network), held_out, recipe).mean()
        ),
    )


def _deep_mri(network: nn.Module) -> DeepMRI:
    if not isinstance(network, DeepMRI):
        raise TypeError(f"expected DeepMRI, got {type(network).__name__}")
    return network


def draw_samples(recipe: DeepMRIRecipe, images: Tensor, step: int) -> tuple[Tensor, Tensor, Tensor]:
    """Images, noisy data and masks of one step, decided by the recipe's seed and the step.

    Parameters
    ----------
    recipe
        Batch size, image size, sampling and noise.
    images
        ``(N, 2 size, 2 size)`` magnitudes, peak 1.
    step
        Counted from 0.

    Returns
    -------
    tuple
        Images ``(B, H, W)`` complex64, data ``(B, H, W)`` complex64, masks ``(B, H, W)`` boolean,
        with ``W`` the strip width of this step.
    """
    generator = generator_of(recipe.seed, step)
    width = recipe.width_at(step)
    drawn = [_draw_one(recipe, images, width, generator) for _ in range(recipe.batch_size)]
    truth, noise, masks = (torch.stack(parts) for parts in zip(*drawn, strict=True))
    data = (torch.fft.fft2(truth, norm="ortho") + noise) * masks
    return truth, data, masks


def _draw_one(
    recipe: DeepMRIRecipe, images: Tensor, width: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    index = int(torch.randint(len(images), (), generator=generator))
    image = augment(images[index], recipe.size, generator)
    start = int(torch.randint(recipe.size - width + 1, (), generator=generator))
    image = image[:, start : start + width]
    mask_seed = int(torch.randint(2**31, (), generator=generator))
    mask = sampling(recipe, mask_seed).mask(1 / recipe.acceleration)[:, :width]
    level = recipe.noise * float(torch.rand((), generator=generator))
    if float(torch.rand((), generator=generator)) >= _NOISY_SHARE:
        level = 0.0
    noise = torch.randn(image.shape, dtype=torch.complex64, generator=generator) * level
    return image, noise, mask


def sampling(recipe: DeepMRIRecipe, seed: int) -> SamplingSequence:
    """The recipe's sampling for one seed."""
    return cartesian_variable_density(
        (recipe.size, recipe.size),
        seed=seed,
        acceleration=recipe.acceleration,
        n_center=recipe.n_center,
    )


def batch_loss(model: DeepMRI, recipe: DeepMRIRecipe, images: Tensor, step: int) -> Tensor:
    """The mean relative error of the batch of one step."""
    device = next(model.parameters()).device
    truth, data, masks = (part.to(device) for part in draw_samples(recipe, images, step))
    with torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
        estimate = model.reconstruct(data, masks)
    errors = torch.linalg.vector_norm(estimate - truth, dim=(1, 2))
    # An all-black strip would weigh without bound; one hundredth of a full one is a floor.
    norms = torch.linalg.vector_norm(truth, dim=(1, 2)).clamp_min(0.01 * truth[0].numel() ** 0.5)
    loss: Tensor = (errors / norms).mean()
    return loss


def quality(network: DeepMRI, images: Tensor, recipe: DeepMRIRecipe) -> Tensor:
    """PSNR in dB of each image under the sampling of seed 0, one image at a time.

    Parameters
    ----------
    network
        Any state of the network.
    images
        ``(M, size, size)`` real or complex.
    recipe
        Whose sampling to use.

    Returns
    -------
    Tensor
        ``(M,)`` float64, see :func:`shaketable.metrics.psnr`.
    """
    forward = FourierMap(sampling(recipe, 0).mask(1 / recipe.acceleration))
    return image_psnr(network, forward, images)
