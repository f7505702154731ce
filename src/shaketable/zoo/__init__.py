"""The networks of the paper: architecture, training, weights, importers."""

from shaketable.zoo.automap import AUTOMAP
from shaketable.zoo.automap_recipe import AUTOMAPRecipe
from shaketable.zoo.bundled import (
    bundled_image_ids,
    bundled_images,
    template_training_images,
    with_smooth_phase,
)
from shaketable.zoo.dagan import DAGAN
from shaketable.zoo.dagan_recipe import DAGANRecipe
from shaketable.zoo.deep_mri import DeepMRI
from shaketable.zoo.deep_mri_recipe import DeepMRIRecipe
from shaketable.zoo.entry import NetworkEntry, ZooNetwork
from shaketable.zoo.fbp_conv_net import FBPConvNet
from shaketable.zoo.fbp_conv_net_recipe import Ell50Recipe, Med50Recipe
from shaketable.zoo.learner import Learner
from shaketable.zoo.mri_vn import MRIVN
from shaketable.zoo.mri_vn_recipe import MRIVNRecipe
from shaketable.zoo.recipe import TrainingRecipe
from shaketable.zoo.registry import find_entry, import_weights, load, names
from shaketable.zoo.training import train
from shaketable.zoo.training_events import TrainingEvent, TrainingResult
from shaketable.zoo.training_images import read_training_images

__all__ = [
    "AUTOMAP",
    "DAGAN",
    "MRIVN",
    "AUTOMAPRecipe",
    "DAGANRecipe",
    "DeepMRI",
    "DeepMRIRecipe",
    "Ell50Recipe",
    "FBPConvNet",
    "Learner",
    "MRIVNRecipe",
    "Med50Recipe",
    "NetworkEntry",
    "TrainingEvent",
    "TrainingRecipe",
    "TrainingResult",
    "ZooNetwork",
    "bundled_image_ids",
    "bundled_images",
    "find_entry",
    "import_weights",
    "load",
    "names",
    "read_training_images",
    "template_training_images",
    "train",
    "with_smooth_phase",
]
