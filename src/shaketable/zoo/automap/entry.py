"""AUTOMAP in the zoo."""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt

import torch
from torch import Tensor, nn

from shaketable.maps.fourier import FourierMap
from shaketable.maps.sampling import SamplingSequence
from shaketable.zoo.automap.network import AUTOMAP
from shaketable.zoo.automap.published import read_automap
from shaketable.zoo.automap.recipe import AUTOMAPRecipe
from shaketable.zoo.automap.training import automap_learner, trained_positions
from shaketable.zoo.entry import NetworkEntry, Setting
from shaketable.zoo.images.brain import brain_training_images, bundled_magnitudes
from shaketable.zoo.images.bundled import bundled_image_ids
from shaketable.zoo.weights import PublishedFile

_SIZES = ("positions", "dense1.weight", "dense2.weight", "convolution1.weight")


def _build(state: Mapping[str, Tensor] | None) -> nn.Module:
    """The network whose sizes a state has; of a state of something else, that of the recipe."""
    if state is not None and all(name in state for name in _SIZES):
        positions, dense1, dense2, convolution = (state[name] for name in _SIZES)
        side = isqrt(dense2.shape[0])
        if (positions.ndim, dense1.ndim, dense2.ndim, convolution.ndim) == (2, 2, 2, 4):
            shape = (side, side)
            return AUTOMAP(positions.float(), shape, dense1.shape[0], convolution.shape[0])
    recipe = AUTOMAPRecipe()
    shape = (recipe.size, recipe.size)
    return AUTOMAP(trained_positions(recipe), shape, recipe.n_hidden, recipe.n_features)


def _setting(model: nn.Module, published: bool) -> Setting:  # noqa: ARG001  (the points say it)
    assert isinstance(model, AUTOMAP)  # noqa: S101 - what _build made
    positions = model.positions.long()
    height, width = model.image_shape
    flat = positions[:, 0] * width + positions[:, 1]
    rank = torch.full((height * width,), -1, dtype=torch.int64)
    rank[flat] = torch.arange(len(flat))
    others = (rank < 0).nonzero().flatten()
    rank[others] = len(flat) + torch.arange(len(others))
    sequence = SamplingSequence(
        name="the points of AUTOMAP, then the others row by row",
        shape=(height, width),
        unit="points",
        rank=rank.reshape(height, width),
    )
    rate = len(flat) / (height * width)
    return Setting(forward=FourierMap(sequence.mask(rate)), sampling=sequence, trained_rate=rate)


AUTOMAP_ENTRY = NetworkEntry(
    name="automap",
    title="AUTOMAP",
    recipe=AUTOMAPRecipe(),
    begin=automap_learner,
    build=_build,
    setting=_setting,
    images=bundled_magnitudes,
    image_ids=bundled_image_ids,
    training_images=brain_training_images,
    real=True,
    standard_plan="standard-automap",
    published=PublishedFile(suffix=".h5", read=read_automap),
)
