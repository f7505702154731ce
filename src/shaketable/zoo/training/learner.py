"""What learns: a network with its losses and optimisers, one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from shaketable.metrics import psnr
from shaketable.zoo.training.recipe import TrainingRecipe


class Learner(Protocol):
    """The moving parts of one network's training.

    The loop in :func:`shaketable.zoo.run_training` knows this and nothing else of a network. A
    learner draws its samples, owns its losses and its optimisers, one or several: a network that is
    trained against a discriminator is a learner with two of each.
    """

    @property
    def network(self) -> nn.Module:
        """The network whose weights are handed out."""
        ...

    def step(self, step: int) -> float:
        """Make the step counted from 0; return its loss.

        All that is random in it is decided by the recipe's seed and the number of the step.
        """
        ...

    def quality(self, held_out: Tensor) -> float:
        """Mean PSNR in dB of :attr:`network` on ``(M, size, size)`` images, real or complex."""
        ...

    def state(self) -> dict[str, Any]:
        """Everything that a later step depends on, as dictionaries of tensors and plain values."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state of the same recipe."""
        ...


class SingleLossLearner:
    """A network that descends one loss with Adam, and the running average of its weights.

    Parameters
    ----------
    recipe
        Learning rate, clipping and average.
    model
        The network at step 0, on its device.
    loss
        ``loss(model, step)`` draws the samples of a step and returns their mean loss, a scalar.
    measure
        ``measure(network, held_out)`` is :meth:`Learner.quality`.
    slow, slow_factor
        Names of layers, and ``slow_factor(step)``: the share of the recipe's learning rate that they
        learn with. While it is 0 they take no part in the step, which saves the time of their
        gradients.
    """

    def __init__(
        self,
        recipe: TrainingRecipe,
        model: nn.Module,
        loss: Callable[[nn.Module, int], Tensor],
        measure: Callable[[nn.Module, Tensor], float],
        slow: tuple[str, ...] = (),
        slow_factor: Callable[[int], float] = lambda step: 1.0,  # noqa: ARG005
    ) -> None:
        self._recipe = recipe
        self._model = model
        self._average = deepcopy(model)
        self._loss = loss
        self._measure = measure
        named = dict(model.named_parameters())
        late = [value for name, value in named.items() if name.split(".")[0] in slow]
        soon = [value for name, value in named.items() if name.split(".")[0] not in slow]
        self._slow = late
        self._slow_factor = slow_factor
        groups = [{"params": group} for group in (soon, late) if group]
        self._optimizer = torch.optim.Adam(groups, lr=recipe.learning_rate)

    @property
    def network(self) -> nn.Module:
        """The network with the averaged weights."""
        return self._average

    def step(self, step: int) -> float:
        """One step of Adam; returns the loss before it."""
        factors = [1.0, self._slow_factor(step)][: len(self._optimizer.param_groups)]
        for group, factor in zip(self._optimizer.param_groups, factors, strict=True):
            group["lr"] = factor * self._recipe.learning_rate_at(step)
        for parameter in self._slow:
            parameter.requires_grad_(factors[-1] > 0)
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._loss(self._model, step)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self._model.parameters(), self._recipe.clip_norm)
        self._optimizer.step()
        follow(self._average, self._model, step, self._recipe.average_decay)
        return float(loss.detach())

    def quality(self, held_out: Tensor) -> float:
        """Mean PSNR in dB of the averaged weights."""
        return self._measure(self._average, held_out)

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


def generator_of(seed: int, number: int) -> torch.Generator:
    """The source of randomness of one step, or of the beginning, of a run.

    Numbers of neighbouring seeds lie far apart, so that runs share no sample.
    """
    return torch.Generator().manual_seed(seed * 1_000_003 + number)


def image_psnr(
    network: nn.Module, forward: Callable[[Tensor], Tensor], images: Iterable[Tensor]
) -> Tensor:
    """``(M,)`` float64: PSNR in dB of each of ``M`` images ``(H, W)``, one at a time."""
    device = next(network.parameters()).device
    with torch.no_grad():
        truths = [image[None].to(device) for image in images]
        return torch.cat([psnr(network(forward(x), forward), x) for x in truths]).cpu()


def follow(average: nn.Module, model: nn.Module, step: int, decay: float) -> None:
    """Move a running average of weights towards the weights after a step counted from 0.

    Early on it follows closely, or it would be made of the first weights for long. Buffers, such as
    the statistics of a normalisation, are copied.
    """
    decay = min(decay, (2 + step) / (11 + step))
    with torch.no_grad():
        for mean, value in zip(average.parameters(), model.parameters(), strict=True):
            mean.lerp_(value, 1 - decay)
        for kept, now in zip(average.buffers(), model.buffers(), strict=True):
            kept.copy_(now)
