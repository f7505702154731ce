"""MRI-VN in the zoo."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from shaketable.zoo.entry import NetworkEntry, Setting
from shaketable.zoo.images.brain import brain_training_images
from shaketable.zoo.images.bundled import bundled_image_ids, bundled_images
from shaketable.zoo.mri_vn.network import MRIVN
from shaketable.zoo.mri_vn.recipe import MRIVNRecipe
from shaketable.zoo.mri_vn.reconet import read_reconet
from shaketable.zoo.mri_vn.training import MRIVNLearner, sampling, trained_map
from shaketable.zoo.weights import PublishedFile

# Weights from BART were trained elsewhere, on larger images than ours.
_PUBLISHED_SIZE = 256


def _build(state: Mapping[str, Tensor] | None) -> nn.Module:
    """The network whose sizes a state has; of a state of something else, the published one."""
    first = ("regularisers.0.kernels", "regularisers.0.weights", "data_weights")
    if state is None or any(name not in state for name in first):
        return MRIVN()
    kernels, weights, stages = (state[name] for name in first)
    if (kernels.ndim, weights.ndim, stages.ndim) != (4, 2, 1):
        return MRIVN()
    return MRIVN(len(stages), kernels.shape[0], kernels.shape[-1], weights.shape[-1])


def _setting(model: nn.Module, published: bool) -> Setting:  # noqa: ARG001  (serves any size)
    recipe = MRIVNRecipe()
    size = _PUBLISHED_SIZE if published else recipe.size
    return Setting(
        forward=trained_map(recipe, size),
        sampling=sampling(recipe, size),
        trained_rate=recipe.rate,
    )


MRI_VN = NetworkEntry(
    name="mri-vn",
    title="MRI-VN",
    recipe=MRIVNRecipe(),
    begin=MRIVNLearner,
    build=_build,
    setting=_setting,
    images=bundled_images,
    image_ids=bundled_image_ids,
    training_images=brain_training_images,
    standard_plan="standard-coils",
    published=PublishedFile(suffix=".cfl", read=read_reconet),
)
