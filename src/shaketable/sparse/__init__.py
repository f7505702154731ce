"""The reference methods: sparse regularisation solved to a certificate and differentiable."""

from shaketable.sparse.basis_pursuit_denoising import BasisPursuitDenoising
from shaketable.sparse.calibration import Calibration, calibrate
from shaketable.sparse.discrepancy import AtNoiseLevel
from shaketable.sparse.method import SparseMethod
from shaketable.sparse.reweighted_shearlets import ReweightedShearlets
from shaketable.sparse.shearlets import Shearlets
from shaketable.sparse.solution import NotConvergedWarning, Solution
from shaketable.sparse.total_generalized_variation import TotalGeneralizedVariation
from shaketable.sparse.total_variation import TotalVariation
from shaketable.sparse.wavelet_l1 import WaveletL1

__all__ = [
    "AtNoiseLevel",
    "BasisPursuitDenoising",
    "Calibration",
    "NotConvergedWarning",
    "ReweightedShearlets",
    "Shearlets",
    "Solution",
    "SparseMethod",
    "TotalGeneralizedVariation",
    "TotalVariation",
    "WaveletL1",
    "calibrate",
]
