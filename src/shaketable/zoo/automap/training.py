"""How AUTOMAP learns: its points, its linear beginning, its samples and its loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from shaketable.maps.fourier import FourierMap
from shaketable.maps.sampling import poisson_disc
from shaketable.zoo.automap.network import AUTOMAP
from shaketable.zoo.automap.recipe import AUTOMAPRecipe
from shaketable.zoo.images.augmentation import augment
from shaketable.zoo.images.training import require_training_images
from shaketable.zoo.training.learner import Learner, SingleLossLearner, generator_of, image_psnr

_SAMPLING_SEED = 0
_MOST_AT_ONCE = 2000  # images that the beginning is estimated from, in memory together
# Typical size of what goes into tanh at the beginning: small, so that the network is nearly linear.
_HIDDEN_SIZE = 0.03
# Gain of the first convolution's path for the image at the beginning, and of all other weights.
_PATH_GAIN = 0.1
_OTHER_GAIN = 0.1


def trained_positions(recipe: AUTOMAPRecipe) -> Tensor:
    """``(m, 2)`` points of the recipe in the order of its pattern, the centre first."""
    pattern = poisson_disc((recipe.size, recipe.size), seed=_SAMPLING_SEED)
    order = pattern.rank.flatten().argsort()[: pattern.n_sampled(recipe.rate)]
    return torch.stack([order // recipe.size, order % recipe.size], dim=1)


def draw_image(recipe: AUTOMAPRecipe, images: Tensor, generator: torch.Generator) -> Tensor:
    """``(size, size)`` magnitude image, peak 1, made from one of ``(N, 2 size, 2 size)``."""
    index = int(torch.randint(len(images), (), generator=generator))
    return augment(images[index], recipe.size, generator).abs()


def new_network(recipe: AUTOMAPRecipe, images: Tensor) -> AUTOMAP:
    """The network as the best linear estimate that fits into it.

    With the samples ``v = M x``, images of mean ``μ`` and covariance ``C``, the estimate is ``μ + B (v
    - M μ)`` with ``B = C Mᵀ (M C Mᵀ + σ²)⁻¹ ≈ U S Vᵀ`` cut to the width of the hidden layer. ``Vᵀ`` goes
    into the first layer, small enough for tanh to be nearly linear, ``U S`` into the second; one path
    through the convolutions carries the image, all other weights are random and small. Hidden units
    beyond those begin at random and without a part in the output.
    """
    generator = generator_of(recipe.seed, 0)
    positions = trained_positions(recipe)
    network = AUTOMAP(positions, (recipe.size, recipe.size), recipe.n_hidden, recipe.n_features)
    with torch.no_grad():
        samples = _begin_dense(network, *_moments(recipe, images, generator), recipe)
        _begin_spare_units(network, samples, generator)
        _begin_convolutions(network, generator)
    return network


def _moments(
    recipe: AUTOMAPRecipe, images: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """``(n,)`` mean and ``(n, n)`` covariance of ``recipe.n_linear`` drawn images of ``n`` pixels.

    They are added up in parts and in double precision, as the covariance of the samples is far from
    well conditioned.
    """
    n_pixels = recipe.size**2
    total = torch.zeros(n_pixels, dtype=torch.float64)
    products = torch.zeros(n_pixels, n_pixels, dtype=torch.float64)
    for start in range(0, recipe.n_linear, _MOST_AT_ONCE):
        n_drawn = min(_MOST_AT_ONCE, recipe.n_linear - start)
        drawn = torch.stack([draw_image(recipe, images, generator) for _ in range(n_drawn)])
        flat = drawn.reshape(n_drawn, n_pixels).double()
        total += flat.sum(0)
        products += flat.T @ flat
    mean = total / recipe.n_linear
    return mean, products / recipe.n_linear - torch.outer(mean, mean)


def _begin_dense(network: AUTOMAP, mean: Tensor, pixels: Tensor, recipe: AUTOMAPRecipe) -> Tensor:
    """The estimate from the mean ``(n,)`` and the covariance ``(n, n)`` of the pixels.

    Returns the covariance of the samples.
    """
    n_pixels = len(mean)
    unit = torch.eye(n_pixels).reshape(n_pixels, recipe.size, recipe.size)
    matrix = network.inputs(torch.fft.fft2(unit, norm="ortho")).T.double()
    cross = pixels @ matrix.T
    samples = matrix @ cross
    # Per real number the noise has half of its variance, in the unit of the inputs.
    gain = float(matrix[:, 0].norm()) / (len(network.positions) / n_pixels) ** 0.5
    ridge = max(0.5 * (recipe.noise * gain) ** 2, 1e-9 * float(samples.diagonal().mean()))
    noisy = samples.clone()
    noisy.diagonal().add_(ridge)
    estimate = torch.cholesky_solve(cross.T, torch.linalg.cholesky(noisy)).T
    left, sizes, right = torch.linalg.svd(estimate, full_matrices=False)
    n_kept = min(recipe.n_hidden, len(sizes))
    hidden = right[:n_kept]
    variances = ((hidden @ samples) * hidden).sum(1)
    spread = variances.clamp_min(0).sqrt().clamp_min(1e-6)
    scale = _HIDDEN_SIZE / spread.max()
    for parameter in (*network.dense1.parameters(), *network.dense2.parameters()):
        parameter.zero_()
    network.dense1.weight[:n_kept] = scale * hidden
    network.dense1.bias[:n_kept] = -scale * (hidden @ (matrix @ mean))
    network.dense2.weight[:, :n_kept] = left[:, :n_kept] * sizes[:n_kept] / scale
    network.dense2.bias.copy_(mean)
    return samples


def _begin_spare_units(network: AUTOMAP, samples: Tensor, generator: torch.Generator) -> None:
    """Hidden units that the estimate does not need: random and without a part in the output.

    With zeros on both sides of a unit neither side would ever have a gradient.
    """
    spare = (network.dense1.weight == 0).all(1)
    n_spare = int(spare.sum())
    if n_spare:
        size = _HIDDEN_SIZE / float(samples.diagonal().sum()) ** 0.5
        shape = (n_spare, samples.shape[0])
        network.dense1.weight[spare] = size * torch.randn(shape, generator=generator)


def _begin_convolutions(network: AUTOMAP, generator: torch.Generator) -> None:
    layers = (network.convolution1, network.convolution2, network.transposed)
    for layer in layers:
        # An output of all three is the sum over input channels and kernel, in either layout.
        n_in = layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1]
        layer.weight.normal_(0, _OTHER_GAIN / n_in**0.5, generator=generator)
        if layer.bias is not None:
            layer.bias.zero_()
    first, second, last = (layer.weight for layer in layers)
    first[0, 0] = 0
    first[0, 0, 2, 2] = _PATH_GAIN
    # ReLU lets only positive values through: two channels carry the two signs.
    for channel, sign in enumerate((1.0, -1.0)[: network.convolution2.out_channels]):
        second[channel] = 0
        second[channel, 0, 2, 2] = sign
        last[channel, 0] = 0
        last[channel, 0, 3, 3] = sign / _PATH_GAIN


def batch_loss(model: AUTOMAP, recipe: AUTOMAPRecipe, images: Tensor, step: int) -> Tensor:
    """The mean relative error of the batch of one step, counted from 0."""
    device = model.dense1.weight.device
    # The generator of the seed itself drew the beginning.
    generator = generator_of(recipe.seed, step + 1)
    drawn = [draw_image(recipe, images, generator) for _ in range(recipe.batch_size)]
    truth = torch.stack(drawn)
    data = torch.fft.fft2(truth, norm="ortho")
    data = data + recipe.noise * torch.randn(data.shape, dtype=data.dtype, generator=generator)
    factors = 2 * torch.rand(len(truth), 2 * len(model.positions), generator=generator) - 1
    truth, data, factors = (part.to(device) for part in (truth, data, factors))
    mean = data[:, 0, 0].real / recipe.size
    estimate = model.reconstruct(model.inputs(data) * (1 + recipe.factor_range * factors), mean)
    errors = torch.linalg.vector_norm(estimate - truth, dim=(1, 2))
    loss: Tensor = (errors / torch.linalg.vector_norm(truth, dim=(1, 2))).mean()
    return loss


def quality(network: AUTOMAP, held_out: Tensor) -> Tensor:
    """PSNR in dB of each image ``(M, size, size)`` from its points, without noise."""
    mask = torch.zeros(network.image_shape, dtype=torch.bool)
    mask[tuple(network.positions.long().cpu().T)] = True
    forward = FourierMap(mask)
    return image_psnr(network, forward, held_out.abs())


def automap_learner(recipe: AUTOMAPRecipe, images: Tensor, device: torch.device) -> Learner:
    """AUTOMAP at step 0.

    Raises
    ------
    InputError
        If the images are not ``(N, 2 size, 2 size)``.
    """
    require_training_images(images, 2 * recipe.size)
    return SingleLossLearner(
        recipe,
        new_network(recipe, images).to(device),
        loss=lambda network, step: batch_loss(_automap(network), recipe, images, step),
        measure=lambda network, held_out: float(quality(_automap(network), held_out).mean()),
        slow=("dense1", "dense2"),
        # Beside the dense layers the convolutions cost little: they learn first, on a fixed estimate.
        slow_factor=lambda step: recipe.dense_factor if recipe.all_learn_at(step) else 0.0,
    )


def _automap(network: nn.Module) -> AUTOMAP:
    if not isinstance(network, AUTOMAP):
        raise TypeError(f"expected AUTOMAP, got {type(network).__name__}")
    return network
