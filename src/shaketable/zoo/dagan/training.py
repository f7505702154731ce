"""How DAGAN learns: its samples, the two networks in turn, the measurement on held-out images."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from shaketable.errors import RunError
from shaketable.maps.fourier import FourierMap
from shaketable.maps.sampling import SamplingSequence, gaussian_columns
from shaketable.zoo.dagan.losses import LossWeights, discriminator_loss, generator_loss
from shaketable.zoo.dagan.network import DAGAN, DAGANDiscriminator
from shaketable.zoo.dagan.perceptual import vgg_features
from shaketable.zoo.dagan.recipe import DAGANRecipe
from shaketable.zoo.images.augmentation import augment
from shaketable.zoo.images.training import require_training_images
from shaketable.zoo.training.learner import follow, generator_of, image_psnr

_SAMPLING_SEED = 0
_BETAS = (0.5, 0.999)
_SPREAD = 0.02


def sampling(recipe: DAGANRecipe, size: int | None = None) -> SamplingSequence:
    """The recipe's columns, on images of its size or of another."""
    width = recipe.size if size is None else size
    n_center = max(round(recipe.n_center * width / recipe.size), 1)
    return gaussian_columns((width, width), seed=_SAMPLING_SEED, n_center=n_center)


def trained_map(recipe: DAGANRecipe, size: int | None = None) -> FourierMap:
    """The forward map that the network is trained, measured and handed out with."""
    return FourierMap(sampling(recipe, size).mask(recipe.rate))


def draw_batch(recipe: DAGANRecipe, images: Tensor, step: int) -> Tensor:
    """``(B, size, size)`` magnitudes with peak 1, decided by the recipe's seed and the step."""
    generator = generator_of(recipe.seed, step)
    drawn = []
    for _ in range(recipe.batch_size):
        index = int(torch.randint(len(images), (), generator=generator))
        drawn.append(augment(images[index], recipe.size, generator).abs())
    return torch.stack(drawn)


def _begin(network: nn.Module, generator: torch.Generator) -> None:
    """Weights normal with deviation 0.02, biases zero, scales of normalisations near 1."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, _SPREAD, generator=generator)
            elif name.endswith("weight"):
                parameter.normal_(1, _SPREAD, generator=generator)
            else:
                parameter.zero_()


class DAGANLearner:
    """Generator and discriminator, one step of Adam each.

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

    def __init__(self, recipe: DAGANRecipe, images: Tensor, device: torch.device) -> None:
        require_training_images(images, 2 * recipe.size)
        self._recipe = recipe
        self._images = images
        self._device = device
        self._forward = trained_map(recipe)
        self._model, self._average = (
            DAGAN(recipe.width, recipe.n_levels).to(device) for _ in range(2)
        )
        self._discriminator = DAGANDiscriminator(recipe.discriminator_width, recipe.size).to(device)
        _begin(self._model, generator_of(recipe.seed, 1))
        self._average.load_state_dict(self._model.state_dict())
        _begin(self._discriminator, generator_of(recipe.seed, 2))
        self._optimizers = [
            torch.optim.Adam(network.parameters(), lr=recipe.learning_rate, betas=_BETAS)
            for network in (self._model, self._discriminator)
        ]
        self._weights = LossWeights(adversarial=recipe.adversarial_weight)
        self._features = vgg_features(device) if recipe.perceptual else None

    @property
    def network(self) -> DAGAN:
        """The network with the averaged weights of the generator."""
        return self._average.eval()

    def step(self, step: int) -> float:
        """One step of the generator, during the decay after one of the discriminator.

        Returns the mean relative error.
        """
        recipe = self._recipe
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate_at(step)
        truth = draw_batch(recipe, self._images, step).to(self._device)
        data = self._forward(truth)
        self._model.train()
        estimate = 2 * self._model(data, self._forward)[:, None] - 1
        real = 2 * truth[:, None] - 1
        logits = self._judged(estimate, real) if recipe.judged_at(step) else None
        loss = generator_loss(estimate, real, logits, self._weights, self._features)
        self._descend(0, self._model, loss)
        follow(self._average, self._model, step, recipe.average_decay)
        difference = torch.linalg.vector_norm(estimate.detach() - real, dim=(1, 2, 3)) / 2
        return float((difference / torch.linalg.vector_norm(truth, dim=(1, 2))).mean())

    def _judged(self, estimate: Tensor, real: Tensor) -> Tensor:
        """One step of the discriminator; ``(B,)`` logits that it then has for the estimate."""
        judge = self._discriminator
        self._descend(1, judge, discriminator_loss(judge(real), judge(estimate.detach())))
        logits: Tensor = judge(estimate)
        return logits

    def _descend(self, number: int, network: nn.Module, loss: Tensor) -> None:
        self._optimizers[number].zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), self._recipe.clip_norm)
        self._optimizers[number].step()

    def quality(self, held_out: Tensor) -> float:
        """Mean PSNR in dB of the averaged weights on the magnitudes of the images."""
        return float(image_psnr(self.network, self._forward, held_out.abs()).mean())

    def state(self) -> dict[str, Any]:
        """Both networks, the average, both optimisers, and whether the perceptual term was there."""
        return {
            "model": self._model.state_dict(),
            "average": self._average.state_dict(),
            "discriminator": self._discriminator.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "perceptual": self._features is not None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state of the same recipe.

        Raises
        ------
        RunError
            If the perceptual term was there before and cannot be had now, or the other way round.
        """
        if state["perceptual"] != (self._features is not None):
            raise RunError(
                f"Expected the perceptual loss {'with' if state['perceptual'] else 'without'} VGG16 "
                "as before the interruption, got the other; go on where torchvision is as it was, or "
                "choose an empty folder."
            )
        self._model.load_state_dict(state["model"])
        self._average.load_state_dict(state["average"])
        self._discriminator.load_state_dict(state["discriminator"])
        for optimizer, kept in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
