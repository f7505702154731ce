"""How MRI-VN learns: its samples with simulated coils, its loss, the projection of its filters."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from shaketable.maps.coils import birdcage_coils
from shaketable.maps.multi_coil import MultiCoilFourierMap
from shaketable.maps.sampling import SamplingSequence, equispaced_lines
from shaketable.zoo.images.augmentation import augment
from shaketable.zoo.images.training import require_training_images
from shaketable.zoo.mri_vn.network import MRIVN
from shaketable.zoo.mri_vn.recipe import MRIVNRecipe
from shaketable.zoo.training.learner import follow, generator_of, image_psnr

_NOISY_SHARE = 0.25
# Radius of the ring of coils in half images; 1.5, the middle, is what networks are tested with.
_RADII = (1.2, 1.8)


def sampling(recipe: MRIVNRecipe, size: int | None = None) -> SamplingSequence:
    """The recipe's lines, on images of its size or of another."""
    height = recipe.size if size is None else size
    n_center = round(recipe.n_center * height / recipe.size)
    return equispaced_lines((height, height), rate=recipe.rate, n_center=n_center)


def new_network(recipe: MRIVNRecipe) -> MRIVN:
    """The untrained network: random filters, every activation a gentle shrinkage."""
    network = MRIVN(recipe.n_stages, recipe.n_filters, recipe.kernel_size, recipe.n_centres)
    generator = torch.Generator().manual_seed(recipe.seed)
    with torch.no_grad():
        network.data_weights.copy_(chebyshev_steps(recipe.n_stages, recipe.lowest_eigenvalue))
        for name, parameter in network.named_parameters():
            if name.endswith("kernels"):
                parameter.normal_(generator=generator)
    network.project_()
    return network


def chebyshev_steps(n_steps: int, lowest_eigenvalue: float) -> Tensor:
    """``(n_steps,)``: step sizes of gradient descent that together shrink the error the most.

    One over the roots of the Chebyshev polynomial of degree ``n_steps`` on the interval from the
    lowest eigenvalue to 1: no other steps leave less of the error at the worst eigenvalue in
    between. Long and short steps take turns, so that no rounding error grows on the way.

    Parameters
    ----------
    n_steps
        How many, at least 1.
    lowest_eigenvalue
        Lower end of the interval, above 0 and at most 1; below it the error shrinks more slowly.

    References
    ----------
    Lebedev, Finogenov: On the order of choice of the iteration parameters in the Chebyshev cyclic
    iteration method. USSR Comput. Math. Math. Phys. 11, 1971.

    Examples
    --------
    >>> [round(step, 2) for step in chebyshev_steps(4, 0.1).tolist()]
    [1.04, 7.45, 1.38, 2.65]
    """
    order = [1]
    while len(order) < n_steps:
        order = [k for turn in order for k in (turn, 2 * len(order) + 1 - turn)]
    angles = [(k - 0.5) * math.pi / n_steps for k in order if k <= n_steps]
    roots = torch.cos(torch.tensor(angles))
    low, high = lowest_eigenvalue, 1.0
    return 2 / (high + low + (high - low) * roots)


def draw_sample(
    recipe: MRIVNRecipe, images: Tensor, generator: torch.Generator, width: int
) -> tuple[Tensor, Tensor, MultiCoilFourierMap]:
    """One training sample.

    Parameters
    ----------
    recipe
        Sampling, coils and noise.
    images
        ``(N, 2 size, 2 size)`` magnitudes, peak 1.
    generator
        Source of all randomness.
    width
        Columns to keep.

    Returns
    -------
    tuple
        Image ``(1, size, width)`` complex64, noisy data ``(1, C, size, width)``, and their map.
    """
    index = int(torch.randint(len(images), (), generator=generator))
    image = augment(images[index], recipe.size, generator)
    start = int(torch.randint(recipe.size - width + 1, (), generator=generator))
    low, high = _RADII
    radius = low + (high - low) * float(torch.rand((), generator=generator))
    coils = birdcage_coils(recipe.n_coils, (recipe.size, recipe.size), radius=radius)
    strip = slice(start, start + width)
    mask = sampling(recipe).mask(recipe.rate)[:, strip]
    forward = MultiCoilFourierMap(mask, coils[:, :, strip])
    level = recipe.noise * float(torch.rand((), generator=generator))
    if float(torch.rand((), generator=generator)) >= _NOISY_SHARE:
        level = 0.0
    data = forward(image[None, :, strip])
    noise = torch.randn(data.shape, dtype=data.dtype, generator=generator) * level
    return image[None, :, strip], data + noise * forward.sampled, forward


class MRIVNLearner:
    """The variational network under Adam, its filters projected after every step.

    Parameters
    ----------
    recipe
        What to train.
    images
        ``(N, 2 size, 2 size)`` magnitudes with peak 1, twice the size of the training images.
    device
        Where to compute.

    Raises
    ------
    InputError
        If the images have another shape.
    """

    def __init__(self, recipe: MRIVNRecipe, images: Tensor, device: torch.device) -> None:
        require_training_images(images, 2 * recipe.size)
        self._recipe = recipe
        self._images = images
        self._device = device
        self._model = new_network(recipe).to(device)
        self._average = new_network(recipe).to(device)
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=recipe.learning_rate)

    @property
    def network(self) -> MRIVN:
        """The network with the averaged weights."""
        return self._average

    def step(self, step: int) -> float:
        """One step of Adam and the projection; returns the loss before it."""
        recipe = self._recipe
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.learning_rate_at(step)
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._loss(step)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), recipe.clip_norm)
        self._optimizer.step()
        self._model.project_()
        follow(self._average, self._model, step, recipe.average_decay)
        # A mean of filters of unit norm is shorter than one.
        self._average.project_()
        return float(loss.detach())

    def _loss(self, step: int) -> Tensor:
        recipe = self._recipe
        generator = generator_of(recipe.seed, step)
        errors = []
        for _ in range(recipe.batch_size):
            width = recipe.width_at(step)
            truth, data, forward = draw_sample(recipe, self._images, generator, width)
            truth, data = truth.to(self._device), data.to(self._device)
            # An all-black strip would weigh without bound; a hundredth of a full one is a floor.
            size = truth.norm().clamp_min(0.01 * truth.numel() ** 0.5)
            errors.append((self._model(data, forward) - truth).norm() / size)
        return torch.stack(errors).mean()

    def quality(self, held_out: Tensor) -> float:
        """Mean PSNR in dB of the averaged weights, with coils at radius 1.5."""
        truths = held_out.to(torch.complex64)
        return float(image_psnr(self._average, trained_map(self._recipe), truths).mean())

    def state(self) -> dict[str, Any]:
        """Network, average and optimiser."""
        return {
            "model": self._model.state_dict(),
            "average": self._average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state of the same recipe."""
        self._model.load_state_dict(state["model"])
        self._average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])


def trained_map(recipe: MRIVNRecipe, size: int | None = None) -> MultiCoilFourierMap:
    """The forward map that the network is measured with and handed out with."""
    pattern = sampling(recipe, size)
    return MultiCoilFourierMap(
        pattern.mask(recipe.rate), birdcage_coils(recipe.n_coils, pattern.shape)
    )
