"""Basis pursuit denoising with orthogonal wavelets, at a stated noise level."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from shaketable.protocols import ForwardMap
from shaketable.sparse.discrepancy import AtNoiseLevel
from shaketable.sparse.penalties import Values
from shaketable.sparse.solution import Solution
from shaketable.sparse.wavelet_l1 import WaveletL1


@dataclass(frozen=True, kw_only=True)
class BasisPursuitDenoising:
    """``min_x ‖W x‖₁`` subject to ``‖A x - y‖ <= noise ‖y‖``: the paper's method for parallel MRI.

    A reconstructor; `AtNoiseLevel` of `WaveletL1`, whose settings it takes.

    Parameters
    ----------
    noise
        ``σ / ‖y‖₂``.
    wavelet, levels, values
        As in `WaveletL1`; the paper took db2 and 3 levels.
    gap, max_iterations
        The relative gap to reach; the largest number of iterations for each strength tried.

    Examples
    --------
    >>> BasisPursuitDenoising(noise=0.02).describe()["noise"]
    0.02
    """

    noise: float = 0.01
    wavelet: str = "db2"
    levels: int = 3
    values: Values = "complex"
    gap: float = 5e-3
    max_iterations: int = 2000

    def __post_init__(self) -> None:
        self._constrained()

    def __call__(self, data: Tensor, forward: ForwardMap, /) -> Tensor:
        """As for `AtNoiseLevel`."""
        return self._constrained()(data, forward)

    def solve(self, data: Tensor, forward: ForwardMap) -> Solution:
        """As for `AtNoiseLevel`."""
        return self._constrained().solve(data, forward)

    def describe(self) -> dict[str, object]:
        """Return what the record of a run says about this method."""
        return {**self._constrained().describe(), "name": "basis-pursuit-denoising"}

    def _constrained(self) -> AtNoiseLevel:
        method = WaveletL1(
            wavelet=self.wavelet,
            levels=self.levels,
            values=self.values,
            max_iterations=self.max_iterations,
        )
        return AtNoiseLevel(method=method, noise=self.noise, gap=self.gap)
