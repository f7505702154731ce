"""Ell 50 and Med 50 in the zoo: one architecture, two kinds of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from shaketable.errors import InputError
from shaketable.io import ellipse_phantoms
from shaketable.maps.radon import RadonMap
from shaketable.maps.sampling import equispaced_views
from shaketable.zoo.entry import NetworkEntry, Setting
from shaketable.zoo.fbp_conv_net.matconvnet import read_matconvnet
from shaketable.zoo.fbp_conv_net.network import FBPConvNet
from shaketable.zoo.fbp_conv_net.recipe import Ell50Recipe, FBPConvNetRecipe, Med50Recipe
from shaketable.zoo.fbp_conv_net.training import ell_50_learner, med_50_learner
from shaketable.zoo.images.ct import (
    ellipse_test_ids,
    ellipse_test_images,
    medical_test_ids,
    medical_test_images,
    read_attenuation_images,
)
from shaketable.zoo.weights import PublishedFile

_OURS = (256, 256)
_PUBLISHED = (512, 512)
_THEIRS = PublishedFile(suffix=".mat", read=read_matconvnet)
_UNITS = "linear attenuation relative to water: (HU + 1000) / 1000, 1 is about 0.2 per cm at 60 keV"


def _build(state: Mapping[str, Tensor] | None, recipe: FBPConvNetRecipe) -> nn.Module:
    """As wide as the weights, and scaled as they were trained."""
    if state is None:
        return FBPConvNet(recipe.width, equivariant=True)
    bias = state.get("last.weight")
    width = recipe.width if bias is None or bias.ndim != 4 else bias.shape[1]
    scaling = state.get("scaling")
    return FBPConvNet(width, equivariant=scaling is None or bool(scaling))


def _setting(model: nn.Module, published: bool) -> Setting:
    # Imported weights keep the mark that they are not scaled, whatever their file is.
    theirs = published or (isinstance(model, FBPConvNet) and not model.equivariant)
    views = equispaced_views(1000)
    rate = 50 / 1000
    forward = RadonMap(views.angles(rate), _PUBLISHED if theirs else _OURS)
    return Setting(forward=forward, sampling=views, trained_rate=rate)


def _ellipses(paths: Sequence[Path], recipe: Ell50Recipe) -> Tensor:
    if paths:
        return read_attenuation_images(paths, recipe.size)
    shape = (recipe.size, recipe.size)
    phantoms = ellipse_phantoms(recipe.n_images, shape, seed=recipe.phantom_seed)
    return torch.from_numpy(np.stack([phantom.array for phantom in phantoms]))


def _medical(paths: Sequence[Path], recipe: Med50Recipe) -> Tensor:
    if not paths:
        # What exists on every machine is what it is tested on.
        raise InputError(
            "Expected medical images to train Med 50 on, got none; name folders or files of CT scans "
            "with --images."
        )
    return read_attenuation_images(paths, 2 * recipe.size)


ELL_50 = NetworkEntry(
    name="ell-50",
    title="Ell 50",
    recipe=Ell50Recipe(),
    begin=ell_50_learner,
    build=lambda state: _build(state, Ell50Recipe()),
    setting=_setting,
    images=ellipse_test_images,
    image_ids=ellipse_test_ids,
    training_images=_ellipses,
    real=True,
    units=_UNITS,
    standard_plan="standard-ct",
    published=_THEIRS,
)

MED_50 = NetworkEntry(
    name="med-50",
    title="Med 50",
    recipe=Med50Recipe(),
    begin=med_50_learner,
    build=lambda state: _build(state, Med50Recipe()),
    setting=_setting,
    images=medical_test_images,
    image_ids=medical_test_ids,
    training_images=_medical,
    real=True,
    units=_UNITS,
    standard_plan="standard-ct",
    published=_THEIRS,
)
