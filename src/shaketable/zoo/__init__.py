"""The networks of the paper: architecture, training, weights, importers."""

from shaketable.zoo.bundled import (
    bundled_image_ids,
    bundled_images,
    template_training_images,
    with_smooth_phase,
)
from shaketable.zoo.deep_mri import DeepMRI
from shaketable.zoo.recipe import TrainingRecipe
from shaketable.zoo.registry import ZooNetwork, import_weights, load, names
from shaketable.zoo.training import train
from shaketable.zoo.training_events import TrainingEvent, TrainingResult
from shaketable.zoo.training_images import read_training_images

__all__ = [
    "DeepMRI",
    "TrainingEvent",
    "TrainingRecipe",
    "TrainingResult",
    "ZooNetwork",
    "bundled_image_ids",
    "bundled_images",
    "import_weights",
    "load",
    "names",
    "read_training_images",
    "template_training_images",
    "train",
    "with_smooth_phase",
]
