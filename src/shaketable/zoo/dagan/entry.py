"""DAGAN in the zoo."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from shaketable.zoo.dagan.network import DAGAN
from shaketable.zoo.dagan.published import read_dagan
from shaketable.zoo.dagan.recipe import DAGANRecipe
from shaketable.zoo.dagan.training import DAGANLearner, sampling, trained_map
from shaketable.zoo.entry import NetworkEntry, Setting
from shaketable.zoo.images.brain import brain_training_images, bundled_magnitudes
from shaketable.zoo.images.bundled import bundled_image_ids
from shaketable.zoo.weights import PublishedFile

_FIRST = "generator.down.0.weight"


def _build(state: Mapping[str, Tensor] | None) -> nn.Module:
    """The network whose sizes a state has; of a state of something else, that of the recipe."""
    recipe = DAGANRecipe()
    if state is None or _FIRST not in state:
        return DAGAN(recipe.width, recipe.n_levels)
    is_level = [name.startswith("generator.down.") and name.endswith("weight") for name in state]
    return DAGAN(state[_FIRST].shape[0], max(sum(is_level), 5))


def _setting(model: nn.Module, published: bool) -> Setting:  # noqa: ARG001  (the levels say it)
    assert isinstance(model, DAGAN)  # noqa: S101 - what _build made
    recipe = DAGANRecipe()
    # The bottom of the network sees one pixel of an image of this size, as in the publication.
    size = 2 ** len(model.generator.down)
    return Setting(
        forward=trained_map(recipe, size),
        sampling=sampling(recipe, size),
        trained_rate=recipe.rate,
    )


DAGAN_ENTRY = NetworkEntry(
    name="dagan",
    title="DAGAN",
    recipe=DAGANRecipe(),
    begin=DAGANLearner,
    build=_build,
    setting=_setting,
    images=bundled_magnitudes,
    image_ids=bundled_image_ids,
    training_images=brain_training_images,
    real=True,
    standard_plan="standard-real",
    published=PublishedFile(suffix=".npz", read=read_dagan),
)
