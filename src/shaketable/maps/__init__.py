"""Forward maps, their checks, and sampling patterns."""

from shaketable.maps import sampling
from shaketable.maps.back_projection import filtered_back_projection
from shaketable.maps.centring import from_centred, to_centred
from shaketable.maps.check import MapCheck, MapReport, check_map
from shaketable.maps.coils import birdcage_coils
from shaketable.maps.espirit import espirit_coils
from shaketable.maps.fourier import FourierMap
from shaketable.maps.linear import apply_linear
from shaketable.maps.matrix import MatrixMap
from shaketable.maps.multi_coil import MultiCoilFourierMap
from shaketable.maps.numpy_map import NumpyMap
from shaketable.maps.radon import RadonMap
from shaketable.maps.sampling import SamplingSequence, ViewSequence

__all__ = [
    "FourierMap",
    "MapCheck",
    "MapReport",
    "MatrixMap",
    "MultiCoilFourierMap",
    "NumpyMap",
    "RadonMap",
    "SamplingSequence",
    "ViewSequence",
    "apply_linear",
    "birdcage_coils",
    "check_map",
    "espirit_coils",
    "filtered_back_projection",
    "from_centred",
    "sampling",
    "to_centred",
]
