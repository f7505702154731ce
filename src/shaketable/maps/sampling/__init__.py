"""Sampling patterns of Fourier space and of views, each a nested sequence over rates."""

from shaketable.maps.sampling.cartesian import cartesian_variable_density, gaussian_columns
from shaketable.maps.sampling.equispaced import equispaced_lines
from shaketable.maps.sampling.poisson import poisson_disc
from shaketable.maps.sampling.radial import radial_lines
from shaketable.maps.sampling.sequence import SamplingSequence
from shaketable.maps.sampling.views import ViewSequence, equispaced_views

__all__ = [
    "SamplingSequence",
    "ViewSequence",
    "cartesian_variable_density",
    "equispaced_lines",
    "equispaced_views",
    "gaussian_columns",
    "poisson_disc",
    "radial_lines",
]
