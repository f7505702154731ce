"""Sampling patterns of Fourier space, each a nested sequence over rates."""

from shaketable.maps.sampling.cartesian import cartesian_variable_density, gaussian_columns
from shaketable.maps.sampling.sequence import SamplingSequence

__all__ = [
    "SamplingSequence",
    "cartesian_variable_density",
    "gaussian_columns",
]
