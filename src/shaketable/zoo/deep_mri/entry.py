"""Deep MRI in the zoo."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from shaketable.maps.fourier import FourierMap
from shaketable.maps.sampling import cartesian_variable_density
from shaketable.zoo.deep_mri.network import DeepMRI
from shaketable.zoo.deep_mri.published import read_published
from shaketable.zoo.deep_mri.recipe import DeepMRIRecipe
from shaketable.zoo.deep_mri.training import deep_mri_learner
from shaketable.zoo.entry import NetworkEntry, Setting
from shaketable.zoo.images.brain import brain_training_images
from shaketable.zoo.images.bundled import bundled_image_ids, bundled_images
from shaketable.zoo.weights import PublishedFile

# The grid and the seed of the sampling that the network is handed out with.
_OURS = (128, 128)
_PUBLISHED = (256, 256)
_SAMPLING_SEED = 0


def _build(state: Mapping[str, Tensor] | None) -> nn.Module:  # noqa: ARG001  (one configuration)
    return DeepMRI()


def _setting(model: nn.Module, published: bool) -> Setting:  # noqa: ARG001
    recipe = DeepMRIRecipe()
    sampling = cartesian_variable_density(
        _PUBLISHED if published else _OURS,
        seed=_SAMPLING_SEED,
        acceleration=recipe.acceleration,
        n_center=recipe.n_center,
    )
    rate = 1 / recipe.acceleration
    return Setting(forward=FourierMap(sampling.mask(rate)), sampling=sampling, trained_rate=rate)


DEEP_MRI = NetworkEntry(
    name="deep-mri",
    title="Deep MRI",
    recipe=DeepMRIRecipe(),
    begin=deep_mri_learner,
    build=_build,
    setting=_setting,
    images=bundled_images,
    image_ids=bundled_image_ids,
    training_images=brain_training_images,
    published=PublishedFile(suffix=".npz", read=read_published),
)
