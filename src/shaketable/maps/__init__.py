"""Forward maps, their checks, and sampling patterns."""

from shaketable.maps import sampling
from shaketable.maps.check import MapCheck, MapReport, check_map
from shaketable.maps.fourier import FourierMap
from shaketable.maps.linear import apply_linear
from shaketable.maps.matrix import MatrixMap
from shaketable.maps.numpy_map import NumpyMap
from shaketable.maps.sampling import SamplingSequence

__all__ = [
    "FourierMap",
    "MapCheck",
    "MapReport",
    "MatrixMap",
    "NumpyMap",
    "SamplingSequence",
    "apply_linear",
    "check_map",
    "sampling",
]
