"""How FBPConvNet learns: its samples, its loss, and the measurement on held-out images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from shaketable.maps.back_projection import filtered_back_projection
from shaketable.maps.radon import RadonMap
from shaketable.maps.sampling import equispaced_views
from shaketable.zoo.fbp_conv_net.network import FBPConvNet, root_mean_square
from shaketable.zoo.fbp_conv_net.recipe import Ell50Recipe, FBPConvNetRecipe, Med50Recipe
from shaketable.zoo.images.augmentation import augment_attenuation
from shaketable.zoo.images.training import require_training_images
from shaketable.zoo.training.learner import Learner, SingleLossLearner, generator_of, image_psnr

# Initial scale of the last layer: the untrained network is almost the back-projection.
_LAST_LAYER_SCALE = 0.1
# Images whose back-projections are made at once.
_AT_ONCE = 16


def new_network(recipe: FBPConvNetRecipe) -> FBPConvNet:
    """The untrained network: weights after He et al. (2015), last layer small, biases zero."""
    network = FBPConvNet(recipe.width, equivariant=True)
    generator = torch.Generator().manual_seed(recipe.seed)
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
                if layer.bias is not None:
                    layer.bias.zero_()
        network.last.weight.mul_(_LAST_LAYER_SCALE)
    return network


def trained_map(recipe: FBPConvNetRecipe) -> RadonMap:
    """The recipe's evenly spaced views."""
    views = equispaced_views(recipe.n_views, even=())
    return RadonMap(views.angles(1.0), (recipe.size, recipe.size))


def back_projections(images: Tensor, forward: RadonMap) -> Tensor:
    """``(N, H, W)`` images -> ``(N, H, W)`` filtered back-projections of their data."""
    with torch.no_grad():
        return torch.cat(
            [filtered_back_projection(forward(x), forward) for x in torch.split(images, _AT_ONCE)]
        )


def draw_samples(
    recipe: FBPConvNetRecipe, images: Tensor, projections: Tensor, step: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Images, back-projections and scales of one step, decided by the recipe's seed and the step.

    Parameters
    ----------
    recipe
        Batch size and crop.
    images, projections
        ``(N, size, size)``.
    step
        Counted from 0.

    Returns
    -------
    tuple
        Images ``(B, h, w)``, back-projections ``(B, h, w)``, root mean squares of the whole
        back-projections ``(B, 1, 1)``.
    """
    generator = generator_of(recipe.seed, step)
    length = recipe.size if recipe.decays_at(step) else recipe.crop
    pairs = []
    for _ in range(recipe.batch_size):
        index, turns, mirrored = (
            int(torch.randint(n, (), generator=generator)) for n in (len(images), 4, 2)
        )
        corner = torch.randint(recipe.size - length + 1, (2,), generator=generator).tolist()
        pair = torch.stack([images[index], projections[index]]).rot90(turns, (1, 2))
        if mirrored:
            pair = pair.flip(2)
        scale = root_mean_square(pair[1:])[0]
        top, left = corner
        part = pair[:, top : top + length, left : left + length]
        pairs.append((part[0], part[1], scale))
    truth, projection, scale = (torch.stack(parts) for parts in zip(*pairs, strict=True))
    return truth, projection, scale


def batch_loss(
    model: FBPConvNet, recipe: FBPConvNetRecipe, samples: tuple[Tensor, Tensor, Tensor]
) -> Tensor:
    """The mean error of a batch relative to the root mean square of the back-projection."""
    truth, projection, scale = samples
    kind = truth.device.type
    with torch.autocast(kind, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
        estimate = model.correct(projection, scale)
    loss: Tensor = (root_mean_square(estimate - truth) / scale).mean()
    return loss


def ell_50_learner(recipe: Ell50Recipe, images: Tensor, device: torch.device) -> Learner:
    """Ell 50 at step 0, on ``(N, size, size)`` images as they are.

    Raises
    ------
    InputError
        If the images have another shape.
    """
    require_training_images(images, recipe.size)
    return fbp_conv_net_learner(recipe, images, device)


def med_50_learner(recipe: Med50Recipe, images: Tensor, device: torch.device) -> Learner:
    """Med 50 at step 0, on images drawn from ``(N, 2 size, 2 size)`` attenuation, water = 1.

    Raises
    ------
    InputError
        If the images have another shape.
    """
    return fbp_conv_net_learner(recipe, drawn_attenuation(recipe, images), device)


def drawn_attenuation(recipe: Med50Recipe, images: Tensor) -> Tensor:
    """``(n_drawn, size, size)``: the images of a run, drawn once with the recipe's seed.

    Parameters
    ----------
    recipe
        Number and size of the images.
    images
        ``(N, 2 size, 2 size)`` attenuation relative to water.

    Raises
    ------
    InputError
        If the images have another shape.
    """
    require_training_images(images, 2 * recipe.size)
    generator = torch.Generator().manual_seed(recipe.seed)
    chosen = torch.randint(len(images), (recipe.n_drawn,), generator=generator)
    return torch.stack([augment_attenuation(images[index], generator) for index in chosen.tolist()])


def fbp_conv_net_learner(recipe: FBPConvNetRecipe, images: Tensor, device: torch.device) -> Learner:
    """FBPConvNet at step 0.

    Parameters
    ----------
    recipe
        What to train.
    images
        ``(N, size, size)`` real, the images of the run.
    device
        Where to compute.
    """
    forward = trained_map(recipe)
    projections = back_projections(images, forward)

    def loss(network: nn.Module, step: int) -> Tensor:
        truth, projection, scale = draw_samples(recipe, images, projections, step)
        samples = (truth.to(device), projection.to(device), scale.to(device))
        return batch_loss(_fbp_conv_net(network), recipe, samples)

    return SingleLossLearner(
        recipe,
        new_network(recipe).to(device),
        loss=loss,
        measure=lambda network, held_out: float(image_psnr(network, forward, held_out).mean()),
    )


def _fbp_conv_net(network: nn.Module) -> FBPConvNet:
    if not isinstance(network, FBPConvNet):
        raise TypeError(f"expected FBPConvNet, got {type(network).__name__}")
    return network
