"""The networks of the paper: architecture, training, weights, importers."""

from shaketable.zoo.automap.network import AUTOMAP
from shaketable.zoo.automap.recipe import AUTOMAPRecipe
from shaketable.zoo.dagan.network import DAGAN
from shaketable.zoo.dagan.recipe import DAGANRecipe
from shaketable.zoo.deep_mri.network import DeepMRI
from shaketable.zoo.deep_mri.recipe import DeepMRIRecipe
from shaketable.zoo.entry import NetworkEntry, ZooNetwork
from shaketable.zoo.fbp_conv_net.network import FBPConvNet
from shaketable.zoo.fbp_conv_net.recipe import Ell50Recipe, Med50Recipe
from shaketable.zoo.images.bundled import (
    bundled_image_ids,
    bundled_images,
    template_training_images,
    with_smooth_phase,
)
from shaketable.zoo.images.training import read_training_images
from shaketable.zoo.mri_vn.network import MRIVN
from shaketable.zoo.mri_vn.recipe import MRIVNRecipe
from shaketable.zoo.registry import find_entry, import_weights, load, names
from shaketable.zoo.train_recipe import train
from shaketable.zoo.training.events import TrainingEvent, TrainingResult
from shaketable.zoo.training.learner import Learner
from shaketable.zoo.training.recipe import TrainingRecipe
from shaketable.zoo.training.run import run_training

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
    "run_training",
    "template_training_images",
    "train",
    "with_smooth_phase",
]
